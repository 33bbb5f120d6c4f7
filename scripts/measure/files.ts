import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ensurePrograms } from '../launch/install.ts'
import { median, residentMiB } from './figures.ts'
import type { Bed } from './bed.ts'
import { serveWithNginx } from './nginx.ts'

const RUNS = 5
const SECONDS = 4
const RANGE = 1_200_000
const SIZE = 96 * 1024 * 1024
const SLOW_CLIENTS = 2000
/** All at once would be a test of how connections are taken up. */
const AT_ONCE = 50

/** Prints how fast ranges of a stored film go out beside nginx with sendfile on the same file in turns, and what that and 2,000 clients who hardly read cost in memory. */
export async function measureFiles(bed: Bed, uuid: string): Promise<void> {
  ensurePrograms(['nginx'], line => console.log(line))
  const folder = join(bed.folder, 'streaming-playlists/hls', uuid)
  const name = 'measured-0-fragmented.mp4'
  await fill(join(folder, name))
  const server = await bed.serve()
  const nginx = await serveWithNginx(folder)
  const child = fork(join(import.meta.dirname, 'range-client.ts'), [], { execArgv: ['--import', 'tsx'] })
  try {
    const ours = `${server.url}/static/streaming-playlists/hls/${uuid}/${name}`
    const found: Record<'ours' | 'nginx', number[]> = { ours: [], nginx: [] }
    for (let run = 0; run <= RUNS; run++) {
      for (const [who, url] of [['ours', ours], ['nginx', `${nginx.url}/${name}`]] as const) {
        const perSecond = await ask(child, url)
        if (run > 0) found[who].push(perSecond / 1e6)
      }
    }
    const line = (title: string, values: number[]) => console.log(`${title.padEnd(46)}${median(values).toFixed(0).padStart(8)} MB/s        (${values.map(value => value.toFixed(0)).join(', ')})`)
    line('ranges of 1.2 MB, one client', found.ours)
    line('  limit: nginx with sendfile', found.nginx)
    const ratios = found.ours.map((value, run) => value / found.nginx[run]!)
    console.log(`${'  of that'.padEnd(46)}${median(ratios).toFixed(2).padStart(8)} times       (${ratios.map(ratio => ratio.toFixed(2)).join(', ')}), at least 0.8`)
    console.log(`${'resident memory after it, web and worker'.padEnd(46)}${residentMiB(server.pid).toFixed(0).padStart(8)} MiB         at most 300`)
    const sockets: Socket[] = []
    while (sockets.length < SLOW_CLIENTS) sockets.push(...await Promise.all(Array.from({ length: AT_ONCE }, async () => await idle(ours))))
    await sleep(3000)
    console.log(`${`  with ${SLOW_CLIENTS} clients who hardly read`.padEnd(46)}${residentMiB(server.pid).toFixed(0).padStart(8)} MiB         at most 300`)
    for (const socket of sockets) socket.destroy()
  } finally {
    child.disconnect()
    await nginx.stop()
    await server.stop()
  }
}

async function ask(child: ChildProcess, url: string): Promise<number> {
  child.send({ url, length: RANGE, size: SIZE, seconds: SECONDS })
  const [{ perSecond }] = await once(child, 'message') as [{ perSecond: number }]
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
