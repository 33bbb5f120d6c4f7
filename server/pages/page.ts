import type { Html } from './html.ts'
import type { Language, Words } from './words.ts'

/** What a page is made for. */
export type Asking = { language: Language, words: Words, instance: Instance }

/** What pages need to know of the instance; its settings are the answer to `GET /config`. */
export type Instance = { name: string, shortDescription: string, settings: unknown }

/** What playing a film begins with: its master playlist (a path), its length in seconds, and of each file of picture or sound the playlist's path, its own, where its header and its first segment end in bytes, and what is in it; null where the master playlist does not say that. */
export type Beginning = { master: string, duration: number, files: { playlist: string, file: string, ends: [header: number, segment: number], track: Track | null }[] }
/** What hls.js calls a track: one of sound apart from the pictures is `audio`; container and codecs as media types name them (RFC 6381). */
export type Track = { type: 'audio' | 'video' | 'audiovideo', id: 'main' | 'audio', container: string, codec: string }

/** A page before it is put into its frame. */
export type Page = {
  status: number
  title: string
  description: string
  /** Path below the origin; null where search engines shall not remember the page. */
  canonical: string | null
  head?: Html
  body: Html
  /** The source file of the client's page, to load its code early. */
  source?: string
  /** What the page needs soon besides: the code of further source files, files by their path, texts of files that come with it, and what playing begins with. */
  early?: { sources: string[], files: string[], texts: Record<string, string>, first: Beginning | null }
  /** Answers of the API that the client would ask for first, by path and query. */
  answers?: Record<string, unknown>
}
