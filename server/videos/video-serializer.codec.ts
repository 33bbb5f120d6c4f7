import { AS_PUBLIC, type JsonObject } from '../fediverse/vocabulary.ts'
import { VIDEO_CATEGORY_LABELS, VIDEO_LANGUAGE_LABELS, VIDEO_LICENCE_LABELS } from './labels.ts'
import type { FileLink, VideoObject } from './video-object.ts'

/** The document of a video, without `@context`: what PeerTube 6.3 writes (docs/federation.md#video-documents), so that 6 to 9 read it. */
export function serializeVideoObject(video: VideoObject): JsonObject {
  const { collections, live } = video
  return {
    to: video.public ? [AS_PUBLIC] : [],
    cc: video.cc,
    type: 'Video',
    id: video.id,
    name: video.name,
    duration: seconds(video.duration),
    uuid: video.uuid,
    ...named('category', video.category, VIDEO_CATEGORY_LABELS),
    ...named('licence', video.licence, VIDEO_LICENCE_LABELS),
    ...named('language', video.language, VIDEO_LANGUAGE_LABELS),
    views: video.views,
    sensitive: video.sensitive,
    ...(video.summary === null ? {} : { summary: video.summary }),
    waitTranscoding: video.waitTranscoding,
    state: video.state,
    commentsEnabled: video.commentsPolicy !== 2,
    canReply: video.commentsPolicy === 3 ? AS_PUBLIC : null,
    commentsPolicy: video.commentsPolicy,
    downloadEnabled: video.downloadEnabled,
    published: video.published.toISOString(),
    originallyPublishedAt: video.originallyPublished?.toISOString() ?? null,
    updated: video.updated.toISOString(),
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
    ...(video.storyboard ? { preview: [storyboard(video.storyboard)] } : {}),
    aspectRatio: video.aspectRatio,
    url: [
      // Mastodon links to the first of them.
      ...(video.htmlUrl === null ? [] : [{ type: 'Link', mediaType: 'text/html', href: video.htmlUrl }]),
      ...video.files.flatMap(file => fileLinks(file, 'web-video')),
      ...(video.playlist ? [playlist(video.playlist)] : []),
      ...video.trackers.map(({ name, rel, url }) => ({ type: 'Link', name, rel, href: url }))
    ],
    ...present({
      likes: collections.likes,
      dislikes: collections.dislikes,
      shares: collections.shares,
      comments: collections.comments,
      hasParts: collections.chapters
    }),
    attributedTo: [...(video.account === null ? [] : [{ type: 'Person', id: video.account }]), { type: 'Group', id: video.channel }],
    audience: video.channel,
    isLiveBroadcast: live !== null,
    liveSaveReplay: live && live.saveReplay,
    permanentLive: live && live.permanent,
    latencyMode: live && live.latencyMode
  }
}

/** A length in the only form that every PeerTube reads: whole seconds. */
const seconds = (duration: number) => `PT${Math.floor(duration)}S`

function named(key: string, id: number | string | null, labels: Record<string | number, string>): JsonObject {
  return id === null ? {} : { [key]: { identifier: String(id), name: labels[id] ?? String(id) } }
}

function present(links: Record<string, string | null>): JsonObject {
  return Object.fromEntries(Object.entries(links).filter(([, url]) => url !== null))
}

function storyboard({ url, width, height, tileWidth, tileHeight, tileDuration }: NonNullable<VideoObject['storyboard']>): JsonObject {
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

function playlist({ url, segmentsSha256Url, infohashes, files }: NonNullable<VideoObject['playlist']>): JsonObject {
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
  const measures = { height, ...(width === null ? {} : { width }), fps }
  const link = (type: string, href: string | null, more: JsonObject = {}): JsonObject[] =>
    href === null ? [] : [{ type: 'Link', ...more, mediaType: type, href, ...measures }]
  return [
    {
      type: 'Link',
      mediaType,
      href: url,
      ...measures,
      size,
      ...(streams === null
        ? {}
        : { attachment: [...kinds(streams).map(value => property('ffprobe_codec_type', value)), property('peertube_format_flag', format)] })
    },
    ...link('application/json', metadataUrl, { rel: ['metadata', mediaType] }),
    ...link('application/x-bittorrent', torrentUrl),
    ...link('application/x-bittorrent;x-scheme-handler/magnet', magnetUri)
  ]
}

const kinds = ({ audio, video }: { audio: boolean; video: boolean }) => [...(audio ? ['audio'] : []), ...(video ? ['video'] : [])]
const property = (name: string, value: string) => ({ type: 'PropertyValue', name, value })
