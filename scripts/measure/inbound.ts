import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createBenchEnvironment, peakMemoryMiB, type BenchEnvironment } from './bench-environment.ts'
import { seedTinyVideos } from './seed-tiny-videos.ts'

const NOTES = 3000
const VIEWS = 15_000
const RUNS = 3
const UNLIMITED = { window: '10 seconds', max: 1_000_000_000 }

/**
 * Prints how many remote comments and views per second an instance accepts and processes, with one web and one worker process; 40 actors on
 * 4 hosts. Views are flushed at short intervals, so that work is measured and not waiting.
 */
export async function measureInboundFederation(): Promise<void> {
  const bench = await createBenchEnvironment()
  try {
    const { listen, webserver } = (await bench.config()) as { listen: object; webserver: object }
    const sharedConfig = {
      listen,
      webserver,
      federation: { prevent_ssrf: false, inbox: { per_host: UNLIMITED }, videos: { max_views_per_host: VIEWS * RUNS } },
      internals: { inbox: { viewsInterval: 200 } }
    }
    const web = await bench.serve(sharedConfig, { args: ['--roles', 'web'] })
    const worker = await bench.serve(sharedConfig, { args: ['--roles', 'worker'] })
    const uuid = await seedTinyVideos(web.url, 1)
    const senders = fork(join(import.meta.dirname, 'inbound-senders.ts'), [web.url], { execArgv: ['--import', 'tsx'] })
    await once(senders, 'message')
    const client = await connectToDatabase(bench)
    const video = `${web.url}/videos/watch/${uuid}`
    // Every actor is resolved once before the measurement.
    await measureRound(senders, client, 'notes', 80, video)
    for (let run = 0; run < RUNS; run++) {
      const notes = await measureRound(senders, client, 'notes', NOTES, video)
      console.log(
        `Remote Create(Note): ${(NOTES / notes.acceptedSeconds).toFixed(0)} per second accepted, ${(NOTES / notes.processedSeconds).toFixed(0)} per second processed`
      )
      const views = await measureRound(senders, client, 'views', VIEWS, video)
      console.log(
        `Remote View:         ${(VIEWS / views.acceptedSeconds).toFixed(0)} per second accepted, ${(VIEWS / views.processedSeconds).toFixed(0)} per second processed`
      )
    }
    const { rows } = await client.query<{ outcome: string; count: string }>(
      "SELECT left(outcome, 60) AS outcome, count(*) FROM incoming WHERE outcome <> 'done' GROUP BY 1"
    )
    for (const { outcome, count } of rows) console.log(`  not processed: ${count} times "${outcome}"`)
    console.log(`peak memory: ${peakMemoryMiB(web.pid).toFixed(0)} MiB web, ${peakMemoryMiB(worker.pid).toFixed(0)} MiB worker`)
    await client.end()
    senders.disconnect()
  } finally {
    await bench.remove()
  }
}

/** Sends `count` activities; returns the seconds until all are accepted, and until all are processed. */
async function measureRound(
  senders: ChildProcess,
  client: pg.Client,
  kind: string,
  count: number,
  video: string
): Promise<{ acceptedSeconds: number; processedSeconds: number }> {
  senders.send({ kind, count, video })
  await once(senders, 'message')
  const before = await findNewestId(client)
  const began = performance.now()
  const posted = once(senders, 'message') as Promise<[{ seconds: number; refused: number }]>
  senders.send('go')
  const [{ seconds, refused }] = await posted
  if (refused > 0) throw new Error(`${refused} of ${count} ${kind} were refused`)
  while (await hasUnprocessed(client)) {
    if (performance.now() - began > 300_000) throw new Error(`${kind} are not processed after five minutes`)
    await sleep(20)
  }
  const processedSeconds = (performance.now() - began) / 1000
  const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM incoming WHERE id > $1', [before])
  if (rows[0]!.count !== count) throw new Error(`${rows[0]!.count} instead of ${count} ${kind} were stored`)
  return { acceptedSeconds: seconds, processedSeconds }
}

async function findNewestId(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('SELECT coalesce(max(id), 0)::text AS id FROM incoming')
  return rows[0]!.id
}

async function hasUnprocessed(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ waiting: boolean }>('SELECT EXISTS (SELECT 1 FROM incoming WHERE done_at IS NULL) AS waiting')
  return rows[0]!.waiting
}

async function connectToDatabase(bench: BenchEnvironment): Promise<pg.Client> {
  const { database } = (await bench.config()) as { database: { hostname: string; username: string; name: string } }
  const client = new pg.Client({ host: database.hostname, user: database.username, database: database.name })
  await client.connect()
  return client
}
