import { z } from 'zod'
import type { RouteSpec } from '../../shared/contract.ts'
import { apiContracts } from '../app/contracts.ts'
import { HOSTILE_BODIES, HOSTILE_HEADERS, HOSTILE_VALUES, hostileText, pick, RawNumber } from './fuzz-values.ts'
import { seededRandom } from './seeded-random.ts'

/** Who sends a request: `owner` owns what the fixtures name, `user` is somebody else, and `victim` one who may end its own session or account. */
export type FuzzSender = 'nobody' | 'user' | 'owner' | 'victim' | 'administrator'

/**
 * A request of the fuzz. Path, headers and body hold names of fixtures as `«video»`, or `"«video»"` for a number in JSON, as ids differ from
 * run to run.
 */
export type FuzzRequest = {
  method: string
  path: string
  sender: FuzzSender
  headers: Record<string, string>
  body?: string | Buffer
  /** The route, and what of it is wrong. */
  about: string
}

type Random = () => number
type Body = { [key: string]: unknown }

/** Values of the fixtures by name, see `FuzzRequest`. */
export type Fixtures = Readonly<Record<string, string | number>>

/** Returns the text with the values of the fixtures in it. */
export function withFixtures(text: string, fixtures: Fixtures): string {
  return text
    .replace(/"«(\w+)»"/g, (_, name: string) => JSON.stringify(fixtures[name] ?? null))
    .replace(/«(\w+)»/g, (_, name: string) => String(fixtures[name] ?? name))
}

/** Returns `count` requests that the seed determines: valid ones of which at most one thing is wrong. */
export function* fuzzRequests(count: number, seed: number): Generator<FuzzRequest> {
  const random = seededRandom(seed)
  for (let index = 0; index < count; index++) yield random() < 0.85 ? apiRequest(random) : siteRequest(random)
}

const API_ROUTES = apiContracts.flatMap(contract => Object.entries(contract) as [string, RouteSpec][])

/** What would end the session or the rights of its sender. */
const OF_SENDER_ITSELF = /^(PUT|DELETE) \/users\/me$|^POST \/users\/revoke-token$/

function apiRequest(random: Random): FuzzRequest {
  const [key, spec] = pick(random, API_ROUTES)
  const [method, route] = key.split(' ') as [string, string]
  const required: FuzzSender =
    spec.auth === 'admin' || spec.auth === 'moderator'
      ? 'administrator'
      : spec.auth === 'user'
        ? 'owner'
        : pick(random, ['nobody', 'owner'])
  const sender = random() < 0.8 ? required : pick(random, ['nobody', 'user', 'owner', 'administrator'] as const)
  const query = random() < 0.7 ? ((sample(random, spec.query, { route }) as Body | undefined) ?? {}) : {}
  const params = Object.fromEntries([...route.matchAll(/:(\w+)/g)].map(([, name]) => [name!, sampleParam(random, spec, name!, route)]))
  const body = spec.body ? sample(random, spec.body, { route, name: 'body' }) : undefined
  const places = [
    'nothing',
    'header',
    ...Object.keys(params).flatMap(name => [`path ${name}`, `path ${name}`]),
    ...(spec.query ? ['query', 'query', 'query', 'query'] : ['query']),
    ...(spec.body ? ['field', 'field', 'field', 'field', 'field', 'body'] : []),
    ...(spec.files ? ['form'] : [])
  ]
  const place = pick(random, places)
  const request: FuzzRequest = {
    method,
    path: '',
    sender: OF_SENDER_ITSELF.test(key) && sender !== 'nobody' ? 'victim' : sender,
    headers: {},
    about: `${key}, ${place}`
  }
  const path = route.replace(/:(\w+)/g, (_, name: string) =>
    place === `path ${name}` ? hostileSegment(random, route, name) : encodeText(String(params[name]))
  )
  request.path = `/api/v1${path}${place === 'query' ? hostileQuery(random, query, spec.query) : queryText(query)}`
  if (place === 'header') Object.assign(request.headers, hostileHeader(random))
  if (spec.body || spec.files) setBody(random, request, spec, place, body)
  if (route === '/videos/upload-resumable' && place !== 'header')
    Object.assign(request.headers, {
      'x-upload-content-length': random() < 0.8 ? '1000' : headerText(hostileText(random)),
      'x-upload-content-type': 'video/mp4'
    })
  return request
}

function setBody(random: Random, request: FuzzRequest, spec: RouteSpec, place: string, valid: unknown): void {
  if (place === 'body') {
    request.body = pick(random, HOSTILE_BODIES)
    request.headers['content-type'] = pick(random, [
      'application/json',
      'application/json',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=b'
    ])
    return
  }
  const body = place === 'field' ? withHostileField(random, valid as Body, spec.body) : valid
  const { 'content-type': type } = request.headers
  if (spec.files && (place === 'form' || random() < 0.3)) {
    request.body = formText(random, spec, body, place === 'form')
    request.headers['content-type'] = type ?? 'multipart/form-data; boundary=b'
  } else if (spec.form || random() < 0.08) {
    request.body = isBody(body)
      ? Object.entries(body)
          .map(([name, value]) => `${encodeText(name)}=${encodeText(plainText(value))}`)
          .join('&')
      : ''
    request.headers['content-type'] = type ?? 'application/x-www-form-urlencoded'
  } else if (body !== undefined) {
    request.body = jsonText(body)
    request.headers['content-type'] = type ?? 'application/json'
  }
}

/** The smallest GIF. */
const IMAGE = Buffer.from('R0lGODlhAQABAAAAACwAAAAAAQABAAA=', 'base64').toString('latin1')

function formText(random: Random, spec: RouteSpec, body: unknown, wrong: boolean): Buffer {
  const safe = (text: string) => text.replace(/[\r\n"]/g, ' ')
  const parts = Object.entries(isBody(body) ? body : {}).flatMap(([name, value]) =>
    (Array.isArray(value) ? value.slice(0, 20).map(one => [`${name}[]`, one] as const) : [[name, value] as const]).map(
      ([field, one]) => `--b\r\nContent-Disposition: form-data; name="${safe(field)}"\r\n\r\n${utf8(plainText(one))}\r\n`
    )
  )
  for (const field of Object.keys(spec.files!)) {
    if (random() < 0.3) continue
    const name = wrong ? utf8(safe(hostileText(random))) : 'a.gif'
    const content = wrong ? pick(random, ['', 'x', IMAGE.slice(0, 20), IMAGE, '\0'.repeat(1000)]) : IMAGE
    parts.push(
      `--b\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\nContent-Type: image/gif\r\n\r\n${content}\r\n`
    )
  }
  return Buffer.from(`${parts.join('')}--b--\r\n`, 'latin1')
}

function withHostileField(random: Random, valid: Body, schema: z.ZodType | undefined): Body {
  const body = isBody(valid) ? { ...valid } : {}
  // Also fields that the sample left out.
  const names = [...Object.keys(body), ...objectKeys(schema)]
  const name = random() < 0.05 || names.length === 0 ? hostileText(random) : pick(random, names)
  const before = Object.hasOwn(body, name) ? body[name] : undefined
  if (random() < 0.05) delete body[name]
  else if (isBody(before) && random() < 0.8) define(body, name, withHostileField(random, before, undefined))
  else if (Array.isArray(before) && random() < 0.5) define(body, name, [...before, hostileValue(random, name)])
  else define(body, name, hostileValue(random, name))
  return body
}

const hostileValue = (random: Random, name: string): unknown => (random() < 0.6 ? hostileText(random, name) : pick(random, HOSTILE_VALUES))

/** Sets a member of any name, `__proto__` too. */
const define = (object: object, name: string, value: unknown): void =>
  void Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })

/** The ids of the administrator stay out of what changes users. */
const isAdministrator = (segment: string) => /^[+ ]*0*1(\.0*)?$/.test(segment)

function hostileSegment(random: Random, route: string, name = 'id'): string {
  const segment = pick(random, [
    ...[
      '%',
      '%ff',
      '%00',
      '%ed%a0%80',
      '%2f',
      '%252e%252e',
      '%c0%ae',
      'a'.repeat(3000),
      '%f0%9f%8e%ac'.repeat(40),
      '1,2',
      '1;x=1',
      '1%20',
      '%2B1'
    ],
    ...Array.from({ length: 60 }, () => encodeText(hostileText(random, name)))
  ])
  return route.startsWith('/users/') && isAdministrator(segment) ? '2147483647' : segment
}

function hostileQuery(random: Random, valid: Body, schema: z.ZodType | undefined): string {
  const names = [...new Set([...Object.keys(valid), ...objectKeys(schema)])]
  const name = encodeText(names.length > 0 && random() < 0.9 ? pick(random, names) : hostileText(random))
  const text = hostileText(random, name)
  const value = encodeText(text)
  const wrong = pick(random, [
    ...Array.from({ length: 8 }, () => `${name}=${value}`),
    ...[
      `${name}=1&${name}=${value}`,
      `${name}[]=${value}`,
      `${name}[]=a&${name}[]=${value}`,
      `${name}[a]=${value}`,
      `${name}[a][b][c][d][e][f]=1`
    ],
    ...[
      name,
      `${name}=%`,
      `${name}=%ff%fe`,
      `${name}=%ed%a0%80`,
      `${name}=%c0%80`,
      `${name}[1000000000]=1`,
      `${name}[__proto__]=1`,
      `${name}[`,
      `=${value}`
    ],
    ...[
      `__proto__[x]=1&${name}=${value}`,
      `${name}=1&`.repeat(150),
      `${name}=${'a'.repeat(6000)}`,
      `&&&${name}=${value}&&`,
      `${name};${value}`,
      `?${name}`
    ]
  ])
  const { [decodeURIComponent(name)]: _replaced, ...rest } = valid
  return `${queryText(rest) || '?'}&${wrong}`
}

function hostileHeader(random: Random): Record<string, string> {
  const [name, values] = pick(random, HOSTILE_HEADERS)
  return { [name]: pick(random, values) }
}

const headerText = (text: string) => text.replace(/[^\x20-\x7e]/g, '?')

/** Percent-encodes any text, lone surrogates too. */
function encodeText(text: string): string {
  return text.replace(/«\w+»|[^«]+|«/g, part => (/^«\w+»$/.test(part) ? part : encodeURIComponent(Buffer.from(part).toString())))
}

const utf8 = (text: string) => Buffer.from(text).toString('latin1')

function queryText(query: Body): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map(one => `${encodeText(name)}=${encodeText(plainText(one))}`)
  )
  return pairs.length > 0 ? `?${pairs.join('&')}` : ''
}

function plainText(value: unknown): string {
  return typeof value === 'string'
    ? value
    : value instanceof RawNumber
      ? value.text
      : isBody(value) || Array.isArray(value)
        ? jsonText(value)
        : String(value)
}

function jsonText(value: unknown): string {
  if (value instanceof RawNumber) return value.text
  if (Object.is(value, -0)) return '-0'
  if (Array.isArray(value)) return `[${value.map(jsonText).join()}]`
  if (!isBody(value)) return JSON.stringify(value) ?? 'null'
  return `{${Object.entries(value)
    .map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`)
    .join()}}`
}

const isBody = (value: unknown): value is Body =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof RawNumber)

function objectKeys(schema: z.ZodType | undefined): string[] {
  const inner = schema instanceof z.ZodOptional ? (schema.unwrap() as z.ZodType) : schema
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : []
}

/** Where a value is needed: its name and the route. */
type Place = { route: string; name?: string }

/** Valid values by name, where a schema alone does not tell them. */
function knownValue(random: Random, { route, name = '' }: Place): unknown {
  const unique = () => Math.floor(random() * 1e9).toString(36)
  const known: Record<string, () => unknown> = {
    id: () =>
      route.startsWith('/users')
        ? '«victimId»'
        : route.startsWith('/abuses')
          ? '«abuse»'
          : /ineffective|unsendable/.test(route)
            ? 1
            : pick(random, VIDEOS),
    video: () => ({ id: '«video»' }),
    comment: () => ({ id: '«comment»' }),
    account: () => ({ id: '«accountId»' }),
    commentId: () => pick(random, ['«comment»', '«reply»']),
    threadId: () => '«comment»',
    playlistId: () => pick(random, ['«playlist»', '«playlistUuid»', '«playlistShort»']),
    elementId: () => '«element»',
    channelHandle: () => pick(random, ['«channel»', '«channel»', '«spareChannel»', '«channel»@«host»']),
    name: () => (route.startsWith('/accounts') ? pick(random, ['«owner»', '«user»']) : /channel/.test(route) ? `c${unique()}` : 'A name'),
    accountName: () => pick(random, ['«user»', '«user»@«host»', '«owner»']),
    handle: () => 'somebody@127.0.0.1:9',
    hostOrHandle: () => pick(random, ['127.0.0.1:9', 'somebody@127.0.0.1:9']),
    host: () => pick(random, ['127.0.0.1:9', '«host»']),
    hosts: () => ['127.0.0.1:9'],
    handles: () => (route.startsWith('/server') ? ['somebody@127.0.0.1:9'] : ['«channel»']),
    accounts: () => ['«user»@«host»'],
    uri: () => pick(random, ['«channel»@«host»', '«spareChannel»@«host»']),
    uris: () => ['«channel»@«host»'],
    uuids: () => ['«videoUuid»'],
    videoId: () => '«video»',
    videoIds: () => ['«video»'],
    channelId: () => '«channelId»',
    videoChannelId: () => pick(random, ['«channelId»', null]),
    messageId: () => '«message»',
    session: () => '«session»',
    passwordId: () => '«password»',
    videoFileId: () => '«file»',
    fileId: () => '«file»',
    captionLanguage: () => 'en',
    upload_id: () => '«upload»',
    filename: () => 'film.mp4',
    command: () => pick(random, ['remove-dandling-resumable-uploads', 'process-video-views-buffer', 'x']),
    username: () => (route === '/users/token' ? '«user»' : `u${unique()}`),
    channelName: () => `n${unique()}`,
    email: () => `${unique()}@example.com`,
    password: () => 'password1',
    currentPassword: () => 'password1',
    grant_type: () => 'password',
    client_id: () => '«clientId»',
    client_secret: () => '«clientSecret»',
    language: () => pick(random, ['en', 'fr', null]),
    url: () => 'http://127.0.0.1/x',
    sessionId: () => 'abc',
    jobType: () => 'video-transcoding',
    pluginAuth: () => null,
    role: () => 2,
    since: () => '2024-01-01T00:00:00Z',
    searchTarget: () => 'local',
    search: () => pick(random, ['seed', 'A seed', '"a seed" -b', 'http://127.0.0.1:9/videos/watch/1', '«channel»@«host»'])
  }
  return Object.hasOwn(known, name) ? known[name]!() : undefined
}

const VIDEOS = ['«video»', '«videoUuid»', '«videoShort»', '«privateVideo»', '«passwordVideo»']

function sampleParam(random: Random, spec: RouteSpec, name: string, route: string): unknown {
  const schema = spec.params?.shape[name] as z.ZodType | undefined
  return knownValue(random, { route, name }) ?? sample(random, schema, { route, name })
}

/** Returns a value that the schema accepts; refinements are met by the names of fields. */
function sample(random: Random, schema: z.ZodType | undefined, place: Place): unknown {
  if (!schema) return undefined
  if (place.route.startsWith('/config/custom') && place.name === 'body') return structuredClone(CONFIG)
  if (schema instanceof z.ZodOptional) return random() < 0.5 ? undefined : sample(random, schema.unwrap() as z.ZodType, place)
  const known = knownValue(random, place)
  if (known !== undefined) return known
  if (schema instanceof z.ZodNullable) return random() < 0.2 ? null : sample(random, schema.unwrap() as z.ZodType, place)
  if (schema instanceof z.ZodPipe) {
    const [input, output] = [schema.in as z.ZodType, schema.out as z.ZodType]
    return sample(random, input instanceof z.ZodTransform ? output : input, place)
  }
  if (schema instanceof z.ZodObject) {
    const members = Object.entries(schema.shape as Record<string, z.ZodType>).map(
      ([name, member]) => [name, sample(random, member, { ...place, name })] as const
    )
    return Object.fromEntries(members.filter(([, value]) => value !== undefined))
  }
  if (schema instanceof z.ZodArray)
    return Array.from({ length: 1 + Math.floor(random() * 2) }, () => sample(random, schema.element as z.ZodType, place))
  if (schema instanceof z.ZodEnum) return pick(random, schema.options as string[])
  if (schema instanceof z.ZodLiteral) return pick(random, [...schema.values])
  if (schema instanceof z.ZodUnion) return sample(random, pick(random, schema.options as z.ZodType[]), place)
  if (schema instanceof z.ZodBoolean) return random() < 0.5
  if (schema instanceof z.ZodNumber) {
    const [low, high] = [Math.max(schema.minValue ?? 0, -1), schema.maxValue ?? 1000]
    return low + Math.floor(random() * Math.min(high - low + 1, 20))
  }
  if (schema instanceof z.ZodRecord) return { a: 1 }
  if (schema instanceof z.ZodString) {
    if (schema.format === 'datetime' || /date|At$/i.test(place.name ?? '')) return '2024-01-01T00:00:00Z'
    const text = pick(random, ['A text of some length', 'Größe 𝒜', 'ab cd'])
    return text.padEnd(schema.minLength ?? 0, 'x').slice(0, schema.maxLength ?? 100)
  }
  return pick(random, ['a', 1, null, true])
}

const CONFIG = {
  instance: {
    name: 'A site',
    shortDescription: 'Short',
    description: 'Long',
    terms: '',
    codeOfConduct: '',
    languages: ['en'],
    categories: [1],
    isNSFW: false,
    defaultNSFWPolicy: 'blur'
  },
  signup: { enabled: true, limit: 10, minimumAge: 16 },
  user: { videoQuota: -1, videoQuotaDaily: 1_000_000 },
  transcoding: { enabled: true, originalFile: { keep: true }, resolutions: { '480p': true, '1080p': false } }
}

/** Addresses outside the API. */
const SITE_ROUTES = [
  ...[
    '/',
    '/about',
    '/about/instance',
    '/videos/trending',
    '/search?search=x',
    '/login',
    '/signup',
    '/admin',
    '/my-account',
    '/nowhere',
    '/robots.txt',
    '/manifest.webmanifest',
    '/sw.js'
  ],
  ...[
    '/w/:video',
    '/videos/watch/:video',
    '/videos/embed/:video',
    '/w/p/:playlist',
    '/video-playlists/embed/:playlist',
    '/c/:channel',
    '/c/:channel/videos',
    '/a/:account',
    '/@:account'
  ],
  ...[
    '/accounts/:account',
    '/accounts/:account/outbox?page=1',
    '/accounts/:account/followers?page=1',
    '/accounts/:account/following?page=1',
    '/accounts/:account/playlists?page=1'
  ],
  ...[
    '/video-channels/:channel',
    '/video-channels/:channel/outbox?page=1',
    '/video-channels/:channel/followers?page=1',
    '/video-channels/:channel/playlists?page=1',
    '/accounts/:account/likes/:video'
  ],
  ...[
    '/videos/watch/:video/activity',
    '/videos/watch/:video/likes?page=1',
    '/videos/watch/:video/dislikes?page=1',
    '/videos/watch/:video/comments?page=1',
    '/videos/watch/:video/announces?page=1'
  ],
  ...[
    '/videos/watch/:video/comments/:comment',
    '/videos/watch/:video/comments/:comment/activity',
    '/videos/watch/:video/announces/:number',
    '/videos/watch/:video/chapters',
    '/videos/watch/:video/quote-authorizations/:number'
  ],
  ...[
    '/video-playlists/:playlist',
    '/video-playlists/:playlist/videos/:number',
    '/redundancy/streaming-playlists/hls/:video',
    '/outbox',
    '/inbox'
  ],
  ...[
    '/.well-known/webfinger?resource=acct:«owner»@«host»',
    '/.well-known/host-meta',
    '/.well-known/nodeinfo',
    '/nodeinfo/:version.json',
    '/.well-known/security.txt',
    '/.well-known/change-password'
  ],
  ...[
    '/services/oembed?url=http://«host»/w/«videoShort»&format=json&maxwidth=100&maxheight=100',
    '/feeds/videos.xml?videoChannelId=«channelId»&sort=-createdAt',
    '/feeds/videos.:format?accountName=«owner»',
    '/feeds/video-comments.:format?videoId=«video»',
    '/feeds/subscriptions.json'
  ],
  ...[
    '/static/streaming-playlists/hls/:video/:file',
    '/static/streaming-playlists/hls/private/:video/:file',
    '/static/web-videos/:file',
    '/lazy-static/thumbnails/:file',
    '/lazy-static/previews/:file',
    '/lazy-static/avatars/:file',
    '/lazy-static/banners/:file'
  ],
  ...[
    '/lazy-static/video-captions/:file',
    '/lazy-static/torrents/:file',
    '/lazy-static/comment-attachments/:file',
    '/lazy-static/storyboards/:file',
    '/download/torrents/:file',
    '/download/web-videos/:file',
    '/download/original-video-files/:file'
  ],
  ...[
    '/download/streaming-playlists/hls/videos/:file',
    '/download/videos/generate/:video?videoFileIds=1&videoFileIds=2',
    '/client/:file',
    '/client/assets/:file',
    '/api/v1/openapi.json',
    '/api/v1/docs',
    '/api/v1/:file',
    '/api/v2/videos'
  ]
]

const SITE_VALUES: Record<string, readonly string[]> = {
  video: ['«videoUuid»', '«videoShort»', '«video»', '«privateVideo»'],
  playlist: ['«playlistUuid»', '«playlistShort»', '«playlist»'],
  channel: ['«channel»'],
  account: ['«owner»'],
  comment: ['«comment»'],
  number: ['1'],
  version: ['2.0', '2.1'],
  format: ['xml', 'json', 'atom'],
  file: ['a.jpg', '«videoUuid»-0.mp4', '«videoUuid».m3u8', 'x.torrent']
}

const ACCEPTED = [
  '*/*',
  'text/html',
  'application/activity+json',
  'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
  'application/json'
]

function siteRequest(random: Random): FuzzRequest {
  if (random() < 0.15) return inboxRequest(random)
  const route = pick(random, SITE_ROUTES)
  const [path, query = ''] = route.split('?')
  const names = [...path!.matchAll(/:(\w+)/g)].map(([, name]) => name!)
  const place = pick(random, [
    'nothing',
    'header',
    'query',
    'query',
    'method',
    ...names.flatMap(name => [`path ${name}`, `path ${name}`, `path ${name}`])
  ])
  const filled = path!.replace(/:(\w+)/g, (_, name: string) =>
    place === `path ${name}` ? hostileSegment(random, '', name) : pick(random, SITE_VALUES[name]!)
  )
  const values = Object.fromEntries(
    query.split('&').flatMap(pair => (pair ? [[pair.split('=')[0]!, pair.slice(pair.indexOf('=') + 1)]] : []))
  )
  return {
    method: place === 'method' ? pick(random, ['HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'PROPFIND']) : 'GET',
    path: filled + (place === 'query' ? hostileQuery(random, values, undefined) : queryText(values)),
    sender: pick(random, ['nobody', 'nobody', 'owner']),
    headers: { accept: pick(random, ACCEPTED), ...(place === 'header' ? hostileHeader(random) : {}) },
    about: `${route}, ${place}`
  }
}

function inboxRequest(random: Random): FuzzRequest {
  const activity: Body = {
    '@context': 'https://www.w3.org/ns/activitystreams',
    id: 'http://127.0.0.1:9/1',
    type: pick(random, ['Create', 'Like', 'Follow', 'Delete', 'Update', 'Undo', 'Announce', 'Flag', 'View']),
    actor: 'http://127.0.0.1:9/actor',
    object: pick<unknown>(random, ['http://«host»/videos/watch/«videoUuid»', { type: 'Note', id: 'http://127.0.0.1:9/2', content: 'x' }])
  }
  return {
    method: 'POST',
    path: pick(random, [
      '/inbox',
      '/inbox',
      '/accounts/«owner»/inbox',
      '/video-channels/«channel»/inbox',
      `/accounts/${hostileSegment(random, '')}/inbox`
    ]),
    sender: 'nobody',
    headers: {
      'content-type': 'application/activity+json',
      signature:
        'keyId="http://127.0.0.1:9/actor#main-key",algorithm="rsa-sha256",headers="(request-target) host date digest",signature="eA=="',
      ...(random() < 0.2 ? hostileHeader(random) : {})
    },
    body: random() < 0.3 ? pick(random, HOSTILE_BODIES) : jsonText(withHostileField(random, activity, undefined)),
    about: 'inbox'
  }
}
