import { AS_PUBLIC, type JsonObject } from '../fediverse/vocabulary.ts'
import { VIDEO_CATEGORY_LABELS, VIDEO_LANGUAGE_LABELS, VIDEO_LICENCE_LABELS } from './labels.ts'
import type { FileLink, VideoObject } from './video-object.ts'

/**
 * Returns the ActivityPub document of a video, without `@context`, in the format of PeerTube 6.3, which versions 6 to 9 can read
 * (docs/federation.md#video-documents).
 */
export function serializeVideoObject(video: VideoObject): JsonObject {
  const { collections, live } = video
  return {
    to: video.public ? [AS_PUBLIC] : [],
    cc: video.cc,
    type: 'Video',
    id: video.id,
    name: video.name,
    duration: isoDuration(video.duration),
    uuid: video.uuid,
    ...identifierField('category', video.category, VIDEO_CATEGORY_LABELS),
    ...identifierField('licence', video.licence, VIDEO_LICENCE_LABELS),
    ...identifierField('language', video.language, VIDEO_LANGUAGE_LABELS),
    views: video.views,
    sensitive: video.sensitive,
    ...(video.summary === null ? {} : { summary: video.summary }),
    waitTranscoding: video.waitTranscoding,
    state: video.state,
    commentsEnabled: video.commentsPolicy !== 2,
    canReply: video.commentsPolicy === 3 ? AS_PUBLIC : null,
    commentsPolicy: video.commentsPolicy,
    downloadEnabled: video.downloadEnabled,
    published: video.published?.toISOString() ?? null,
    originallyPublishedAt: video.originallyPublished?.toISOString() ?? null,
    updated: video.updated?.toISOString() ?? null,
    tag: video.tags.map(name => ({ type: 'Hashtag', name })),
    mediaType: video.mediaType,
    content: video.content,
    support: video.support,
    subtitleLanguage: video.captions.map(({ language, label, automatic, url }) => ({
      identifier: language,
      name: label,
      automaticallyGenerated: automatic,
      url
    })),
    icon: video.icons.map(icon => ({ type: 'Image', ...icon })),
    ...(video.storyboard ? { preview: [storyboardPreview(video.storyboard)] } : {}),
    aspectRatio: video.aspectRatio,
    url: [
      // Mastodon links to the first element.
      ...(video.htmlUrl === null ? [] : [{ type: 'Link', mediaType: 'text/html', href: video.htmlUrl }]),
      ...video.files.flatMap(file => fileLinks(file, 'web-video')),
      ...(video.playlist ? [playlistLink(video.playlist)] : []),
      ...video.trackers.map(({ name, rel, url }) => ({ type: 'Link', name, rel, href: url }))
    ],
    ...withoutNulls({
      likes: collections.likes,
      dislikes: collections.dislikes,
      shares: collections.shares,
      comments: collections.comments,
      replies: collections.replies,
      hasParts: collections.chapters
    }),
    attributedTo: [...(video.account === null ? [] : [{ type: 'Person', id: video.account }]), { type: 'Group', id: video.channel }],
    audience: video.channel,
    interactionPolicy: interactionPolicyOf(video),
    isLiveBroadcast: live !== null,
    liveSaveReplay: live && live.saveReplay,
    permanentLive: live && live.permanent,
    latencyMode: live && live.latencyMode
  }
}

/** Who may reply, like, announce and quote (FEP-044f); those under `manualApproval` only with approval. */
function interactionPolicyOf({ commentsPolicy, account, channel, public: isPublic }: VideoObject): JsonObject {
  const anyone = { automaticApproval: [AS_PUBLIC] }
  const ownerOnly = { automaticApproval: [account ?? channel] }
  return {
    canReply: commentsPolicy === 1 ? anyone : commentsPolicy === 3 ? { ...ownerOnly, manualApproval: [AS_PUBLIC] } : ownerOnly,
    canLike: anyone,
    canAnnounce: anyone,
    canQuote: isPublic ? anyone : ownerOnly
  }
}

/** ISO 8601 duration in whole seconds, the only form that every version of PeerTube reads. */
const isoDuration = (duration: number) => `PT${Math.floor(duration)}S`

function identifierField(key: string, id: number | string | null, labels: Record<string | number, string>): JsonObject {
  return id === null ? {} : { [key]: { identifier: String(id), name: labels[id] ?? String(id) } }
}

function withoutNulls(links: Record<string, string | null>): JsonObject {
  return Object.fromEntries(Object.entries(links).filter(([, url]) => url !== null))
}

function storyboardPreview({
  url,
  width,
  height,
  tileWidth,
  tileHeight,
  tileDuration
}: NonNullable<VideoObject['storyboard']>): JsonObject {
  return {
    type: 'Image',
    rel: ['storyboard'],
    url: [
      {
        mediaType: 'image/jpeg',
        href: url,
        width,
        height,
        tileWidth,
        tileHeight,
        tileDuration: `PT${Math.max(1, Math.round(tileDuration))}S`
      }
    ]
  }
}

function playlistLink({ url, segmentsSha256Url, infohashes, files }: NonNullable<VideoObject['playlist']>): JsonObject {
  return {
    type: 'Link',
    mediaType: 'application/x-mpegURL',
    href: url,
    tag: [
      ...infohashes.map(name => ({ type: 'Infohash', name })),
      ...(segmentsSha256Url === null ? [] : [{ type: 'Link', name: 'sha256', mediaType: 'application/json', href: segmentsSha256Url }]),
      ...files.flatMap(file => fileLinks(file, 'fragmented'))
    ]
  }
}

function fileLinks(
  { url, mediaType, width, height, size, fps, streams, metadataUrl, torrentUrl, magnetUri }: FileLink,
  format: string
): JsonObject[] {
  const dimensions = { height, ...(width === null ? {} : { width }), fps }
  const relatedLink = (type: string, href: string | null, extra: JsonObject = {}): JsonObject[] =>
    href === null ? [] : [{ type: 'Link', ...extra, mediaType: type, href, ...dimensions }]
  return [
    {
      type: 'Link',
      mediaType,
      href: url,
      ...dimensions,
      size,
      ...(streams === null
        ? {}
        : {
            attachment: [
              ...streamTypes(streams).map(value => propertyValue('ffprobe_codec_type', value)),
              propertyValue('peertube_format_flag', format)
            ]
          })
    },
    ...relatedLink('application/json', metadataUrl, { rel: ['metadata', mediaType] }),
    ...relatedLink('application/x-bittorrent', torrentUrl),
    ...relatedLink('application/x-bittorrent;x-scheme-handler/magnet', magnetUri)
  ]
}

const streamTypes = ({ audio, video }: { audio: boolean; video: boolean }) => [...(audio ? ['audio'] : []), ...(video ? ['video'] : [])]
const propertyValue = (name: string, value: string) => ({ type: 'PropertyValue', name, value })
