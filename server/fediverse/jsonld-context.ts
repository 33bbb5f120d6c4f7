/** Kinds of documents that use terms beyond ActivityStreams. */
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
  | 'quoteRequest'
  | 'quoteAuthorization'

const typedTerm = (type: string, id: string) => ({ '@type': type, '@id': id })
const urlTerm = (id: string) => ({ '@id': id, '@type': '@id' })
const GTS = { gts: 'https://gotosocial.org/ns#' }
const FEP_044F = 'https://w3id.org/fep/044f#'
/**
 * Who may interact (FEP-044f, GoToSocial). The terms hold inside of `interactionPolicy` only: `canReply` is another one of PeerTube beside
 * it.
 */
const INTERACTION_POLICY = {
  '@id': 'gts:interactionPolicy',
  '@type': '@id',
  '@context': Object.fromEntries(
    ['canLike', 'canReply', 'canAnnounce', 'canQuote', 'automaticApproval', 'manualApproval'].map(term => [term, urlTerm(`gts:${term}`)])
  )
}
const NAMESPACES = { pt: 'https://joinpeertube.org/ns#', sc: 'http://schema.org/' }
const numberTerm = (name: string) => typedTerm('sc:Number', `pt:${name}`)
const booleanTerm = (name: string) => typedTerm('sc:Boolean', `pt:${name}`)

/**
 * The JSON-LD terms of each kind of document. LD signatures fail on a property without a term, so every extension that is sent is listed
 * here (docs/federation.md#json-ld-context).
 */
export const CONTEXT_TERMS: Record<ContextKind, object | null> = {
  base: null,
  actor: {
    ...NAMESPACES,
    playlists: urlTerm('pt:playlists'),
    support: typedTerm('sc:Text', 'pt:support'),
    lemmy: 'https://join-lemmy.org/ns#',
    postingRestrictedToMods: 'lemmy:postingRestrictedToMods',
    toot: 'http://joinmastodon.org/ns#',
    discoverable: 'toot:discoverable',
    indexable: 'toot:indexable',
    manuallyApprovesFollowers: 'as:manuallyApprovesFollowers',
    webfinger: typedTerm('sc:Text', 'https://purl.archive.org/socialweb/webfinger#webfinger')
  },
  video: {
    ...NAMESPACES,
    Hashtag: 'as:Hashtag',
    category: 'sc:category',
    licence: 'sc:license',
    subtitleLanguage: 'sc:subtitleLanguage',
    automaticallyGenerated: 'pt:automaticallyGenerated',
    sensitive: 'as:sensitive',
    language: 'sc:inLanguage',
    identifier: 'sc:identifier',
    isLiveBroadcast: 'sc:isLiveBroadcast',
    liveSaveReplay: booleanTerm('liveSaveReplay'),
    permanentLive: booleanTerm('permanentLive'),
    latencyMode: numberTerm('latencyMode'),
    Infohash: 'pt:Infohash',
    tileWidth: numberTerm('tileWidth'),
    tileHeight: numberTerm('tileHeight'),
    tileDuration: numberTerm('tileDuration'),
    aspectRatio: typedTerm('sc:Float', 'pt:aspectRatio'),
    uuid: typedTerm('sc:identifier', 'pt:uuid'),
    originallyPublishedAt: 'sc:datePublished',
    uploadDate: 'sc:uploadDate',
    hasParts: 'sc:hasParts',
    views: numberTerm('views'),
    state: numberTerm('state'),
    size: numberTerm('size'),
    fps: numberTerm('fps'),
    commentsEnabled: booleanTerm('commentsEnabled'),
    canReply: 'pt:canReply',
    commentsPolicy: numberTerm('commentsPolicy'),
    downloadEnabled: booleanTerm('downloadEnabled'),
    waitTranscoding: booleanTerm('waitTranscoding'),
    support: typedTerm('sc:Text', 'pt:support'),
    likes: urlTerm('as:likes'),
    dislikes: urlTerm('as:dislikes'),
    shares: urlTerm('as:shares'),
    comments: urlTerm('as:comments'),
    PropertyValue: 'sc:PropertyValue',
    value: 'sc:value',
    ...GTS,
    interactionPolicy: INTERACTION_POLICY
  },
  comment: { ...NAMESPACES, replyApproval: 'pt:replyApproval' },
  playlist: {
    ...NAMESPACES,
    Playlist: 'pt:Playlist',
    PlaylistElement: 'pt:PlaylistElement',
    position: numberTerm('position'),
    startTimestamp: numberTerm('startTimestamp'),
    stopTimestamp: numberTerm('stopTimestamp'),
    uuid: typedTerm('sc:identifier', 'pt:uuid')
  },
  cacheFile: { ...NAMESPACES, expires: 'sc:expires', CacheFile: 'pt:CacheFile', size: numberTerm('size'), fps: numberTerm('fps') },
  watchAction: {
    ...NAMESPACES,
    WatchAction: 'sc:WatchAction',
    startTimestamp: numberTerm('startTimestamp'),
    endTimestamp: numberTerm('endTimestamp'),
    uuid: typedTerm('sc:identifier', 'pt:uuid'),
    actionStatus: 'sc:actionStatus',
    watchSections: urlTerm('pt:watchSections'),
    addressRegion: 'sc:addressRegion',
    addressCountry: 'sc:addressCountry'
  },
  view: {
    ...NAMESPACES,
    WatchAction: 'sc:WatchAction',
    InteractionCounter: 'sc:InteractionCounter',
    interactionType: 'sc:interactionType',
    userInteractionCount: 'sc:userInteractionCount'
  },
  approval: { ...NAMESPACES, ApproveReply: 'pt:ApproveReply', RejectReply: 'pt:RejectReply' },
  chapters: { ...NAMESPACES, hasPart: 'sc:hasPart', startOffset: 'sc:startOffset', endOffset: 'sc:endOffset' },
  flag: { Hashtag: 'as:Hashtag' },
  quoteRequest: { QuoteRequest: `${FEP_044F}QuoteRequest` },
  quoteAuthorization: {
    ...GTS,
    QuoteAuthorization: `${FEP_044F}QuoteAuthorization`,
    interactingObject: urlTerm('gts:interactingObject'),
    interactionTarget: urlTerm('gts:interactionTarget')
  }
}

/** The definitions of all terms beyond ActivityStreams that are written or read here. */
export const ALL_CONTEXT_TERMS: Record<string, unknown> = Object.assign({}, ...Object.values(CONTEXT_TERMS))

const BASE_CONTEXT = [
  'https://www.w3.org/ns/activitystreams',
  'https://w3id.org/security/v1',
  { RsaSignature2017: 'https://w3id.org/security#RsaSignature2017' }
]

/** Returns the document with the `@context` of its kind as its first property, as is customary. */
export function withContext<T extends object>(kind: ContextKind, document: T): T & { '@context': unknown[] } {
  const terms = CONTEXT_TERMS[kind]
  return { '@context': terms ? [...BASE_CONTEXT, terms] : BASE_CONTEXT, ...document }
}
