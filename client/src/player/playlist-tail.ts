/** The end of the last segment in a media playlist, in seconds, and whether the playlist is complete (EXT-X-ENDLIST). */
export type PlaylistEnd = { edge: number; ended: boolean }

const TAIL_BYTES = 4096

/**
 * Fetches the end of a media playlist from its last bytes, because a long playlist is large and it is polled often. Null where the request
 * fails.
 */
export async function fetchPlaylistEnd(url: string): Promise<PlaylistEnd | null> {
  try {
    const response = await fetch(url, { headers: { Range: `bytes=-${TAIL_BYTES}` }, cache: 'no-store' })
    if (!response.ok) return null
    const [, start = '0', size = '0'] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '') ?? []
    return parsePlaylistEnd(await response.text(), Number(start), Number(size))
  } catch {
    return null
  }
}

/**
 * Returns the end of a playlist of `size` bytes from its text after byte `start`; estimated unless that is the whole text, and then rather
 * too small than too large.
 */
export function parsePlaylistEnd(text: string, start: number, size: number): PlaylistEnd {
  const segments = [...text.matchAll(/#EXTINF:([\d.]+)/g)]
  const seconds = segments.reduce((sum, [, duration]) => sum + Number(duration), 0)
  const ended = text.includes('#EXT-X-ENDLIST')
  if (start === 0 || segments.length < 2) return { edge: seconds, ended }
  // Byte offsets have fewer digits earlier in the playlist: the entries before are shorter, so there are more of them than estimated.
  const bytesPerSegment = (segments.at(-1)!.index - segments[0]!.index) / (segments.length - 1)
  return { edge: (Math.floor(size / bytesPerSegment - 1) * seconds) / segments.length, ended }
}
