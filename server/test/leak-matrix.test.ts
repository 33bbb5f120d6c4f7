import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { evictVideoAccessInfo } from '../videos/public-file-cache.ts'
import { eventually, startTestInstance, type TestInstance } from './instance.ts'
import {
  addRedundancy,
  LEAK_PASSWORD,
  leakAddresses,
  makeLeakWorld,
  readFileNames,
  type LeakWorld,
  type LeakFileNames
} from './leak-addresses.ts'
import { ABOUT_VIDEOS, SAYS_NOTHING, VIEWERS, VISIBILITY, type LeakKind, type LeakViewer, type Visibility } from './leak-matrix.ts'
import { startSecondProcess, type SecondProcess } from './second-process.ts'
import { listSiteRoutes } from './site-routes.ts'

const OVERRIDES = {
  checkPublishedMedia: false,
  transcoding: { preset: 'ultrafast', resolutions: { '240p': true }, original_file: { keep: true } },
  storyboards: { enabled: true },
  internals: { torrents: { interval: 300 }, renames: { interval: 300 } }
}
let site: TestInstance
let second: SecondProcess
let world: LeakWorld
beforeAll(async () => {
  site = await startTestInstance(OVERRIDES)
  world = await makeLeakWorld(site)
  second = await startSecondProcess(site, { transcoding: OVERRIDES.transcoding })
}, 240_000)
afterAll(async () => {
  await second?.kill()
  await site?.stop()
})

describe('the table', () => {
  it('has every route of the site, in one of its parts', () => {
    const routes = listSiteRoutes().filter(route => !/^(PUT|POST|DELETE|PATCH) \/api/.test(route) || route in ABOUT_VIDEOS)
    expect([...Object.keys(ABOUT_VIDEOS), ...Object.keys(SAYS_NOTHING)].sort()).toEqual(routes.sort())
  })
})

type Answer = { status: number; text: string; cacheControl: string }

async function ask(address: string, method: string, headers: Record<string, string>, base = site.url): Promise<Answer> {
  const post =
    method === 'POST'
      ? { body: JSON.stringify({ currentTime: 0 }), headers: { ...headers, 'content-type': 'application/json' } }
      : { headers }
  const response = await fetch(base + address, { method, redirect: 'manual', ...post })
  const text = Buffer.from(await response.arrayBuffer()).toString('latin1')
  const written = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n')
  return { status: response.status, text: `${written}\n${text}`, cacheControl: response.headers.get('cache-control') ?? '' }
}

/** What a request of a viewer carries. */
const credentials = (viewer: LeakViewer): Record<string, string> =>
  viewer === 'nobody'
    ? {}
    : viewer === 'holder'
      ? { 'x-peertube-video-password': LEAK_PASSWORD }
      : { authorization: `Bearer ${world.tokens[viewer]}` }

const acceptOf = (kind: LeakKind, route: string): string =>
  kind === 'peer' || /outbox$|^GET \/video-playlists\/:id|playlist\/:id$/.test(route) ? 'application/activity+json' : 'text/html, */*'

const isByNumber = (address: string) => new RegExp(`/videos/${world.id}(/|$)`).test(address)
const isNamedIn = (address: string) => [world.uuid, world.shortUUID].some(word => address.includes(word))

/** Whether an answer may name the video. */
function maySee(
  kind: LeakKind,
  viewer: LeakViewer,
  { watch, lists, known, pages, peers, privacy }: Visibility,
  { state, address }: { state: string; address: string }
): boolean {
  const manages = viewer === 'owner' || viewer === 'moderator'
  switch (kind) {
    case 'watch':
      // Numbers can be guessed.
      return manages || (isByNumber(address) && ['unlisted', 'not yet published'].includes(state) ? false : watch.includes(viewer))
    case 'file':
    case 'elements':
      return watch.includes(viewer)
    case 'manage':
      return manages
    case 'list':
      // The search finds what it is given the address of.
      return lists.includes(viewer) || (isNamedIn(address) && watch.includes(viewer))
    case 'index':
      return state === 'public' && privacy === 1
    case 'known':
      return known.includes(viewer)
    case 'mine':
      return viewer === 'owner'
    case 'moderation':
      return viewer === 'moderator'
    case 'page':
      return pages
    case 'peer':
      return peers
  }
}

/** What must not be told: of the words of an address what it is answered with is no news. */
function secretsFor(address: string, title: string, names: LeakFileNames, route: string): string[] {
  const { file: _, ...files } = names
  const uuids = isNamedIn(address) || route === 'GET /api/v1/users/me/abuses' ? [] : [world.uuid, world.shortUUID]
  return [title, ...uuids, ...Object.values(files).flat()].filter(word => !decodeURIComponent(address).includes(word))
}

/** Gives the video a state, and returns its new title. */
async function setState(state: string): Promise<string> {
  const name = `Secret ${crypto.randomUUID()}`
  const { privacy } = VISIBILITY[state]!
  await world.call(`PUT /videos/${world.uuid}`, world.tokens.owner, {
    name,
    privacy,
    scheduleUpdate: state === 'scheduled' ? { updateAt: new Date(Date.now() + 86_400_000).toISOString(), privacy: 1 } : null,
    ...(privacy === 5 ? { videoPasswords: [LEAK_PASSWORD] } : {})
  })
  if (state === 'not yet published') {
    await runQuery(sql`UPDATE videos SET state = 2, wait_transcoding = true WHERE id = ${world.id}`)
    evictVideoAccessInfo(world.uuid)
  }
  return name
}
const publish = async () => {
  await runQuery(sql`UPDATE videos SET state = 1, wait_transcoding = false WHERE id = ${world.id}`)
  const title = await setState('public')
  await addRedundancy(world)
  return title
}

/** Waits until the torrents that are discarded with old names are made again. */
const waitForTorrents = async () =>
  await eventually(async () => {
    const due = await runQuery(sql`SELECT FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
      WHERE p.video_id = ${world.id} AND (f.torrents_due_at IS NOT NULL OR p.rename_due)`)
    return due.length === 0
  })

const REFUSED = [401, 403, 404]
const isClosed = (state: string) => ![1, 2].includes(VISIBILITY[state]!.privacy)

describe.each(Object.keys(VISIBILITY))('a video that is %s', state => {
  let title: string
  let names: LeakFileNames
  let before: { address: string; method: string; kind: LeakKind }[] = []
  beforeAll(async () => {
    const publicTitle = await publish()
    await waitForTorrents()
    const publicNames = await readFileNames(world)
    before = Object.entries(ABOUT_VIDEOS).flatMap(([route, kind]) =>
      ['watch', 'file'].includes(kind)
        ? leakAddresses(route, world, publicNames, publicTitle).map(address => ({ address, method: route.split(' ')[0]!, kind }))
        : []
    )
    if (isClosed(state)) {
      // They are in the caches of both processes.
      for (const { address, method } of before.filter(one => one.method === 'GET'))
        for (const base of [site.url, second.url]) {
          const { status } = await ask(address, method, {}, base)
          if (!address.includes('/rating')) expect([address, status < 300]).toEqual([address, true])
        }
    }
    title = await setState(state)
    if (isClosed(state)) await expectRefusedAtOnce()
    // A video that is closed has none: its documents are asked for as if it had been kept.
    await addRedundancy(world)
    await waitForTorrents()
    names = await readFileNames(world)
  }, 120_000)

  /** No address from before is open to anybody, in this process at once, in another one within its second. */
  async function expectRefusedAtOnce(): Promise<void> {
    const changedAt = performance.now()
    const readStatuses = async (base: string) =>
      await Promise.all(before.map(async ({ address, method }) => [address, (await ask(address, method, {}, base)).status] as const))
    const open = (statuses: (readonly [string, number])[]) => statuses.filter(([, status]) => !REFUSED.includes(status))
    expect(open(await readStatuses(site.url))).toEqual([])
    await new Promise(resolve => setTimeout(resolve, Math.max(0, 1500 - (performance.now() - changedAt))))
    expect(open(await readStatuses(second.url))).toEqual([])
  }

  it.each(Object.entries(ABOUT_VIDEOS))('%s (%s)', async (route, kind) => {
    const method = route.split(' ')[0]!
    const wrong: string[] = []
    // The document of a playlist names its elements, and those the videos.
    const isDocument = ['GET /video-playlists/:id', 'GET /videos/watch/playlist/:id'].includes(route)
    for (const address of leakAddresses(route, world, names, title)) {
      for (const viewer of VIEWERS) {
        const allowed = maySee(kind, viewer, VISIBILITY[state]!, { state, address })
        const headers = { accept: acceptOf(kind, route), ...credentials(viewer) }
        const { status, text, cacheControl } = await ask(address, method, headers)
        const what = `${method} ${address} for ${viewer}: ${status}`
        const told = secretsFor(address, title, names, route).filter(secret => text.includes(secret))
        if (!allowed && told.length > 0) wrong.push(`${what} tells ${told.join(', ')}`)
        if (!allowed && ['watch', 'file', 'manage', 'peer'].includes(kind) && !REFUSED.includes(status)) wrong.push(`${what}, not refused`)
        if (status >= 500) wrong.push(what)
        if (isClosed(state) && /public/.test(cacheControl) && (['watch', 'file', 'manage'].includes(kind) || told.length > 0))
          wrong.push(`${what} is for public caches: ${cacheControl}`)
        if (allowed && isAnswered(kind, route, viewer, state) && status >= 300) wrong.push(`${what}, not answered`)
        if (state === 'public' && allowed && ['list', 'index', 'elements', 'mine'].includes(kind) && !isDocument && !showsVideo(text))
          wrong.push(`${what} does not show it`)
      }
    }
    expect(wrong).toEqual([])
  })

  it.each(Object.entries(ABOUT_VIDEOS).filter(([, kind]) => kind === 'file'))('%s with a file token', async route => {
    const foreign = (await world.call(`POST /videos/${world.openUuid}/token`, world.tokens.other)).files.token as string
    for (const address of leakAddresses(route, world, names, title)) {
      const withToken = async (token: string) =>
        await ask(`${address}${address.includes('?') ? '&' : '?'}videoFileToken=${token}`, 'GET', {})
      for (const viewer of VIEWERS.filter(one => VISIBILITY[state]!.watch.includes(one) && isAnswered('watch', '/token', one, state))) {
        const { text } = await ask(`/api/v1/videos/${world.uuid}/token`, 'POST', credentials(viewer))
        const { status, cacheControl } = await withToken(/"token":"([^"]+)"/.exec(text)![1]!)
        const what = `${address} with the token of ${viewer}`
        if (state !== 'not yet published') expect([what, status < 300]).toEqual([what, true])
        if (isClosed(state)) expect([what, cacheControl]).toEqual([what, expect.not.stringMatching(/public/)])
      }
      if (isClosed(state)) expect([address, REFUSED.includes((await withToken(foreign)).status)]).toEqual([address, true])
    }
  })

  /** All that there is of a video shows it, or its picture. */
  const showsVideo = (text: string): boolean => [title, world.uuid, world.shortUUID, ...names.thumbnails].some(word => text.includes(word))
})

/** Whether somebody who is allowed gets an answer: ratings and tokens are for accounts, and for those who hold a password. */
function isAnswered(kind: LeakKind, route: string, viewer: LeakViewer, state: string): boolean {
  if (kind === 'watch' || kind === 'file') {
    if (state === 'not yet published' && kind === 'file') return false
    const hasAccount = viewer === 'owner' || viewer === 'other' || viewer === 'moderator'
    if (route.startsWith('GET /api/v1/users/me')) return hasAccount
    if (route.endsWith('/token')) return hasAccount || VISIBILITY[state]!.privacy === 5
    return true
  }
  return kind === 'manage' || (kind === 'peer' && state === 'public' && !NOT_GIVEN.test(route))
}

/** What nobody gave the video. */
const NOT_GIVEN = /dislikes\/:id$|quote-authorizations/
