import type { EarlyPlaybackManifest } from '../../shared/early-playback.ts'
import type { Html } from './html.ts'
import type { PageLanguage, PageTexts } from './page-texts.ts'

/** What a page is made for. */
export type PageContext = { language: PageLanguage; words: PageTexts; instance: PageInstanceInfo }

/** What pages need to know of the instance; its settings are the answer to `GET /config`. */
export type PageInstanceInfo = { name: string; shortDescription: string; settings: unknown }

/** A page before it is put into its frame. */
export type ServerRenderedPage = {
  status: number
  title: string
  description: string
  /** Path below the origin; null where search engines shall not remember the page. */
  canonical: string | null
  head?: Html
  body: Html
  /** The source file of the client's page, to load its code early. */
  source?: string
  /**
   * What the page needs soon besides: the code of further source files, files by their path, texts of files that come with it, and what
   * playing begins with.
   */
  early?: { sources: string[]; files: string[]; texts: Record<string, string>; first: EarlyPlaybackManifest | null }
  /** Answers of the API that the client would ask for first, by path and query. */
  answers?: Record<string, unknown>
}
