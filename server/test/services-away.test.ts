import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from './instance.ts'
import { startOwnServices, type OwnServices } from './own-services.ts'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'
import { uploadVideo, waitForTranscoding } from './upload.ts'
import { formatTraffic, startUserTraffic, type TrafficSummary, type UserTraffic } from './user-traffic.ts'

/** How long (s) a service is away; `scripts/soak services` makes it longer and prints what the users saw. */
const AWAY = Number(process.env.SERVICES_AWAY ?? 4)

let services: OwnServices
let site: PeerInstance
let traffic: UserTraffic
let ada: Awaited<ReturnType<PeerInstance['user']>>
let video: {
  uuid: string
  shortUUID: string
  id: number
  thumbnailPath: string
  streamingPlaylists: { playlistUrl: string; files: { fileUrl: string }[] }[]
}
beforeAll(async () => {
  services = await startOwnServices()
  site = await startPeerInstance({
    ...services.config,
    log: { level: 'info' },
    rates_limit: { login: { window: '5 minutes', max: 3 } },
    views: { videos: { count_view_after: '1 second' } }
  })
  ada = await site.user('ada')
  const { uuid } = await uploadVideo(site, ada)
  video = await waitForTranscoding(site, ada, uuid)
  const [playlist] = video.streamingPlaylists
  const files = [playlist!.playlistUrl, ...playlist!.files.map(file => file.fileUrl)].map(url => new URL(url).pathname)
  traffic = startUserTraffic(site, uuid, ada.token, [...files, video.thumbnailPath])
  await sleep(1500)
}, 120_000)
afterAll(async () => {
  await traffic?.stop()
  await site?.stop()
  await services?.stop()
})

/** Runs `act` while a service is away; returns what ten users saw meanwhile. At most a line per second may tell it in the log. */
async function whileAway(
  phase: string,
  stop: () => Promise<void>,
  start: () => Promise<void>,
  act: () => Promise<void>
): Promise<Record<string, TrafficSummary>> {
  traffic.takeSummary()
  const lines = site.log.length
  const startedAt = Date.now()
  await stop()
  try {
    await act()
    await sleep(Math.max(0, startedAt + AWAY * 1000 - Date.now()))
  } finally {
    await start()
  }
  const seen = traffic.takeSummary()
  const log = site.log.slice(lines)
  expect(log.filter(line => /^\s+at |"stack"/.test(line))).toEqual([])
  expect(log.length).toBeLessThanOrEqual((Date.now() - startedAt) / 1000 + 8)
  if (process.env.SERVICES_AWAY) console.info('\n' + formatTraffic(phase, seen))
  return seen
}

/** Waits until every user is served again, as before. */
async function expectHealed(phase: string): Promise<void> {
  await eventually(async () => (await site.call('GET /videos?search=healed')).status === 200)
  await eventually(async () => (await site.call('GET /server/health', { token: await rootToken() })).json?.redis)
  traffic.takeSummary()
  await sleep(1000)
  const seen = traffic.takeSummary()
  if (process.env.SERVICES_AWAY) console.info('\n' + formatTraffic(phase, seen))
  for (const { requests, statuses } of Object.values(seen)) expect(statuses).toEqual({ 200: requests })
}

let root: string | undefined
const rootToken = async (): Promise<string> => (root ??= await site.login())

const passwordLogin = async () =>
  (
    await site.call('POST /users/token', {
      form: { ...(await site.call('GET /oauth-clients/local')).json, grant_type: 'password', username: 'ada', password: 'wrong' }
    })
  ).status

describe.each([
  ['Redis frozen', async () => await services.redis.freeze(), async () => await services.redis.resume()],
  ['Redis killed', async () => await services.redis.kill(), async () => await services.redis.start()]
] as const)('%s', (phase, stop, start) => {
  it('the site goes on; limits and views are counted by the process', async () => {
    await rootToken()
    const views = async () => (await site.call(`GET /videos/${video.uuid}`)).json.views as number
    const before = await views()
    const seen = await whileAway(phase, stop, start, async () => {
      const statuses: number[] = []
      for (let attempt = 0; attempt < 5; attempt++) statuses.push(await passwordLogin())
      // What the process has counted itself earlier counts, too.
      expect(statuses.at(-1)).toBe(429)
      expect(statuses.filter(status => status !== 429 && status !== 400)).toEqual([])
      for (const currentTime of [0, 1, 2])
        expect(
          (await site.call(`POST /videos/${video.uuid}/views`, { body: { currentTime, sessionId: phase.replace(' ', '-') } })).status
        ).toBe(204)
      expect(
        (await site.call('POST /server/debug/run-command', { token: root, body: { command: 'process-video-views-buffer' } })).json
      ).toMatchObject({
        status: 503,
        code: 'redis_unavailable'
      })
      const health = await site.call('GET /server/health', { token: root })
      expect(health.json.faults.map((fault: { code: string }) => fault.code)).toContain('redis_gone')
    })
    expect(Object.keys(seen).sort()).toEqual(['comments', 'lists', 'pages', 'segments'])
    for (const { requests, statuses, slowest } of Object.values(seen)) {
      expect(statuses).toEqual({ 200: requests })
      // Once a command has failed none is waited for.
      expect(slowest).toBeLessThan(9000)
    }
    await expectHealed(`${phase}, back`)
    if (before === 0)
      await eventually(async () => {
        await site.call('POST /server/debug/run-command', { token: root, body: { command: 'process-video-views-buffer' } })
        return (await views()) === 1
      })
  }, 120_000)
})

describe.each([
  ['Postgres frozen', async () => await services.postgres.freeze(), async () => await services.postgres.resume()],
  ['Postgres killed', async () => await services.postgres.kill(), async () => await services.postgres.start()]
] as const)('%s', (phase, stop, start) => {
  it('what is watched goes on, and everything else says that the site is briefly unavailable', async () => {
    const html = { accept: 'text/html', 'accept-language': 'fr' }
    const seen = await whileAway(phase, stop, start, async () => {
      const [page, list, comment, inbox, segment] = await Promise.all([
        site.call(`GET //w/${video.shortUUID}?away`, { headers: html }),
        site.call('GET /videos?search=away'),
        site.call(`POST /videos/${video.uuid}/comment-threads`, { token: ada.token, body: { text: 'lost' } }),
        site.call('POST //accounts/ada/inbox', {
          headers: { 'content-type': 'application/activity+json', signature: 'keyId="https://a.example/key"' },
          body: { id: 'https://a.example/1', type: 'Like', actor: 'https://a.example/a', object: 'https://b.example' }
        }),
        site.call(`GET /${new URL(video.streamingPlaylists[0]!.files[0]!.fileUrl).pathname}`, { headers: { range: 'bytes=0-99' } })
      ])
      expect([page!.status, page!.headers.get('retry-after'), page!.headers.get('content-type')]).toEqual([
        503,
        '5',
        'text/html; charset=utf-8'
      ])
      expect(page!.text).toContain('momentanément indisponible')
      for (const { status, json, headers } of [list!, comment!])
        expect([status, json.code, headers.get('retry-after')]).toEqual([503, 'database_unavailable', '5'])
      // A sender gives up an inbox of which it hears 404.
      expect([inbox!.status, inbox!.headers.has('retry-after')]).toEqual([503, true])
      expect(segment!.status).toBe(206)
      const startedAt = Date.now()
      expect((await site.call('GET /videos?search=again')).status).toBe(503)
      expect(Date.now() - startedAt).toBeLessThan(1000)
    })
    expect(Object.keys(seen.segments!.statuses)).toEqual(['200'])
    for (const { statuses, slowest } of Object.values(seen)) {
      expect(Object.keys(statuses).filter(status => status !== '200' && status !== '503')).toEqual([])
      expect(slowest).toBeLessThan(9000)
    }
    await expectHealed(`${phase}, back`)
    const { json } = await site.call(`GET /videos/${video.uuid}/comment-threads?sort=-createdAt`)
    expect(json.data.map((thread: { text: string }) => thread.text)).not.toContain('lost')
  }, 120_000)
})

it('a stop ends within seconds while Postgres is frozen', async () => {
  await traffic.stop()
  await services.postgres.freeze()
  try {
    await sleep(2000)
    const startedAt = Date.now()
    await site.stop()
    expect(Date.now() - startedAt).toBeLessThan(15_000)
  } finally {
    await site.kill()
    await services.postgres.resume()
  }
}, 60_000)
