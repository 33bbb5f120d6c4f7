import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { makeSelfSignedCertificate } from '../../server/test/certificate.ts'
import { createBenchEnvironment, peakMemoryMiB, type BenchEnvironment, type BenchServer } from './bench-environment.ts'
import { fetchBenchJson, logInAsRoot, seedTinyVideos } from './seed-tiny-videos.ts'
import { simulatedHostBehaviour } from './inbox-sinks.ts'

const RUNS = 3
/** So many messages go to so many hosts each. */
const MESSAGES = 50
const HOSTS = 200
const CROWD = 10_000
const PLENTY = { window: '10 seconds', max: 1_000_000_000 }
const LOOPBACK = { federation: { prevent_ssrf: false, inbox: { per_host: PLENTY } } }
/** How long the API is asked before the crowd is told anything. */
const CALM = 15_000

type Side = { web: BenchServer; worker: BenchServer; client: pg.Client; token: { authorization: string }; video: string }

/**
 * Prints how many signed deliveries a second leave an instance, plain and over TLS, beside bare signing and posting to the same inboxes.
 */
export async function measureDeliveries(): Promise<void> {
  for (const tls of [false, true]) {
    const bed = await createBenchEnvironment()
    try {
      const { cert, key } = makeSelfSignedCertificate('localhost')
      const [certFile, keyFile] = [join(bed.folder, 'cert.pem'), join(bed.folder, 'key.pem')]
      writeFileSync(certFile, cert)
      writeFileSync(keyFile, key)
      const sinks = startSinks(HOSTS, ...(tls ? [certFile, keyFile] : []))
      const { ports } = await told<{ ports: number[] }>(sinks)
      const side = await open(bed, { NODE_EXTRA_CA_CERTS: certFile })
      const inboxes = ports.map(port => `${tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`}/inbox`)
      await follow(side.client, inboxes)
      const [rates, bares]: [number[], number[]] = [[], []]
      // The first run opens the connections.
      for (let run = 0; run <= RUNS; run++) {
        const rate = await deliver(side, sinks)
        const bare = await barely(inboxes, sinks, certFile)
        if (run > 0) {
          rates.push(rate)
          bares.push(bare)
        }
      }
      report(`signed deliveries${tls ? ' over TLS' : ''}, ${MESSAGES} messages to ${HOSTS} hosts`, rates, 'a second')
      report('  limit: bare signing and posting', bares, 'a second')
      report(
        '  share of the limit',
        rates.map((rate, index) => (100 * rate) / bares[index]!),
        '%'
      )
      console.log(`  most memory of the worker: ${peakMemoryMiB(side.worker.pid).toFixed(0)} MiB`)
      sinks.disconnect()
      await side.client.end()
    } finally {
      await bed.remove()
    }
  }
}

/**
 * Prints how soon 10,000 simulated hosts hear of a change, with the dead among them and without, and what it costs those who use the site
 * meanwhile.
 */
export async function measureFanOut(): Promise<void> {
  for (const dead of [false, true]) {
    const bed = await createBenchEnvironment()
    try {
      const sinks = startSinks(1)
      const { crowd } = await told<{ crowd: number }>(sinks)
      const closed = crowd + 1
      const side = await open(bed, {})
      const all = [...Array(CROWD).keys()].map(number => ({ number, kind: simulatedHostBehaviour(number) }))
      const healthy = all.filter(({ kind }) => typeof kind === 'number')
      await follow(
        side.client,
        (dead ? all : healthy).map(
          ({ number, kind }) =>
            `http://127.1.${Math.floor(number / 250)}.${(number % 250) + 1}:${kind === 'refuses' ? closed : crowd}/inbox`
        )
      )
      for (const time of ['the first time', 'and again']) {
        const before = await latencies(side.web.url, side.video, CALM)
        sinks.send('forget')
        const meanwhile = latencies(side.web.url, side.video, CALM)
        await say(side, `To everybody, ${time}`)
        const during = await meanwhile
        let shown: { reached: number; seconds: number | null; half: number | null } = { reached: 0, seconds: null, half: null }
        for (const until = Date.now() + 120_000; shown.seconds === null && Date.now() < until; await sleep(250)) {
          sinks.send({ share: 0.95, of: healthy.length })
          shown = await told(sinks)
        }
        console.log(
          `${healthy.length} healthy hosts${dead ? ` and ${CROWD - healthy.length} that hang, fail or refuse` : ' alone'}, ${time}: half reached after ${shown.half?.toFixed(1)} s, 95 % after ${shown.seconds?.toFixed(1)} s`
        )
        console.log(
          `  API p95 before ${before.toFixed(1)} ms, meanwhile ${during.toFixed(1)} ms (${((100 * during) / before - 100).toFixed(0)} % more)`
        )
      }
      console.log(`  most memory of the worker: ${peakMemoryMiB(side.worker.pid).toFixed(0)} MiB`)
      sinks.disconnect()
      await side.client.end()
    } finally {
      await bed.remove()
    }
  }
}

async function open(bed: BenchEnvironment, env: Record<string, string>): Promise<Side> {
  const config = (await bed.config(LOOPBACK)) as {
    database: { hostname: string; username: string; name: string }
    listen: object
    webserver: object
  }
  const both = { listen: config.listen, webserver: config.webserver, ...LOOPBACK }
  const web = await bed.serve(both, { args: ['--roles', 'web'], env })
  const worker = await bed.serve(both, { args: ['--roles', 'worker'], env })
  const video = await seedTinyVideos(web.url, 1)
  const client = new pg.Client({ host: config.database.hostname, user: config.database.username, database: config.database.name })
  await client.connect()
  return { web, worker, client, token: await logInAsRoot(web.url), video }
}

/** Actors with these inboxes follow the administrator's account. */
async function follow(client: pg.Client, inboxes: string[]): Promise<void> {
  await client.query(
    `
    WITH made AS (
      INSERT INTO actors (type, url, preferred_username, host, inbox_url, shared_inbox_url, created_at, updated_at)
      SELECT 'Application', regexp_replace(inbox, '/inbox$', '/accounts/peertube'), 'peertube', regexp_replace(inbox, '^https?://([^/]+)/.*$', '\\1'), inbox, inbox, now(), now() FROM unnest($1::text[]) AS inbox RETURNING id, url)
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT made.url || '/follows/1', made.id, root.id, 'accepted', now(), now() FROM made, actors root WHERE root.host IS NULL AND root.preferred_username = 'root' AND root.type = 'Person'`,
    [inboxes]
  )
}

async function say({ web, token, video }: Side, text: string): Promise<void> {
  await fetchBenchJson(`${web.url}/api/v1/videos/${video}/comment-threads`, {
    method: 'POST',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify({ text })
  })
}

async function deliver(side: Side, sinks: ChildProcess): Promise<number> {
  sinks.send('forget')
  sinks.send({ await: MESSAGES * HOSTS })
  const done = told<{ seconds: number }>(sinks)
  for (let number = 0; number < MESSAGES; number++) await say(side, `Word ${number}`)
  return (MESSAGES * HOSTS) / (await done).seconds
}

async function barely(inboxes: string[], sinks: ChildProcess, certFile: string): Promise<number> {
  sinks.send('forget')
  const child = fork(join(import.meta.dirname, 'baseline-post.ts'), [String(MESSAGES), ...inboxes], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile },
    execArgv: ['--import', 'tsx']
  })
  const { perSecond } = await told<{ perSecond: number }>(child)
  child.disconnect()
  return perSecond
}

/** The 95th percentile (ms) of asking for a list and a video in turns, 20 times a second. */
async function latencies(url: string, video: string, ms: number): Promise<number> {
  const times: number[] = []
  const asked: Promise<void>[] = []
  for (const until = performance.now() + ms; performance.now() < until; await sleep(50)) {
    const began = performance.now()
    asked.push(
      fetch(`${url}/api/v1/videos${asked.length % 2 ? '?count=25' : `/${video}`}`).then(async answer => {
        await answer.arrayBuffer()
        times.push(performance.now() - began)
      })
    )
  }
  await Promise.all(asked)
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)]!
}

function startSinks(ports: number, ...tls: string[]): ChildProcess {
  const sinks = fork(join(import.meta.dirname, 'inbox-sinks.ts'), [String(ports), ...tls], { execArgv: ['--import', 'tsx'] })
  // Other servers have machines of their own.
  setPriority(sinks.pid!, 10)
  return sinks.setMaxListeners(0)
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
  const median = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
  console.log(`${name.padEnd(58)}${median.toFixed(0).padStart(7)} ${unit.padEnd(9)} (${values.map(value => value.toFixed(0)).join(', ')})`)
}
