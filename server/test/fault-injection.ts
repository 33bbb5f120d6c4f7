import { inject } from 'vitest'
import { Redis } from 'ioredis'
import { withTestDatabase, eventually } from './instance.ts'
import type { PeerInstance } from './peer-instance.ts'
import { seededRandom } from './seeded-random.ts'

/** Two instances that follow each other, each with a user and some videos. */
export type InstancePair = { sides: [PairedInstance, PairedInstance] }
/** One instance of a pair, with its user. */
export type PairedInstance = { peer: PeerInstance; token: string; channelId: number; videos: string[] }

/** Everything a viewer can see of the videos of an instance; it must be equal on the other. */
export type VisibleVideos = { [videoUrl: string]: { name: string; likes: number; dislikes: number; comments: string[] } }

/** Configuration with short intervals, so that retries take seconds instead of hours. */
export const SHORT_INTERVALS = {
  federation: { crawl: { interval: 1500 } },
  internals: {
    inbox: { retryDelay: 200, lease: 2000, checkInterval: 300, viewsInterval: 500 },
    outbox: {
      retryDelay: 200,
      maxRetryDelay: 1000,
      lease: 2000,
      checkInterval: 300,
      timeout: 2000,
      connectTimeout: 1000,
      breaker: { failures: 5, window: 600_000, pause: 500, maxPause: 1000 }
    },
    fetch: { timeout: 3000, connectTimeout: 1000, headersTimeout: 2000, redirectsTimeout: 4000 },
    videos: { countersInterval: 300 }
  },
  jobs: { timers_interval: 500 }
}

/** The user actions of a schedule; refused requests (an instance is down, a video is deleted) are ignored. */
const ACTIONS = {
  rename: async (side, _other, random) => {
    await side.peer.call(`PUT /videos/${randomOwnVideo(side, random)}`, {
      token: side.token,
      body: { name: `Film ${Math.floor(random() * 1e6)}` }
    })
  },
  hide: async (side, _other, random) => {
    await side.peer.call(`PUT /videos/${randomOwnVideo(side, random)}`, { token: side.token, body: { privacy: random() < 0.5 ? 1 : 3 } })
  },
  comment: async (side, _other, random) => {
    const video = await randomVisibleVideo(side, random)
    if (video)
      await side.peer.call(`POST /videos/${video.id}/comment-threads`, {
        token: side.token,
        body: { text: `Word ${Math.floor(random() * 1e6)}` }
      })
  },
  uncomment: async (side, _other, random) => {
    const video = await randomVisibleVideo(side, random)
    const threads = video
      ? ((await side.peer.call(`GET /videos/${video.id}/comment-threads`)).json?.data as
          | { id: number; isDeleted: boolean; account: { name: string; host: string } | null }[]
          | undefined)
      : undefined
    const ownThreads = threads?.filter(thread => !thread.isDeleted && thread.account?.host === side.peer.host)
    if (video && ownThreads?.length)
      await side.peer.call(`DELETE /videos/${video.id}/comments/${ownThreads[Math.floor(random() * ownThreads.length)]!.id}`, {
        token: side.token
      })
  },
  rate: async (side, _other, random) => {
    const video = await randomVisibleVideo(side, random)
    if (video)
      await side.peer.call(`PUT /videos/${video.id}/rate`, {
        token: side.token,
        body: { rating: ['like', 'dislike', 'none'][Math.floor(random() * 3)] }
      })
  }
} satisfies { [name: string]: (side: PairedInstance, other: PairedInstance, random: () => number) => Promise<void> }

/** The faults of a schedule. */
const FAULTS = {
  'web killed': async side => {
    await side.peer.kill('web')
  },
  'worker killed': async side => {
    await side.peer.kill('worker')
  },
  'everything killed': async side => {
    await side.peer.kill()
  },
  'Redis wiped': async side => {
    await wipeRedis(side.peer.database)
  },
  'Postgres restarted': async side => {
    await dropDatabaseConnections(side.peer.database)
  },
  'wire cut': async side => {
    side.peer.proxy.cut()
  },
  'away for two days': async (side, other) => {
    await side.peer.kill()
    await shiftDeliveriesIntoPast(other.peer.database, 2)
  }
} satisfies { [name: string]: (side: PairedInstance, other: PairedInstance) => Promise<void> }

/**
 * Runs actions and faults in an order determined by the seed, then restores everything. Returns a log of them, for the message of a failing
 * test.
 */
export async function runFaultSchedule(pair: InstancePair, seed: number, length = 12): Promise<string[]> {
  const random = seededRandom(seed)
  const log: string[] = []
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!
  const faultsAt = new Set([Math.floor(random() * length), Math.floor(random() * length)])
  for (let step = 0; step < length; step++) {
    const swapped = random() < 0.5
    const [side, other] = swapped ? [pair.sides[1], pair.sides[0]] : pair.sides
    if (faultsAt.has(step)) {
      const fault = pick(Object.keys(FAULTS) as (keyof typeof FAULTS)[])
      log.push(`${swapped ? 'B' : 'A'}: ${fault}`)
      await FAULTS[fault](side, other)
    }
    const action = pick(Object.keys(ACTIONS) as (keyof typeof ACTIONS)[])
    log.push(`${swapped ? 'B' : 'A'}: ${action}`)
    // The instance may be down.
    await ACTIONS[action](side, other, random).catch(() => log.push('  (nobody there)'))
  }
  await Promise.all(
    pair.sides.map(async ({ peer }) => {
      peer.proxy.restore()
      await peer.start()
    })
  )
  return log
}

/** Waits until no activity is waiting in the inboxes and outboxes of both instances. */
export async function waitForFederationIdle(pair: InstancePair, seconds = 40): Promise<void> {
  let idleChecks = 0
  const tokens = new Map<PeerInstance, string>()
  await eventually(
    async () => {
      const waiting = await Promise.all(
        pair.sides.map(async ({ peer }) => {
          const token = tokens.get(peer) ?? (await peer.login().catch(() => null))
          if (!token) return 1
          tokens.set(peer, token)
          const { json } = await peer.call('GET /server/debug', { token })
          return json.outgoing.waiting + json.incoming.waiting
        })
      )
      idleChecks = waiting.every(count => count === 0) ? idleChecks + 1 : 0
      return idleChecks >= 3
    },
    seconds,
    'both instances to be idle'
  )
}

/** Returns the videos of `host` as an anonymous viewer of `peer` sees them. */
export async function readVisibleVideos(peer: PeerInstance, host: string): Promise<VisibleVideos> {
  const { json } = await peer.call(`GET /videos?count=100&nsfw=both&host=${encodeURIComponent(host)}`)
  const videos = json.data as { id: number; url: string; name: string; likes: number; dislikes: number }[]
  const entries = await Promise.all(
    videos.map(async ({ id, url, name, likes, dislikes }) => {
      const threads = (await peer.call(`GET /videos/${id}/comment-threads?count=100`)).json.data as { text: string; isDeleted: boolean }[]
      return [
        url,
        {
          name,
          likes,
          dislikes,
          comments: threads
            .filter(thread => !thread.isDeleted)
            .map(({ text }) => text.replace(/<[^>]*>/g, '').trim())
            .sort()
        }
      ] as const
    })
  )
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Terminates every connection to a database, as a restart of Postgres does. */
export async function dropDatabaseConnections(name: string): Promise<void> {
  await withTestDatabase(
    async client => await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
  )
}

/** Deletes all keys of an instance in Redis. */
export async function wipeRedis(prefix: string): Promise<void> {
  const redis = new Redis({ path: inject('redis').socket })
  try {
    const keys = await redis.keys(`${prefix}:*`)
    if (keys.length > 0) await redis.del(...keys)
  } finally {
    redis.disconnect()
  }
}

/** Moves the timestamps of waiting deliveries and of peers into the past by a number of days. */
async function shiftDeliveriesIntoPast(name: string, days: number): Promise<void> {
  await withTestDatabase(async client => {
    await client.query(
      'UPDATE deliveries SET created_at = created_at - make_interval(days => $1), not_before = not_before - make_interval(days => $1)',
      [days]
    )
    await client.query(
      `UPDATE peers SET open_until = open_until - make_interval(days => $1),
        first_failure_at = first_failure_at - make_interval(days => $1)`,
      [days]
    )
  }, name)
}

/** Returns the federation tables of both instances as text, for the message of a failing test. */
export async function dumpFederationTables({ sides }: InstancePair): Promise<string> {
  const queries = {
    videos: `SELECT url, name, remote, privacy, federated, publications, gone_at, refreshed_at, remote_updated_at, counters_due_at,
      around_due_at FROM videos ORDER BY url`,
    outgoing: 'SELECT id, type, subject, fanned_out_at, created_at FROM outgoing ORDER BY id DESC LIMIT 30',
    deliveries: 'SELECT * FROM deliveries ORDER BY id DESC LIMIT 30',
    peers: 'SELECT * FROM peers',
    tombstones: 'SELECT * FROM tombstones ORDER BY created_at DESC LIMIT 20',
    outboxes: 'SELECT url, outbox_read_at, outbox_next, outbox_cursor FROM actors WHERE host IS NOT NULL',
    incoming: 'SELECT activity_id, type, attempts, outcome, created_at, done_at FROM incoming ORDER BY id DESC LIMIT 40'
  }
  const dumps = await Promise.all(
    sides.map(
      async ({ peer }, index) =>
        await withTestDatabase(async client => {
          const lines = [`Side ${'AB'[index]}, ${peer.host}:`]
          for (const [title, query] of Object.entries(queries))
            lines.push(title, ...(await client.query(query)).rows.map(row => `  ${JSON.stringify(row)}`))
          return lines.join('\n')
        }, peer.database)
    )
  )
  return dumps.join('\n')
}

const randomOwnVideo = (side: PairedInstance, random: () => number): string => side.videos[Math.floor(random() * side.videos.length)]!

async function randomVisibleVideo({ peer }: PairedInstance, random: () => number): Promise<{ id: number } | null> {
  const { json } = await peer.call('GET /videos?count=100')
  const videos = json.data as { id: number }[]
  return videos[Math.floor(random() * videos.length)] ?? null
}
