import { isObject } from '../fediverse/vocabulary.ts'

/** What a numeric id counts. */
type Kind =
  | 'video'
  | 'playlist'
  | 'element'
  | 'account'
  | 'channel'
  | 'user'
  | 'comment'
  | 'abuse'
  | 'message'
  | 'password'
  | 'file'
  | 'ownership'
type Json = { [key: string]: unknown }

/** Where a path holds an id, and of what; the first that matches, each with one id, applies. */
const IDS_IN_PATHS: [RegExp, Kind][] = [
  [/(?<=\/comment-threads\/)\d+/, 'comment'],
  [/(?<=\/comments\/)\d+/, 'comment'],
  [/(?<=\/passwords\/)\d+/, 'password'],
  [/(?<=\/metadata\/)\d+/, 'file'],
  [/(?<=\/videos\/ownership\/)\d+/, 'ownership'],
  [/(?<=\/video-playlists\/[^/]+\/videos\/)\d+/, 'element'],
  [/(?<=\/video-playlists\/)\d+(?=$|\/)/, 'playlist'],
  [/(?<=\/abuses\/\d+\/messages\/)\d+/, 'message'],
  [/(?<=\/abuses\/)\d+/, 'abuse'],
  [/(?<=\/users\/)\d+/, 'user'],
  [/(?<=(?<!\/video-playlists\/[^/]+)\/videos\/)\d+(?=$|\/)/, 'video'],
  [/(?<=\/w\/)\d+$/, 'video']
]
/** Fields of bodies and queries that hold an id. */
const IDS_IN_FIELDS: Record<string, Kind> = {
  channelId: 'channel',
  videoChannelId: 'channel',
  videoId: 'video',
  'videoIds[]': 'video',
  'video.id': 'video',
  'comment.id': 'comment',
  'account.id': 'account'
}
/** Anything long enough to be a UUID, a short UUID, a token or the id of an upload. */
const TOKEN = /[0-9A-Za-z-]{20,}/g
const TEXT_FIELDS =
  /^(uuid|shortUUID|access_token|refresh_token|client_id|client_secret|token|requestToken|path|fileUrl|playlistUrl|thumbnailPath|previewPath)$/

/** Names the things of the test's instance for those of the recorded one; learns them from pairs of answers. */
export type RecordedIds = {
  /** Learns from what the recorded instance answered and what ours did. */
  learn(recorded: unknown, ours: unknown): void
  learnText(recorded: string, ours: string): void
  learnId(kind: Kind, recorded: number, ours: number): void
  /** Translates a text: hosts, UUIDs, tokens. */
  text(recorded: string): string
  /** Translates a path: ids in it, and what `text` does. */
  path(recorded: string): string
  /** Translates a raw query. */
  query(recorded: string): string
  /** Translates the keys of an answer that name a host. */
  keys(recorded: unknown): unknown
  /** Translates a JSON body or the fields of a form; `field` is the name of what is given. */
  body(recorded: unknown, field?: string): unknown
}

/** Starts with the hosts alone: `{ '127.0.0.1:9001': ours, … }`. */
export function createRecordedIds(hosts: Record<string, string>): RecordedIds {
  const ids = new Map<string, number>()
  const texts = new Map<string, string>()

  const text = (recorded: string): string => {
    const named = recorded.replace(TOKEN, token => texts.get(token) ?? token)
    return Object.entries(hosts).reduce(
      (result, [host, ours]) => result.replaceAll(host, ours).replaceAll(encodeURIComponent(host), encodeURIComponent(ours)),
      named
    )
  }
  // A playlist that was never seen is none of ours: its number may be that of another one.
  const id = (kind: Kind, recorded: number) =>
    ids.get(`${kind} ${recorded}`) ?? (kind === 'playlist' || kind === 'element' ? recorded + 1_000_000 : recorded)
  const learnText = (recorded: string, ours: string) => {
    const [tokens, own] = [recorded.match(TOKEN) ?? [], ours.match(TOKEN) ?? []]
    if (tokens.length === own.length) tokens.forEach((token, index) => texts.set(token, own[index]!))
  }
  const learn = (recorded: unknown, ours: unknown, key = ''): void => {
    if (Array.isArray(recorded)) {
      if (!Array.isArray(ours)) return
      const used = new Set<unknown>()
      for (const [index, entry] of recorded.entries()) {
        const name = isObject(entry as Json) ? nameOf(entry as Json, text) : null
        const match =
          name === null ? ours[index] : ours.find(own => !used.has(own) && isObject(own) && nameOf(own as Json, value => value) === name)
        used.add(match)
        learn(entry, match, key)
      }
    } else if (isObject(recorded as Json) && isObject(ours as Json)) {
      const [one, other] = [recorded as Json, ours as Json]
      const kind = kindOf(one, key)
      if (kind && typeof one.id === 'number' && typeof other.id === 'number') ids.set(`${kind} ${one.id}`, other.id)
      for (const [field, value] of Object.entries(one)) {
        const own = other[field]
        if (typeof value === 'string' && typeof own === 'string') {
          if (TEXT_FIELDS.test(field)) learnText(value, own)
        } else learn(value, own, field)
      }
    }
  }
  const body = (recorded: unknown, field = ''): unknown => {
    const kind = IDS_IN_FIELDS[field]
    if (kind && /^\d+$/.test(String(recorded))) {
      const own = id(kind, Number(recorded))
      return typeof recorded === 'string' ? String(own) : own
    }
    if (typeof recorded === 'string') return text(recorded)
    if (Array.isArray(recorded)) return recorded.map(entry => body(entry, field))
    if (!isObject(recorded)) return recorded
    return Object.fromEntries(
      Object.entries(recorded as Json).map(([name, value]) => [name, body(value, name === 'id' && field ? `${field}.id` : name)])
    )
  }
  const keys = (recorded: unknown): unknown => {
    if (Array.isArray(recorded)) return recorded.map(keys)
    if (!isObject(recorded)) return recorded
    return Object.fromEntries(Object.entries(recorded).map(([key, value]) => [text(key), keys(value)]))
  }
  return {
    keys,
    learn,
    learnText,
    learnId: (kind, recorded, ours) => void ids.set(`${kind} ${recorded}`, ours),
    text,
    path: recorded => {
      const named = IDS_IN_PATHS.reduce(
        (path, [pattern, kind]) => path.replace(pattern, number => String(id(kind, Number(number)))),
        recorded
      )
      return text(named)
    },
    query: recorded =>
      recorded
        .split('&')
        .map(part => {
          const [name, value = ''] = part.split('=') as [string, string?]
          return `${name}=${encodeURIComponent(String(body(decodeURIComponent(value.replaceAll('+', ' ')), decodeURIComponent(name))))}`
        })
        .join('&'),
    body
  }
}

/** What an object of an answer is, by its fields and by the key it stands under. */
function kindOf(object: Json, key: string): Kind | null {
  if ('videosLength' in object || key === 'videoPlaylist') return 'playlist'
  if ('threadId' in object || key === 'comment') return 'comment'
  if ('reporterAccount' in object || key === 'abuse') return 'abuse'
  if ('initiatorAccount' in object) return 'ownership'
  if (key === 'videoPlaylistElement' || ('position' in object && 'startTimestamp' in object)) return 'element'
  if ('byModerator' in object || key === 'abuseMessage') return 'message'
  if ('password' in object) return 'password'
  if ('resolution' in object && 'size' in object) return 'file'
  if (key === 'user' || ('username' in object && 'role' in object)) return 'user'
  if (typeof object.url === 'string' && object.url.includes('/accounts/')) return 'account'
  if (key === 'account') return 'account'
  if (key === 'videoChannel' || (typeof object.url === 'string' && object.url.includes('/video-channels/'))) return 'channel'
  return 'uuid' in object || key === 'video' ? 'video' : null
}

/** What two entries of a list that mean the same thing have in common; null: only their place. */
function nameOf(object: Json, translate: (text: string) => string): string | null {
  const kind = kindOf(object, '')
  const { resolution, name, host } = object as { resolution?: { id: number }; name?: string; host?: string }
  if (kind === 'account' || kind === 'channel') return `${name}@${translate(String(host))}`
  if (kind === 'video' || kind === 'playlist') return translate(String(object.uuid))
  if (kind === 'comment') return String(object.text || object.createdAt)
  if (kind === 'abuse') return String(object.reason)
  if (kind === 'user') return String(object.username)
  if (kind === 'file') return String(resolution?.id)
  if (kind === 'password') return String(object.password)
  if (kind === 'message') return String(object.message)
  return null
}
