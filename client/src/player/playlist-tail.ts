/** How far a media playlist goes, in seconds, and whether that is its end. */
export type PlaylistEnd = { edge: number; ended: boolean }

const TAIL = 4096

/**
 * Reads how far a media playlist goes from its last bytes: a long one is large, and it is asked for often. Null where it cannot be read.
 */
export async function fetchPlaylistEnd(url: string): Promise<PlaylistEnd | null> {
  try {
    const response = await fetch(url, { headers: { Range: `bytes=-${TAIL}` }, cache: 'no-store' })
    if (!response.ok) return null
    const [, first = '0', size = '0'] = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('Content-Range') ?? '') ?? []
    return parsePlaylistEnd(await response.text(), Number(first), Number(size))
  } catch {
    return null
  }
}

/** The reach by the text from byte `first` on of a playlist of `size` bytes; of a part it is estimated, rather too near than too far. */
export function parsePlaylistEnd(text: string, first: number, size: number): PlaylistEnd {
  const segments = [...text.matchAll(/#EXTINF:([\d.]+)/g)]
  const seconds = segments.reduce((sum, [, duration]) => sum + Number(duration), 0)
  const ended = text.includes('#EXT-X-ENDLIST')
  if (first === 0 || segments.length < 2) return { edge: seconds, ended }
  // Byte ranges are written with more digits the further they are: the segments before take less room each, so there are more of them.
  const room = (segments.at(-1)!.index - segments[0]!.index) / (segments.length - 1)
  return { edge: (Math.floor(size / room - 1) * seconds) / segments.length, ended }
}
