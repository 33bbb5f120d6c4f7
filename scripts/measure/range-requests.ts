import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensurePrograms } from '../launch/install.ts'
import { runStep } from '../launch/step.ts'
import { median, residentMemoryMiB } from './metrics.ts'
import type { BenchEnvironment } from './bench-environment.ts'
import { serveWithNginx } from './nginx.ts'

const RUNS = 5
const SECONDS = 4
const RANGE = 1_200_000
const SIZE = 96 * 1024 * 1024
const MANY = 16
const SLOW_CLIENTS = 2000
/** All at once would be a test of how connections are taken up. */
const AT_ONCE = 50

/**
 * Prints how fast ranges of a stored film go out, to one client and to many, by Bobine and by nginx on its word, beside nginx with sendfile
 * on the same file in turns; and what that and 2,000 clients who hardly read cost in memory.
 */
export async function measureRangeRequests(bed: BenchEnvironment, uuid: string): Promise<void> {
  await ensurePrograms(['nginx'], runStep)
  const folder = join(bed.folder, 'streaming-playlists/hls', uuid)
  const name = 'measured-0-fragmented.mp4'
  await fill(join(folder, name))
  const server = await bed.serve()
  const handing = await bed.serve({ http: { hand_over: '/stored/' } })
  const nginx = await serveWithNginx(folder, { of: handing.url, storage: bed.folder })
  const child = fork(join(import.meta.dirname, 'range-client.ts'), [], { execArgv: ['--import', 'tsx'] })
  try {
    const ours = `${server.url}/static/streaming-playlists/hls/${uuid}/${name}`
    const line = (title: string, unit: string, values: number[], digits: number, more = '') =>
      console.log(
        `${title.padEnd(46)}${median(values).toFixed(digits).padStart(8)} ${unit.padEnd(12)}(${values.map(value => value.toFixed(digits)).join(', ')})${more}`
      )
    for (const [title, clients] of [
      ['one client', 1],
      [`${MANY} clients`, MANY]
    ] as const) {
      const found: Record<'ours' | 'handed' | 'nginx', number[]> = { ours: [], handed: [], nginx: [] }
      for (let run = 0; run <= RUNS; run++) {
        for (const [who, url] of [
          ['ours', ours],
          ['handed', `${nginx.before}/static/streaming-playlists/hls/${uuid}/${name}`],
          ['nginx', `${nginx.url}/${name}`]
        ] as const) {
          const perSecond = await ask(child, url, clients)
          if (run > 0) found[who].push(perSecond / 1e6)
        }
      }
      line(`ranges of 1.2 MB, ${title}`, 'MB/s', found.ours, 0)
      line('  handed over to nginx', 'MB/s', found.handed, 0)
      line('  limit: nginx with sendfile', 'MB/s', found.nginx, 0)
      const ratios = (who: 'ours' | 'handed') => found[who].map((value, run) => value / found.nginx[run]!)
      line('  of that', 'times', ratios('ours'), 2, ', at least 0.8')
      line('  of that, handed over', 'times', ratios('handed'), 2)
    }
    console.log(
      `${'resident memory after it, web and worker'.padEnd(46)}${residentMemoryMiB(server.pid).toFixed(0).padStart(8)} MiB         at most 300`
    )
    const sockets: Socket[] = []
    while (sockets.length < SLOW_CLIENTS)
      sockets.push(...(await Promise.all(Array.from({ length: AT_ONCE }, async () => await idle(ours)))))
    await sleep(3000)
    console.log(
      `${`  with ${SLOW_CLIENTS} clients who hardly read`.padEnd(46)}${residentMemoryMiB(server.pid).toFixed(0).padStart(8)} MiB         at most 300`
    )
    for (const socket of sockets) socket.destroy()
  } finally {
    child.disconnect()
    await nginx.stop()
    await handing.stop()
    await server.stop()
  }
}

async function ask(child: ChildProcess, url: string, clients: number): Promise<number> {
  child.send({ url, length: RANGE, size: SIZE, seconds: SECONDS, clients })
  const [{ perSecond }] = (await once(child, 'message')) as [{ perSecond: number }]
  return perSecond
}

/** Somebody who asks for the whole film, reads one piece and no more. */
async function idle(url: string): Promise<Socket> {
  const { hostname, port, pathname, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await once(socket, 'data')
  socket.pause()
  return socket
}

/** Writes the film: bytes that nothing can make smaller. */
async function fill(file: string): Promise<void> {
  const out = createWriteStream(file)
  const piece = randomBytes(1024 * 1024)
  for (let written = 0; written < SIZE; written += piece.length) if (!out.write(piece)) await once(out, 'drain')
  out.end()
  await once(out, 'finish')
}
