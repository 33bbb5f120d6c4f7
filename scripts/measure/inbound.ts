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
const PLENTY = { window: '10 seconds', max: 1_000_000_000 }

/**
 * Prints how many comments a second of other servers are processed, and how many views taken, by an instance of its own, web and worker in
 * a process each; 40 actors on 4 hosts. Views are not collected for long, so that what is measured is work and not waiting.
 */
export async function measureInboundFederation(): Promise<void> {
  const bed = await createBenchEnvironment()
  try {
    const { listen, webserver } = (await bed.config()) as { listen: object; webserver: object }
    const both = {
      listen,
      webserver,
      federation: {
        prevent_ssrf: false,
        inbox: { per_host: PLENTY, views_interval: '200 ms' },
        videos: { max_views_per_host: VIEWS * RUNS }
      }
    }
    const web = await bed.serve(both, { args: ['--roles', 'web'] })
    const worker = await bed.serve(both, { args: ['--roles', 'worker'] })
    const uuid = await seedTinyVideos(web.url, 1)
    const senders = fork(join(import.meta.dirname, 'inbound-senders.ts'), [web.url], { execArgv: ['--import', 'tsx'] })
    await once(senders, 'message')
    const client = await connected(bed)
    const video = `${web.url}/videos/watch/${uuid}`
    // Every actor is met once before.
    await round(senders, client, 'notes', 80, video)
    for (let run = 0; run < RUNS; run++) {
      const notes = await round(senders, client, 'notes', NOTES, video)
      console.log(
        `Create(Note) of others: ${(NOTES / notes.taken).toFixed(0)} a second taken, ${(NOTES / notes.done).toFixed(0)} a second processed`
      )
      const views = await round(senders, client, 'views', VIEWS, video)
      console.log(
        `View of others:         ${(VIEWS / views.taken).toFixed(0)} a second taken, ${(VIEWS / views.done).toFixed(0)} a second processed`
      )
    }
    const { rows } = await client.query<{ outcome: string; count: string }>(
      "SELECT left(outcome, 60) AS outcome, count(*) FROM incoming WHERE outcome <> 'done' GROUP BY 1"
    )
    for (const { outcome, count } of rows) console.log(`  not taken by anybody: ${count} times "${outcome}"`)
    console.log(`most memory: ${peakMemoryMiB(web.pid).toFixed(0)} MiB web, ${peakMemoryMiB(worker.pid).toFixed(0)} MiB worker`)
    await client.end()
    senders.disconnect()
  } finally {
    await bed.remove()
  }
}

/** Sends so many; seconds until all are answered, and until all are processed. */
async function round(
  senders: ChildProcess,
  client: pg.Client,
  kind: string,
  count: number,
  video: string
): Promise<{ taken: number; done: number }> {
  senders.send({ kind, count, video })
  await once(senders, 'message')
  const before = await newest(client)
  const began = performance.now()
  const answered = once(senders, 'message') as Promise<[{ seconds: number; refused: number }]>
  senders.send('go')
  const [{ seconds, refused }] = await answered
  if (refused > 0) throw new Error(`${refused} of ${count} ${kind} were refused`)
  while (await isWaiting(client)) {
    if (performance.now() - began > 300_000) throw new Error(`${kind} are not processed after five minutes`)
    await sleep(20)
  }
  const done = (performance.now() - began) / 1000
  const { rows } = await client.query<{ count: number }>('SELECT count(*)::int AS count FROM incoming WHERE id > $1', [before])
  if (rows[0]!.count !== count) throw new Error(`${rows[0]!.count} instead of ${count} ${kind} were stored`)
  return { taken: seconds, done }
}

async function newest(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('SELECT coalesce(max(id), 0)::text AS id FROM incoming')
  return rows[0]!.id
}

async function isWaiting(client: pg.Client): Promise<boolean> {
  const { rows } = await client.query<{ waiting: boolean }>('SELECT EXISTS (SELECT 1 FROM incoming WHERE done_at IS NULL) AS waiting')
  return rows[0]!.waiting
}

async function connected(bed: BenchEnvironment): Promise<pg.Client> {
  const { database } = (await bed.config()) as { database: { hostname: string; username: string; name: string } }
  const client = new pg.Client({ host: database.hostname, user: database.username, database: database.name })
  await client.connect()
  return client
}
