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
const RUN_SECONDS = 4
const RANGE_BYTES = 1_200_000
const FILE_BYTES = 96 * 1024 * 1024
const MANY_CLIENTS = 16
const SLOW_CLIENTS = 2000
/** Connecting all at once would measure how connections are accepted. */
const CONNECT_BATCH = 50

/**
 * Prints the throughput of range requests for a stored video, with one client and many, served by Bobine and handed over to nginx, beside
 * nginx with sendfile on the same file in turns; and the memory after that and with 2,000 slow clients.
 */
export async function measureRangeRequests(bench: BenchEnvironment, uuid: string): Promise<void> {
  await ensurePrograms(['nginx'], runStep)
  const folder = join(bench.folder, 'streaming-playlists/hls', uuid)
  const name = 'measured-0-fragmented.mp4'
  await writeRandomFile(join(folder, name))
  const server = await bench.serve()
  const handOverServer = await bench.serve({ http: { hand_over: '/stored/' } })
  const nginx = await serveWithNginx(folder, { url: handOverServer.url, storage: bench.folder })
  const child = fork(join(import.meta.dirname, 'range-client.ts'), [], { execArgv: ['--import', 'tsx'] })
  try {
    const ownUrl = `${server.url}/static/streaming-playlists/hls/${uuid}/${name}`
    const printLine = (title: string, unit: string, values: number[], digits: number, more = '') =>
      console.log(
        `${title.padEnd(46)}${median(values).toFixed(digits).padStart(8)} ${unit.padEnd(12)}(${values.map(value => value.toFixed(digits)).join(', ')})${more}`
      )
    for (const [title, clients] of [
      ['one client', 1],
      [`${MANY_CLIENTS} clients`, MANY_CLIENTS]
    ] as const) {
      const speeds: Record<'ours' | 'handed' | 'nginx', number[]> = { ours: [], handed: [], nginx: [] }
      for (let run = 0; run <= RUNS; run++) {
        for (const [serverName, url] of [
          ['ours', ownUrl],
          ['handed', `${nginx.proxyUrl}/static/streaming-playlists/hls/${uuid}/${name}`],
          ['nginx', `${nginx.url}/${name}`]
        ] as const) {
          const perSecond = await measureSpeed(child, url, clients)
          if (run > 0) speeds[serverName].push(perSecond / 1e6)
        }
      }
      printLine(`ranges of 1.2 MB, ${title}`, 'MB/s', speeds.ours, 0)
      printLine('  handed over to nginx', 'MB/s', speeds.handed, 0)
      printLine('  limit: nginx with sendfile', 'MB/s', speeds.nginx, 0)
      const ratios = (serverName: 'ours' | 'handed') => speeds[serverName].map((value, run) => value / speeds.nginx[run]!)
      printLine('  ratio to nginx', 'times', ratios('ours'), 2, ', at least 0.8')
      printLine('  ratio to nginx, handed over', 'times', ratios('handed'), 2)
    }
    console.log(
      `${'resident memory after that, web and worker'.padEnd(46)}${residentMemoryMiB(server.pid).toFixed(0).padStart(8)} MiB         at most 300`
    )
    const sockets: Socket[] = []
    while (sockets.length < SLOW_CLIENTS)
      sockets.push(...(await Promise.all(Array.from({ length: CONNECT_BATCH }, async () => await openSlowClient(ownUrl)))))
    await sleep(3000)
    console.log(
      `${`  with ${SLOW_CLIENTS} slow clients`.padEnd(46)}${residentMemoryMiB(server.pid).toFixed(0).padStart(8)} MiB         at most 300`
    )
    for (const socket of sockets) socket.destroy()
  } finally {
    child.disconnect()
    await nginx.stop()
    await handOverServer.stop()
    await server.stop()
  }
}

async function measureSpeed(child: ChildProcess, url: string, clients: number): Promise<number> {
  child.send({ url, length: RANGE_BYTES, size: FILE_BYTES, seconds: RUN_SECONDS, clients })
  const [{ perSecond }] = (await once(child, 'message')) as [{ perSecond: number }]
  return perSecond
}

/** A client that requests the whole file, reads one chunk and then stops reading. */
async function openSlowClient(url: string): Promise<Socket> {
  const { hostname, port, pathname, host } = new URL(url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
  await once(socket, 'data')
  socket.pause()
  return socket
}

/** Writes a file of random, incompressible bytes. */
async function writeRandomFile(file: string): Promise<void> {
  const out = createWriteStream(file)
  const piece = randomBytes(1024 * 1024)
  for (let written = 0; written < FILE_BYTES; written += piece.length) if (!out.write(piece)) await once(out, 'drain')
  out.end()
  await once(out, 'finish')
}
