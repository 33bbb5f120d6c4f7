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

type Measure = (bed: BenchEnvironment, uuid: string) => Promise<void>

/** Prints what serving costs on this machine, every figure the median of 5 runs (all runs beside it). */
export async function measureServing(): Promise<void> {
  await onBed(async (bed, uuid) => {
    await measureStart(bed)
    await measureAnswers(bed, uuid)
    await measureRangeRequests(bed, uuid)
  })
}

/** The part of it that is about files. */
export async function measureServingFiles(): Promise<void> {
  await onBed(measureRangeRequests)
}

async function onBed(measure: Measure): Promise<void> {
  const bed = await createBenchEnvironment()
  try {
    const first = await bed.serve()
    console.log(`Seeding ${VIDEOS} videos`)
    const uuid = await seedTinyVideos(first.url, VIDEOS)
    await first.stop()
    console.log(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${RUNS} runs: median (all)\n`)
    await measure(bed, uuid)
  } finally {
    await bed.remove()
  }
}

async function measureStart(bed: BenchEnvironment): Promise<void> {
  const [times, memory]: [number[], number[]] = [[], []]
  for (let run = 0; run < RUNS; run++) {
    const server = await bed.serve()
    times.push(server.readyAfter)
    await sleep(10_000)
    memory.push(residentMemoryMiB(server.pid))
    await server.stop()
  }
  report('start to listening, Postgres and Redis up', times, 'ms')
  report('resident memory idle, web and worker', memory, 'MiB')
}

async function measureAnswers(bed: BenchEnvironment, uuid: string): Promise<void> {
  const paths = { list: '/api/v1/videos?count=25', video: `/api/v1/videos/${uuid}` }
  const remembering = await bed.serve()
  const forgetting = await bed.serve({ cache: { answers: { enabled: false } } })
  const children = [
    startChild('baseline-http.ts', [remembering.url + paths.list]),
    startChild('baseline-http.ts', [remembering.url + paths.video]),
    startChild('baseline-sql.ts', [], await bed.config())
  ]
  try {
    const [bareList, bareVideo] = await Promise.all(children.slice(0, 2).map(async child => (await told<{ url: string }>(child)).url))
    const sql = children[2]!
    await told(sql)
    const asked: [string, () => Promise<number>][] = [
      [`GET ${paths.list}`, () => measureRequestsPerSecond(remembering.url + paths.list, SECONDS)],
      ['  without remembered answers', () => measureRequestsPerSecond(forgetting.url + paths.list, SECONDS)],
      ['  limit: bare node:http, same bytes', () => measureRequestsPerSecond(bareList!, SECONDS)],
      [
        '  limit: the bare SQL of it',
        async () => {
          sql.send(SECONDS)
          return (await told<{ perSecond: number }>(sql)).perSecond
        }
      ],
      ['GET /api/v1/videos/:uuid', () => measureRequestsPerSecond(remembering.url + paths.video, SECONDS)],
      ['  without remembered answers', () => measureRequestsPerSecond(forgetting.url + paths.video, SECONDS)],
      ['  limit: bare node:http, same bytes', () => measureRequestsPerSecond(bareVideo!, SECONDS)]
    ]
    const found = asked.map((): number[] => [])
    // The measures take turns, so that a slow minute of the machine does not fall on one of them alone; the first round warms up.
    for (let run = 0; run <= RUNS; run++)
      for (const [index, [, measure]] of asked.entries()) {
        const value = await measure()
        if (run > 0) found[index]!.push(value)
      }
    asked.forEach(([name], index) => report(name, found[index]!, 'per second'))
  } finally {
    for (const child of children) child.disconnect()
  }
}

function startChild(file: string, parameters: string[], config: object = {}): ChildProcess {
  const env = { ...process.env, DATABASE_URL: '', REDIS_URL: '', BOBINE_CONFIG: JSON.stringify(config) }
  return fork(join(import.meta.dirname, file), parameters, { env, execArgv: ['--import', 'tsx'] })
}

async function told<T>(child: ChildProcess): Promise<T> {
  const [message] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`a measuring process ended (${code})`)
    })
  ])
  return message as T
}

function report(name: string, values: number[], unit: string): void {
  console.log(
    `${name.padEnd(46)}${median(values).toFixed(0).padStart(8)} ${unit.padEnd(11)} (${values.map(value => value.toFixed(0)).join(', ')})`
  )
}
