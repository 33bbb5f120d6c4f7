/** An image of a video document; width and height are 0 where it does not say them. */
export type ImageLink = { url: string; mediaType: string; width: number; height: number }
/** A media file with the URLs of its ffprobe metadata, torrent and magnet link; `size` in bytes. */
export type FileLink = {
  url: string
  mediaType: string
  width: number | null
  height: number
  size: number
  fps: number
  /** Null where the document does not say which streams the file has. */
  streams: { audio: boolean; video: boolean } | null
  metadataUrl: string | null
  torrentUrl: string | null
  magnetUri: string | null
}
/** A sprite sheet of frames; `tileDuration` in seconds. */
export type StoryboardLink = { url: string; width: number; height: number; tileWidth: number; tileHeight: number; tileDuration: number }
/** A caption file. */
export type CaptionLink = { language: string; label: string; automatic: boolean; url: string }
/** URLs of the collections of a video. */
export type CollectionLinks = {
  likes: string | null
  dislikes: string | null
  shares: string | null
  comments: string | null
  replies: string | null
  chapters: string | null
}

/** A video in ActivityPub terms, validated: the result of parsing a Video document, and the input for writing one. */
export type VideoObject = {
  id: string
  uuid: string
  name: string
  /** Whole seconds; 0: unknown. */
  duration: number
  public: boolean
  /** URLs of follower collections. */
  cc: string[]
  category: number | null
  licence: number | null
  language: string | null
  views: number
  sensitive: boolean
  summary: string | null
  waitTranscoding: boolean
  state: number
  /** 1 enabled, 2 disabled, 3 requires approval. */
  commentsPolicy: number
  downloadEnabled: boolean
  /** Null where a document of others does not say it. */
  published: Date | null
  updated: Date | null
  originallyPublished: Date | null
  tags: string[]
  content: string | null
  mediaType: string
  support: string | null
  captions: CaptionLink[]
  icons: ImageLink[]
  storyboard: StoryboardLink | null
  aspectRatio: number | null
  htmlUrl: string | null
  files: FileLink[]
  playlist: { url: string; segmentsSha256Url: string | null; infohashes: string[]; files: FileLink[] } | null
  trackers: { name: string; rel: string[]; url: string }[]
  collections: CollectionLinks
  account: string | null
  channel: string
  live: { saveReplay: boolean; permanent: boolean; latencyMode: number } | null
}
