import { readFile } from 'node:fs/promises'
import type { Request, Response } from 'express'
import { compressText, negotiateEncoding } from '../core/compression.ts'
import { notFound } from '../core/problem.ts'

/**
 * Sends an HLS playlist, compressed if the client accepts it, since the playlist of a long video has a line for every two seconds. With a
 * `token`, all its URLs carry that as a query parameter, for players that cannot add it themselves. Throws 404.
 */
export async function sendHlsPlaylist(request: Request, response: Response, path: string, token?: string): Promise<void> {
  const text = await readFile(path, 'utf8').catch(() => {
    throw notFound('File')
  })
  await sendHlsPlaylistText(request, response, withCompleteType(text), token)
}

/** The same with the text of the playlist. */
export async function sendHlsPlaylistText(request: Request, response: Response, text: string, token?: string): Promise<void> {
  const encoding = negotiateEncoding(request)
  response.setHeader('Vary', 'Accept-Encoding')
  if (encoding) response.setHeader('Content-Encoding', encoding)
  response
    .type('application/vnd.apple.mpegurl')
    .send(await compressText(token === undefined ? text : addTokenToUrls(text, token), encoding))
}

/** Earlier versions left the type of a rendition that was complete at EVENT (RFC 8216, 4.3.3.5). */
function withCompleteType(text: string): string {
  return text.includes('#EXT-X-ENDLIST') ? text.replace('#EXT-X-PLAYLIST-TYPE:EVENT', '#EXT-X-PLAYLIST-TYPE:VOD') : text
}

function addTokenToUrls(text: string, token: string): string {
  const query = `?videoFileToken=${encodeURIComponent(token)}&reinjectVideoFileToken=true`
  return text.replace(/^(?!#)(\S+)$/gm, `$1${query}`).replace(/URI="([^"]+)"/g, `URI="$1${query}"`)
}
