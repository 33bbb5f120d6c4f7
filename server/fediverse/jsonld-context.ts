/** Kinds of messages that use terms beyond ActivityStreams. */
export type ContextKind =
  | 'base'
  | 'actor'
  | 'video'
  | 'comment'
  | 'playlist'
  | 'cacheFile'
  | 'watchAction'
  | 'view'
  | 'approval'
  | 'chapters'
  | 'flag'

const typed = (type: string, id: string) => ({ '@type': type, '@id': id })
const link = (id: string) => ({ '@id': id, '@type': '@id' })
const SPACES = { pt: 'https://joinpeertube.org/ns#', sc: 'http://schema.org/' }
const number = (name: string) => typed('sc:Number', `pt:${name}`)
const flag = (name: string) => typed('sc:Boolean', `pt:${name}`)

/**
 * The terms of each kind; LD signatures fail on a property without one, so every extension we send stands here
 * (docs/federation.md#json-ld-context).
 */
export const CONTEXT_TERMS: Record<ContextKind, object | null> = {
  base: null,
  actor: {
    ...SPACES,
    playlists: link('pt:playlists'),
    support: typed('sc:Text', 'pt:support'),
    lemmy: 'https://join-lemmy.org/ns#',
    postingRestrictedToMods: 'lemmy:postingRestrictedToMods',
    toot: 'http://joinmastodon.org/ns#',
    discoverable: 'toot:discoverable',
    indexable: 'toot:indexable',
    manuallyApprovesFollowers: 'as:manuallyApprovesFollowers',
    webfinger: typed('sc:Text', 'https://purl.archive.org/socialweb/webfinger#webfinger')
  },
  video: {
    ...SPACES,
    Hashtag: 'as:Hashtag',
    category: 'sc:category',
    licence: 'sc:license',
    subtitleLanguage: 'sc:subtitleLanguage',
    automaticallyGenerated: 'pt:automaticallyGenerated',
    sensitive: 'as:sensitive',
    language: 'sc:inLanguage',
    identifier: 'sc:identifier',
    isLiveBroadcast: 'sc:isLiveBroadcast',
    liveSaveReplay: flag('liveSaveReplay'),
    permanentLive: flag('permanentLive'),
    latencyMode: number('latencyMode'),
    Infohash: 'pt:Infohash',
    tileWidth: number('tileWidth'),
    tileHeight: number('tileHeight'),
    tileDuration: number('tileDuration'),
    aspectRatio: typed('sc:Float', 'pt:aspectRatio'),
    uuid: typed('sc:identifier', 'pt:uuid'),
    originallyPublishedAt: 'sc:datePublished',
    uploadDate: 'sc:uploadDate',
    hasParts: 'sc:hasParts',
    views: number('views'),
    state: number('state'),
    size: number('size'),
    fps: number('fps'),
    commentsEnabled: flag('commentsEnabled'),
    canReply: 'pt:canReply',
    commentsPolicy: number('commentsPolicy'),
    downloadEnabled: flag('downloadEnabled'),
    waitTranscoding: flag('waitTranscoding'),
    support: typed('sc:Text', 'pt:support'),
    likes: link('as:likes'),
    dislikes: link('as:dislikes'),
    shares: link('as:shares'),
    comments: link('as:comments'),
    PropertyValue: 'sc:PropertyValue',
    value: 'sc:value'
  },
  comment: { ...SPACES, replyApproval: 'pt:replyApproval' },
  playlist: {
    ...SPACES,
    Playlist: 'pt:Playlist',
    PlaylistElement: 'pt:PlaylistElement',
    position: number('position'),
    startTimestamp: number('startTimestamp'),
    stopTimestamp: number('stopTimestamp'),
    uuid: typed('sc:identifier', 'pt:uuid')
  },
  cacheFile: { ...SPACES, expires: 'sc:expires', CacheFile: 'pt:CacheFile', size: number('size'), fps: number('fps') },
  watchAction: {
    ...SPACES,
    WatchAction: 'sc:WatchAction',
    startTimestamp: number('startTimestamp'),
    endTimestamp: number('endTimestamp'),
    uuid: typed('sc:identifier', 'pt:uuid'),
    actionStatus: 'sc:actionStatus',
    watchSections: link('pt:watchSections'),
    addressRegion: 'sc:addressRegion',
    addressCountry: 'sc:addressCountry'
  },
  view: {
    ...SPACES,
    WatchAction: 'sc:WatchAction',
    InteractionCounter: 'sc:InteractionCounter',
    interactionType: 'sc:interactionType',
    userInteractionCount: 'sc:userInteractionCount'
  },
  approval: { ...SPACES, ApproveReply: 'pt:ApproveReply', RejectReply: 'pt:RejectReply' },
  chapters: { ...SPACES, hasPart: 'sc:hasPart', startOffset: 'sc:startOffset', endOffset: 'sc:endOffset' },
  flag: { Hashtag: 'as:Hashtag' }
}

/** What every term means that is written or read here beyond ActivityStreams. */
export const ALL_CONTEXT_TERMS: Record<string, unknown> = Object.assign({}, ...Object.values(CONTEXT_TERMS))

const BASE = [
  'https://www.w3.org/ns/activitystreams',
  'https://w3id.org/security/v1',
  { RsaSignature2017: 'https://w3id.org/security#RsaSignature2017' }
]

/** A document with the `@context` of its kind, first as is the custom. */
export function withContext<T extends object>(kind: ContextKind, document: T): T & { '@context': unknown[] } {
  const terms = CONTEXT_TERMS[kind]
  return { '@context': terms ? [...BASE, terms] : BASE, ...document }
}
