/** A picture as the wire has it. */
export type ImageLink = { url: string; mediaType: string; width: number; height: number }
/** A media file with what belongs to it: what ffprobe says, a torrent, a magnet link. */
export type FileLink = {
  url: string
  mediaType: string
  width: number | null
  height: number
  size: number
  fps: number
  /** Null: its document does not say what is inside. */
  streams: { audio: boolean; video: boolean } | null
  metadataUrl: string | null
  torrentUrl: string | null
  magnetUri: string | null
}
/** A sheet of small frames; `tileDuration` in seconds. */
export type StoryboardLink = { url: string; width: number; height: number; tileWidth: number; tileHeight: number; tileDuration: number }
/** Subtitles in a language. */
export type CaptionLink = { language: string; label: string; automatic: boolean; url: string }
/** Addresses of the collections around a video. */
export type CollectionLinks = {
  likes: string | null
  dislikes: string | null
  shares: string | null
  comments: string | null
  chapters: string | null
}

/** What the fediverse says of a video, validated: both what is read from a document and what a document is written from. */
export type VideoObject = {
  id: string
  uuid: string
  name: string
  /** Whole seconds. */
  duration: number
  public: boolean
  /** The followers who are told. */
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
  published: Date
  updated: Date
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
