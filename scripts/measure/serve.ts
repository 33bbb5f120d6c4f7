import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createBenchEnvironment, type BenchEnvironment } from './bench-environment.ts'
import { median, residentMemoryMiB } from './metrics.ts'
import { measureRangeRequests } from './range-requests.ts'
import { measureRequestsPerSecond } from './load.ts'
import { seedTinyVideos } from './seed-tiny-videos.ts'

const RUNS = 5
const SECONDS = 5
const VIDEOS = 30

type Measure = (bench: BenchEnvironment, uuid: string) => Promise<void>

/** Prints the performance of serving on this machine; every value is the median of 5 runs, followed by all of them. */
export async function measureServing(): Promise<void> {
  await withSeededBench(async (bench, uuid) => {
    await measureStartup(bench)
    await measureRequestRates(bench, uuid)
    await measureRangeRequests(bench, uuid)
  })
}

/** The part of `measureServing` about files. */
export async function measureServingFiles(): Promise<void> {
  await withSeededBench(measureRangeRequests)
}

async function withSeededBench(measure: Measure): Promise<void> {
  const bench = await createBenchEnvironment()
  try {
    const first = await bench.serve()
    console.log(`Seeding ${VIDEOS} videos`)
    const uuid = await seedTinyVideos(first.url, VIDEOS)
    await first.stop()
    console.log(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${RUNS} runs: median (all)\n`)
    await measure(bench, uuid)
  } finally {
    await bench.remove()
  }
}

async function measureStartup(bench: BenchEnvironment): Promise<void> {
  const [times, memory]: [number[], number[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    const server = await bench.serve()
    times.push(server.readyAfter)
    await sleep(10_000)
    memory.push(residentMemoryMiB(server.pid))
    await server.stop()
  }
  printMetric('start to listening, Postgres and Redis up', times, 'ms')
  printMetric('resident memory idle, web and worker', memory, 'MiB')
}

async function measureRequestRates(bench: BenchEnvironment, uuid: string): Promise<void> {
  const paths = { list: '/api/v1/videos?count=25', video: `/api/v1/videos/${uuid}` }
  const cachingServer = await bench.serve()
  const uncachedServer = await bench.serve({ cache: { answers: { enabled: false } } })
  const children = [
    startChild('baseline-http.ts', [cachingServer.url + paths.list]),
    startChild('baseline-http.ts', [cachingServer.url + paths.video]),
    startChild('baseline-sql.ts', [], await bench.config())
  ]
  try {
    const [baselineListUrl, baselineVideoUrl] = await Promise.all(
      children.slice(0, 2).map(async child => (await nextMessage<{ url: string }>(child)).url)
    )
    const sql = children[2]!
    await nextMessage(sql)
    const measurements: [string, () => Promise<number>][] = [
      [`GET ${paths.list}`, () => measureRequestsPerSecond(cachingServer.url + paths.list, SECONDS)],
      ['  without the response cache', () => measureRequestsPerSecond(uncachedServer.url + paths.list, SECONDS)],
      ['  limit: plain node:http, same bytes', () => measureRequestsPerSecond(baselineListUrl!, SECONDS)],
      [
        '  limit: its SQL queries alone',
        async () => {
          sql.send(SECONDS)
          return (await nextMessage<{ perSecond: number }>(sql)).perSecond
        }
      ],
      ['GET /api/v1/videos/:uuid', () => measureRequestsPerSecond(cachingServer.url + paths.video, SECONDS)],
      ['  without the response cache', () => measureRequestsPerSecond(uncachedServer.url + paths.video, SECONDS)],
      ['  limit: plain node:http, same bytes', () => measureRequestsPerSecond(baselineVideoUrl!, SECONDS)]
    ]
    const results = measurements.map((): number[] => [])
    // The measurements take turns, so that a slow minute of the machine does not affect one of them alone; the first round warms up.
    for (let run = 0; run <= RUNS; run++)
      for (const [index, [, measure]] of measurements.entries()) {
        const value = await measure()
        if (run > 0) results[index]!.push(value)
      }
    measurements.forEach(([name], index) => printMetric(name, results[index]!, 'per second'))
  } finally {
    for (const child of children) child.disconnect()
  }
}

function startChild(file: string, parameters: string[], config: object = {}): ChildProcess {
  const env = { ...process.env, DATABASE_URL: '', REDIS_URL: '', BOBINE_CONFIG: JSON.stringify(config) }
  return fork(join(import.meta.dirname, file), parameters, { env, execArgv: ['--import', 'tsx'] })
}

async function nextMessage<T>(child: ChildProcess): Promise<T> {
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`a measuring process ended (${code})`)
    })
  ])
  return message as T
}

function printMetric(name: string, values: number[], unit: string): void {
  console.log(
    `${name.padEnd(46)}${median(values).toFixed(0).padStart(8)} ${unit.padEnd(11)} (${values.map(value => value.toFixed(0)).join(', ')})`
  )
}
