import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from './instance.ts'
import { uploadVideo, waitForTranscoding } from './upload.ts'

/** What a client needs of an answer: where it looks (`[]`: in every entry of a list, which must not be empty), and what it must find. */
type Need = [where: string, what: keyof typeof KINDS]
const isText = (value: unknown) => typeof value === 'string' && value !== ''
const KINDS = {
  text: isText,
  'text or null': (value: unknown) => value === null || typeof value === 'string',
  number: (value: unknown) => typeof value === 'number' && Number.isFinite(value),
  'positive number': (value: unknown) => typeof value === 'number' && value > 0,
  boolean: (value: unknown) => typeof value === 'boolean',
  list: Array.isArray,
  time: (value: unknown) => isText(value) && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value as string),
  path: (value: unknown) => isText(value) && (value as string).startsWith('/'),
  url: (value: unknown) => isText(value) && URL.canParse(value as string)
}

const EVERY_FILE = ['files[]', 'streamingPlaylists[].files[]']
const CARD: Need[] = [
  ['uuid', 'text'],
  ['name', 'text'],
  ['thumbnailPath', 'path'],
  ['publishedAt', 'time'],
  ['duration', 'number'],
  ['views', 'number'],
  ['isLive', 'boolean'],
  ['account.name', 'text'],
  ['account.host', 'text'],
  ['account.displayName', 'text'],
  ['account.avatars', 'list'],
  ['channel.displayName', 'text'],
  ['channel.url', 'url']
]
const inList = (needs: Need[]): Need[] => [['total', 'number'], ...needs.map(([where, what]): Need => [`data[].${where}`, what])]
const details: Need[] = [
  ...CARD,
  ['url', 'url'],
  ['description', 'text or null'],
  ['support', 'text or null'],
  ['likes', 'number'],
  ['dislikes', 'number'],
  ['nsfw', 'boolean'],
  ['tags', 'list'],
  ['category.label', 'text'],
  ['licence.label', 'text'],
  ['privacy.id', 'number'],
  ['streamingPlaylists[].playlistUrl', 'url'],
  ...EVERY_FILE.flatMap((file): Need[] => [
    [`${file}.fileUrl`, 'url'],
    [`${file}.torrentUrl`, 'url'],
    [`${file}.resolution.id`, 'number'],
    [`${file}.resolution.label`, 'text'],
    [`${file}.size`, 'positive number'],
    [`${file}.fps`, 'number']
  ])
]
const channel: Need[] = [
  ['name', 'text'],
  ['host', 'text'],
  ['displayName', 'text'],
  ['description', 'text or null'],
  ['followersCount', 'number'],
  ['avatars', 'list'],
  ['url', 'url']
]
const comment: Need[] = [
  ['id', 'number'],
  ['text', 'text'],
  ['createdAt', 'time'],
  ['totalReplies', 'number'],
  ['account.displayName', 'text'],
  ['account.avatars', 'list']
]

/**
 * The requests of apps and the fields they read, by what their documentation and reports of failures of theirs say: NewPipe gives up on a
 * video as soon as one is missing ("Unable to get name", "Could not get any stream").
 */
const CLIENTS: Record<string, Record<string, Need[]>> = {
  // https://github.com/TeamNewPipe/NewPipeExtractor/issues/79, /342, /388
  NewPipe: {
    'GET /config': [['instance.name', 'text']],
    'GET /videos/UUID': details,
    'GET /videos?count=12': inList(CARD),
    'GET /search/videos?search=film': inList(CARD),
    'GET /accounts/alice': channel,
    'GET /accounts/alice/videos': inList(CARD),
    'GET /video-channels/alice_channel': [...channel, ['ownerAccount.displayName', 'text']],
    'GET /video-channels/alice_channel/videos': inList(CARD),
    'GET /accounts/alice/video-channels': inList(channel),
    'GET /videos/UUID/comment-threads': inList(comment)
  },
  // https://github.com/futo-org/grayjay-android/issues/536
  Grayjay: {
    'GET /config': [
      ['instance.name', 'text'],
      ['serverVersion', 'text']
    ],
    'GET /videos/UUID': [
      ...CARD,
      ['streamingPlaylists[].playlistUrl', 'url'],
      ...EVERY_FILE.flatMap((file): Need[] => [
        [`${file}.fileUrl`, 'url'],
        [`${file}.width`, 'number'],
        [`${file}.height`, 'number']
      ])
    ],
    'GET /videos?sort=-publishedAt': inList(CARD),
    'GET /search/videos?search=film&sort=-match': inList(CARD),
    'GET /search/video-channels?search=alice': inList(channel),
    'GET /video-channels/alice_channel': channel,
    'GET /videos/UUID/comment-threads': inList(comment)
  }
}

let site: TestInstance
let uuid: string
beforeAll(async () => {
  site = await startTestInstance({ transcoding: { web_videos: { enabled: true } } })
  const alice = await site.user('alice', { channelName: 'alice_channel' })
  uuid = (await uploadVideo(site, alice, { name: 'A film', description: 'Words', category: 2, licence: 1 })).uuid
  await waitForTranscoding(site, alice, uuid)
  await site.call(`POST /videos/${uuid}/comment-threads`, { token: alice.token, body: { text: 'Hello' } })
}, 300_000)
afterAll(async () => await site?.stop())

const needs = Object.entries(CLIENTS).flatMap(([client, requests]) =>
  Object.entries(requests).flatMap(([request, list]) => list.map(([where, what]) => ({ client, request, where, what })))
)
const unmetNeeds = async ({ request, where, what }: (typeof needs)[number]) => {
  const { status, json } = await site.call(request.replace('UUID', uuid))
  if (status !== 200) return [`status ${status}`]
  const values = valuesAt(json, where.split('.'))
  if (values.length === 0) return [`${where}: an empty list`]
  return values.filter(value => !KINDS[what](value)).map(value => `${where}: ${JSON.stringify(value)} is not ${what}`)
}

describe.each(Object.keys(CLIENTS))('%s finds', client => {
  it.each(needs.filter(need => need.client === client))('$what at $where of $request', async need => {
    expect(await unmetNeeds(need)).toEqual([])
  })
})

it('every file and playlist that clients are told of can be fetched in parts', async () => {
  const { json } = await site.call(`GET /videos/${uuid}`)
  const urls = [...valuesAt(json, ['files[]', 'fileUrl']), ...valuesAt(json, ['streamingPlaylists[]', 'files[]', 'fileUrl'])] as string[]
  expect(urls.length).toBeGreaterThan(1)
  for (const url of urls) {
    const response = await fetch(url, { headers: { range: 'bytes=0-99' } })
    expect([url, response.status, response.headers.get('content-type'), (await response.arrayBuffer()).byteLength]).toEqual([
      url,
      206,
      'video/mp4',
      100
    ])
  }
  for (const url of valuesAt(json, ['streamingPlaylists[]', 'playlistUrl']) as string[])
    expect(await (await fetch(url)).text()).toMatch(/^#EXTM3U/)
})

/** All values at a path; `[]` after a name means every entry of its list. */
function valuesAt(value: unknown, [name, ...rest]: string[]): unknown[] {
  if (name === undefined) return [value]
  const inner = (value as Record<string, unknown> | null)?.[name.replace('[]', '')]
  return name.endsWith('[]') ? ((inner as unknown[] | undefined) ?? []).flatMap(entry => valuesAt(entry, rest)) : valuesAt(inner, rest)
}
