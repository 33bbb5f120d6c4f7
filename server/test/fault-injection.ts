import { inject } from 'vitest'
import { Redis } from 'ioredis'
import { withTestDatabase, eventually } from './instance.ts'
import type { PeerInstance } from './peer-instance.ts'

/** Two instances that follow each other, each with a person and some videos. */
export type InstancePair = { sides: [PairedInstance, PairedInstance] }
/** One of them. */
export type PairedInstance = { peer: PeerInstance; token: string; channelId: number; videos: string[] }

/** What another instance should have of one: everything a viewer can see of it. */
export type VisibleVideos = { [videoUrl: string]: { name: string; likes: number; dislikes: number; comments: string[] } }

/** Short times, so that what takes hours outside takes seconds here. */
export const SHORT_INTERVALS = {
  federation: {
    inbox: { retry_delay: 200, lease: 2000, check_interval: 300, views_interval: 500 },
    outbox: {
      retry_delay: 200,
      max_retry_delay: 1000,
      lease: 2000,
      check_interval: 300,
      timeout: 2000,
      connect_timeout: 1000,
      breaker: { failures: 5, window: '10 minutes', pause: 500, max_pause: 1000 }
    },
    fetch: { timeout: 3000, connect_timeout: 1000, headers_timeout: 2000, redirects_timeout: 4000 },
    videos: { counters_interval: 300 },
    crawl: { interval: 1500 }
  },
  jobs: { timers_interval: 500 }
}

/** Numbers between 0 and 1 that are the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What people do in a schedule; a refusal (the other side is down, the video is gone) is part of life. */
const ACTS = {
  rename: async (side, _other, random) => {
    await side.peer.call(`PUT /videos/${mine(side, random)}`, { token: side.token, body: { name: `Film ${Math.floor(random() * 1e6)}` } })
  },
  hide: async (side, _other, random) => {
    await side.peer.call(`PUT /videos/${mine(side, random)}`, { token: side.token, body: { privacy: random() < 0.5 ? 1 : 3 } })
  },
  comment: async (side, _other, random) => {
    const video = await anyVideo(side, random)
    if (video)
      await side.peer.call(`POST /videos/${video.id}/comment-threads`, {
        token: side.token,
        body: { text: `Word ${Math.floor(random() * 1e6)}` }
      })
  },
  uncomment: async (side, _other, random) => {
    const video = await anyVideo(side, random)
    const threads = video
      ? ((await side.peer.call(`GET /videos/${video.id}/comment-threads`)).json?.data as
          | { id: number; isDeleted: boolean; account: { name: string; host: string } | null }[]
          | undefined)
      : undefined
    const own = threads?.filter(thread => !thread.isDeleted && thread.account?.host === side.peer.host)
    if (video && own?.length)
      await side.peer.call(`DELETE /videos/${video.id}/comments/${own[Math.floor(random() * own.length)]!.id}`, { token: side.token })
  },
  rate: async (side, _other, random) => {
    const video = await anyVideo(side, random)
    if (video)
      await side.peer.call(`PUT /videos/${video.id}/rate`, {
        token: side.token,
        body: { rating: ['like', 'dislike', 'none'][Math.floor(random() * 3)] }
      })
  }
} satisfies { [name: string]: (side: PairedInstance, other: PairedInstance, random: () => number) => Promise<void> }

/** What goes wrong. */
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
    side.peer.wire.cut()
  },
  'away for two days': async (side, other) => {
    await side.peer.kill()
    await daysPass(other.peer.database, 2)
  }
} satisfies { [name: string]: (side: PairedInstance, other: PairedInstance) => Promise<void> }

/**
 * Plays a schedule: acts and faults in an order that the seed decides, then everything is mended. Gives what was done, for the message of a
 * failing test.
 */
export async function runFaultSchedule(world: InstancePair, seed: number, length = 12): Promise<string[]> {
  const random = seededRandom(seed)
  const log: string[] = []
  const pick = <T>(list: T[]): T => list[Math.floor(random() * list.length)]!
  const faultsAt = new Set([Math.floor(random() * length), Math.floor(random() * length)])
  for (let step = 0; step < length; step++) {
    const turned = random() < 0.5
    const [side, other] = turned ? [world.sides[1], world.sides[0]] : world.sides
    if (faultsAt.has(step)) {
      const fault = pick(Object.keys(FAULTS) as (keyof typeof FAULTS)[])
      log.push(`${turned ? 'B' : 'A'}: ${fault}`)
      await FAULTS[fault](side, other)
    }
    const act = pick(Object.keys(ACTS) as (keyof typeof ACTS)[])
    log.push(`${turned ? 'B' : 'A'}: ${act}`)
    // Nobody waits for what is down.
    await ACTS[act](side, other, random).catch(() => log.push('  (nobody there)'))
  }
  await Promise.all(
    world.sides.map(async ({ peer }) => {
      peer.wire.mend()
      await peer.start()
    })
  )
  return log
}

/** Waits until nothing is under way between them. */
export async function waitForFederationIdle(world: InstancePair, seconds = 40): Promise<void> {
  let calm = 0
  const tokens = new Map<PeerInstance, string>()
  await eventually(
    async () => {
      const waiting = await Promise.all(
        world.sides.map(async ({ peer }) => {
          const token = tokens.get(peer) ?? (await peer.login().catch(() => null))
          if (!token) return 1
          tokens.set(peer, token)
          const { json } = await peer.call('GET /server/debug', { token })
          return json.outgoing.waiting + json.incoming.waiting
        })
      )
      calm = waiting.every(count => count === 0) ? calm + 1 : 0
      return calm >= 3
    },
    seconds,
    'the two to have told each other everything'
  )
}

/** What somebody sees of the videos of `host` at `peer`. */
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

/** Ends every connection to the database, as a restart of the server does. */
export async function dropDatabaseConnections(name: string): Promise<void> {
  await withTestDatabase(
    async client => await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [name])
  )
}

/** Throws away everything an instance has in Redis. */
export async function wipeRedis(prefix: string): Promise<void> {
  const redis = new Redis({ path: inject('redis').socket })
  try {
    const keys = await redis.keys(`${prefix}:*`)
    if (keys.length > 0) await redis.del(...keys)
  } finally {
    redis.disconnect()
  }
}

/** Lets days pass for what waits in an outbox. */
async function daysPass(name: string, days: number): Promise<void> {
  await withTestDatabase(async client => {
    await client.query(
      'UPDATE deliveries SET created_at = created_at - make_interval(days => $1), not_before = not_before - make_interval(days => $1)',
      [days]
    )
    await client.query(
      'UPDATE peers SET open_until = open_until - make_interval(days => $1), first_failure_at = first_failure_at - make_interval(days => $1)',
      [days]
    )
  }, name)
}

/** What each side has written down of the videos and of what it was told last, for the message of a failing test. */
export async function dumpFederationTables({ sides }: InstancePair): Promise<string> {
  const questions = {
    videos:
      'SELECT url, name, remote, privacy, federated, publications, gone_at, refreshed_at, remote_updated_at, counters_due_at, around_due_at FROM videos ORDER BY url',
    outgoing: 'SELECT id, type, subject, fanned_out_at, created_at FROM outgoing ORDER BY id DESC LIMIT 30',
    deliveries: 'SELECT * FROM deliveries ORDER BY id DESC LIMIT 30',
    peers: 'SELECT * FROM peers',
    tombstones: 'SELECT * FROM tombstones ORDER BY created_at DESC LIMIT 20',
    outboxes: 'SELECT url, outbox_read_at, outbox_next, outbox_cursor FROM actors WHERE host IS NOT NULL',
    incoming: 'SELECT activity_id, type, attempts, outcome, created_at, done_at FROM incoming ORDER BY id DESC LIMIT 40'
  }
  const found = await Promise.all(
    sides.map(
      async ({ peer }, index) =>
        await withTestDatabase(async client => {
          const lines = [`Side ${'AB'[index]}, ${peer.host}:`]
          for (const [title, question] of Object.entries(questions))
            lines.push(title, ...(await client.query(question)).rows.map(row => `  ${JSON.stringify(row)}`))
          return lines.join('\n')
        }, peer.database)
    )
  )
  return found.join('\n')
}

const mine = (side: PairedInstance, random: () => number): string => side.videos[Math.floor(random() * side.videos.length)]!

async function anyVideo({ peer }: PairedInstance, random: () => number): Promise<{ id: number } | null> {
  const { json } = await peer.call('GET /videos?count=100')
  const videos = json.data as { id: number }[]
  return videos[Math.floor(random() * videos.length)] ?? null
}
