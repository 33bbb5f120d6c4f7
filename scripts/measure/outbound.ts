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
/** The number of activities, each sent to `HOSTS` hosts. */
const MESSAGES = 50
const HOSTS = 200
const SIMULATED_HOSTS = 10_000
const UNLIMITED = { window: '10 seconds', max: 1_000_000_000 }
const LOOPBACK = { federation: { prevent_ssrf: false, inbox: { per_host: UNLIMITED } } }
/** How long (ms) the latency of the API is measured before and during the fan-out. */
const BASELINE_MS = 15_000

type DeliveryInstance = { web: BenchServer; worker: BenchServer; client: pg.Client; token: { authorization: string }; video: string }

/** Prints the signed deliveries per second of an instance, with and without TLS, beside plain signing and posting to the same inboxes. */
export async function measureDeliveries(): Promise<void> {
  for (const tls of [false, true]) {
    const bench = await createBenchEnvironment()
    try {
      const { cert, key } = makeSelfSignedCertificate('localhost')
      const [certFile, keyFile] = [join(bench.folder, 'cert.pem'), join(bench.folder, 'key.pem')]
      writeFileSync(certFile, cert)
      writeFileSync(keyFile, key)
      const sinks = startSinks(HOSTS, ...(tls ? [certFile, keyFile] : []))
      const { ports } = await nextMessage<{ ports: number[] }>(sinks)
      const instance = await startDeliveryInstance(bench, { NODE_EXTRA_CA_CERTS: certFile })
      const inboxes = ports.map(port => `${tls ? `https://localhost:${port}` : `http://127.0.0.1:${port}`}/inbox`)
      await addFollowers(instance.client, inboxes)
      const [rates, baselines]: [number[], number[]] = [[], []]
      // The first run opens the connections.
      for (let run = 0; run <= RUNS; run++) {
        const rate = await measureDeliveryRate(instance, sinks)
        const baseline = await measureBaselineRate(inboxes, sinks, certFile)
        if (run > 0) {
          rates.push(rate)
          baselines.push(baseline)
        }
      }
      printMetric(`signed deliveries${tls ? ' over TLS' : ''}, ${MESSAGES} activities to ${HOSTS} hosts`, rates, 'per second')
      printMetric('  limit: plain signing and posting', baselines, 'per second')
      printMetric(
        '  share of the limit',
        rates.map((rate, index) => (100 * rate) / baselines[index]!),
        '%'
      )
      console.log(`  peak memory of the worker: ${peakMemoryMiB(instance.worker.pid).toFixed(0)} MiB`)
      sinks.disconnect()
      await instance.client.end()
    } finally {
      await bench.remove()
    }
  }
}

/**
 * Prints how soon 10,000 simulated hosts receive an activity, with and without broken hosts among them, and the effect on the latency of
 * the API.
 */
export async function measureFanOut(): Promise<void> {
  for (const withBrokenHosts of [false, true]) {
    const bench = await createBenchEnvironment()
    try {
      const sinks = startSinks(1)
      const { crowd: crowdPort } = await nextMessage<{ crowd: number }>(sinks)
      const closedPort = crowdPort + 1
      const instance = await startDeliveryInstance(bench, {})
      const hosts = [...Array(SIMULATED_HOSTS).keys()].map(number => ({ number, kind: simulatedHostBehaviour(number) }))
      const healthy = hosts.filter(({ kind }) => typeof kind === 'number')
      await addFollowers(
        instance.client,
        (withBrokenHosts ? hosts : healthy).map(
          ({ number, kind }) =>
            `http://127.1.${Math.floor(number / 250)}.${(number % 250) + 1}:${kind === 'refuses' ? closedPort : crowdPort}/inbox`
        )
      )
      for (const time of ['the first time', 'and again']) {
        const before = await measureApiP95(instance.web.url, instance.video, BASELINE_MS)
        sinks.send('forget')
        const meanwhile = measureApiP95(instance.web.url, instance.video, BASELINE_MS)
        await postComment(instance, `To everybody, ${time}`)
        const during = await meanwhile
        let progress: { reached: number; seconds: number | null; half: number | null } = { reached: 0, seconds: null, half: null }
        for (const deadline = Date.now() + 120_000; progress.seconds === null && Date.now() < deadline; await sleep(250)) {
          sinks.send({ share: 0.95, of: healthy.length })
          progress = await nextMessage(sinks)
        }
        console.log(
          `${healthy.length} healthy hosts${withBrokenHosts ? ` and ${SIMULATED_HOSTS - healthy.length} that hang, fail or refuse` : ' alone'}, ${time}: half reached after ${progress.half?.toFixed(1)} s, 95 % after ${progress.seconds?.toFixed(1)} s`
        )
        console.log(
          `  API p95 before ${before.toFixed(1)} ms, during ${during.toFixed(1)} ms (${((100 * during) / before - 100).toFixed(0)} % more)`
        )
      }
      console.log(`  peak memory of the worker: ${peakMemoryMiB(instance.worker.pid).toFixed(0)} MiB`)
      sinks.disconnect()
      await instance.client.end()
    } finally {
      await bench.remove()
    }
  }
}

async function startDeliveryInstance(bench: BenchEnvironment, env: Record<string, string>): Promise<DeliveryInstance> {
  const config = (await bench.config(LOOPBACK)) as {
    database: { hostname: string; username: string; name: string }
    listen: object
    webserver: object
  }
  const sharedConfig = { listen: config.listen, webserver: config.webserver, ...LOOPBACK }
  const web = await bench.serve(sharedConfig, { args: ['--roles', 'web'], env })
  const worker = await bench.serve(sharedConfig, { args: ['--roles', 'worker'], env })
  const video = await seedTinyVideos(web.url, 1)
  const client = new pg.Client({ host: config.database.hostname, user: config.database.username, database: config.database.name })
  await client.connect()
  return { web, worker, client, token: await logInAsRoot(web.url), video }
}

/** Adds followers with these inboxes to the administrator's account. */
async function addFollowers(client: pg.Client, inboxes: string[]): Promise<void> {
  await client.query(
    `
    WITH made AS (
      INSERT INTO actors (type, url, preferred_username, host, inbox_url, shared_inbox_url, created_at, updated_at)
      SELECT 'Application', regexp_replace(inbox, '/inbox$', '/accounts/peertube'), 'peertube',
        regexp_replace(inbox, '^https?://([^/]+)/.*$', '\\1'), inbox, inbox, now(), now()
      FROM unnest($1::text[]) AS inbox RETURNING id, url)
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT made.url || '/follows/1', made.id, root.id, 'accepted', now(), now() FROM made, actors root
    WHERE root.host IS NULL AND root.preferred_username = 'root' AND root.type = 'Person'`,
    [inboxes]
  )
}

async function postComment({ web, token, video }: DeliveryInstance, text: string): Promise<void> {
  await fetchBenchJson(`${web.url}/api/v1/videos/${video}/comment-threads`, {
    method: 'POST',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify({ text })
  })
}

async function measureDeliveryRate(instance: DeliveryInstance, sinks: ChildProcess): Promise<number> {
  sinks.send('forget')
  sinks.send({ await: MESSAGES * HOSTS })
  const done = nextMessage<{ seconds: number }>(sinks)
  for (let number = 0; number < MESSAGES; number++) await postComment(instance, `Comment ${number}`)
  return (MESSAGES * HOSTS) / (await done).seconds
}

async function measureBaselineRate(inboxes: string[], sinks: ChildProcess, certFile: string): Promise<number> {
  sinks.send('forget')
  const child = fork(join(import.meta.dirname, 'baseline-post.ts'), [String(MESSAGES), ...inboxes], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certFile },
    execArgv: ['--import', 'tsx']
  })
  const { perSecond } = await nextMessage<{ perSecond: number }>(child)
  child.disconnect()
  return perSecond
}

/** The 95th percentile (ms) of alternating requests for a list and a video, 20 per second. */
async function measureApiP95(url: string, video: string, ms: number): Promise<number> {
  const times: number[] = []
  const requests: Promise<void>[] = []
  for (const deadline = performance.now() + ms; performance.now() < deadline; await sleep(50)) {
    const began = performance.now()
    requests.push(
      fetch(`${url}/api/v1/videos${requests.length % 2 ? '?count=25' : `/${video}`}`).then(async response => {
        await response.arrayBuffer()
        times.push(performance.now() - began)
      })
    )
  }
  await Promise.all(requests)
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)]!
}

function startSinks(ports: number, ...tls: string[]): ChildProcess {
  const sinks = fork(join(import.meta.dirname, 'inbox-sinks.ts'), [String(ports), ...tls], { execArgv: ['--import', 'tsx'] })
  // Lower priority, as other servers would not share this machine.
  setPriority(sinks.pid!, 10)
  return sinks.setMaxListeners(0)
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
  const median = [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
  console.log(`${name.padEnd(58)}${median.toFixed(0).padStart(7)} ${unit.padEnd(10)} (${values.map(value => value.toFixed(0)).join(', ')})`)
}
