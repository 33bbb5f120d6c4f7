import { instanceOrigin } from '../core/config.ts'
import { sql } from '../core/sql.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** What names the torrent of a file: its `.torrent` file, and the SHA-1 of its info dictionary as 40 hexadecimal digits. */
export type TorrentName = { filename: string; info_hash: string }

/** The torrents of a rendition that has some: of its HLS file, and of the rendition as one MP4. */
export type TorrentNames = { hls?: TorrentName; webVideo?: TorrentName } | null

/** SQL of the TorrentNames of a file `f` as JSON. */
export const TORRENTS_SQL = sql`(SELECT json_object_agg(CASE WHEN t.web_video THEN 'webVideo' ELSE 'hls' END,
    json_build_object('filename', t.filename, 'info_hash', t.info_hash)) FROM torrents t WHERE t.video_file_id = f.id)`

/** The URLs of a torrent as the API has them, each '' where there is none: clients require strings. */
export type TorrentLinks = { torrentUrl: string; torrentDownloadUrl: string; magnetUri: string }

/** Returns the URLs of a `.torrent` file by its name; null: there is none. */
export const torrentUrls = (filename: string | null): Omit<TorrentLinks, 'magnetUri'> => ({
  torrentUrl: filename === null ? '' : `${instanceOrigin()}/lazy-static/torrents/${filename}`,
  torrentDownloadUrl: filename === null ? '' : `${instanceOrigin()}/download/torrents/${filename}`
})

/**
 * Returns the URLs of the torrent of a local file. Only a public or unlisted video has a magnet URI, with the URL of the file as its web
 * seed: that of another is of no use without a token.
 */
export function torrentLinks(video: { name: string; privacy: number }, torrent: TorrentName | undefined, fileUrl: string): TorrentLinks {
  const urls = torrentUrls(torrent?.filename ?? null)
  if (!torrent || !isPublicOrUnlisted(video.privacy)) return { ...urls, magnetUri: '' }
  const parameters = [
    `xs=${encodeURIComponent(urls.torrentUrl)}`,
    `xt=urn:btih:${torrent.info_hash}`,
    `dn=${encodeURIComponent(video.name).replaceAll('%20', '+')}`,
    `ws=${encodeURIComponent(fileUrl)}`
  ]
  return { ...urls, magnetUri: `magnet:?${parameters.join('&')}` }
}
