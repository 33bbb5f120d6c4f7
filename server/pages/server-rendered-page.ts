import type { EarlyPlaybackManifest } from '../../shared/early-playback.ts'
import type { ActorImage } from '../../shared/actors.ts'
import type { MediaOrigins } from '../videos/media-origins.ts'
import type { Html } from './html.ts'
import type { PageLanguage, PageTexts } from './page-texts.ts'

/** The language, texts and instance that a page is rendered for. */
export type PageContext = { language: PageLanguage; texts: PageTexts; instance: PageInstanceInfo }

/** The instance as pages show it; `settings` is the response of `GET /config`. */
export type PageInstanceInfo = { name: string; shortDescription: string; avatars: ActorImage[]; settings: unknown }

/** A rendered page before it is inserted into the HTML template. */
export type ServerRenderedPage = {
  status: number
  title: string
  description: string
  /** Path below the origin; null where search engines must not index the page. */
  canonical: string | null
  head?: Html
  body: Html
  /** The source file of the client's page, to preload its code. */
  source?: string
  /**
   * What playback needs early: source files of the client to preload, paths to preload, texts of files by path to inline, and the manifest
   * of the first segments.
   */
  earlyPlayback?: { sources: string[]; files: string[]; texts: Record<string, string>; manifest: EarlyPlaybackManifest | null }
  /** Where the player of this page loads remote videos from; nothing else can be connected to. */
  mediaOrigins?: MediaOrigins
  /** Responses of the API that the client would request first, by path and query. */
  apiResponses?: Record<string, unknown>
}
