import { open } from 'node:fs/promises'

/** What a file that is no video is, as far as its beginning shows it; `web_page` is HTML, `playlist` a file that refers to others. */
export type NonVideoKind = 'image' | 'animated_image' | 'playlist' | 'web_page' | 'text' | 'archive'

const HEAD_BYTES = 64 * 1024

const IMAGE_SIGNATURES = [
  '89504e470d0a1a0a', // PNG
  'ffd8ff', // JPEG
  '474946383761', // GIF87a
  '474946383961', // GIF89a
  '49492a00', // TIFF
  '4d4d002a',
  '38425053', // Photoshop
  'ff0a', // JPEG XL
  '0000000c4a584c20',
  '0000000c6a502020' // JPEG 2000
]
/** Major brands of still pictures in HEIF (ISO/IEC 23008-12); those of sequences are other ones. */
const STILL_IMAGE_BRANDS = ['avif', 'heic', 'heix', 'heim', 'heis', 'mif1']
const ARCHIVE_SIGNATURES = ['504b0304', '504b0506', '526172211a07', '377abcaf271c', '1f8b08', 'fd377a585a00', '425a68', '28b52ffd']

/** How lists of media begin that are no XML: HLS and M3U, concat scripts, PLS, ASX 1, SDP. */
const PLAYLIST_STARTS = ['#extm3u', 'ffconcat', '[playlist]', '[reference]', 'v=0\n', 'v=0\r\n']
/** Root elements of lists of media: XSPF, DASH, IMF, ASX, SMIL, Smooth Streaming, in any namespace prefix. */
const PLAYLIST_ELEMENTS = ['playlist', 'mpd', 'compositionplaylist', 'asx', 'smil', 'smoothstreamingmedia']

/** Identifies a file that is no video by its first 64 KB; null for anything else. The file is read, never interpreted. */
export async function identifyFileKind(path: string): Promise<NonVideoKind | null> {
  const head = await readHead(path)
  const startsWith = (hex: string): boolean => head.subarray(0, hex.length / 2).equals(Buffer.from(hex, 'hex'))
  const ascii = (from: number, to: number): string => head.subarray(from, to).toString('latin1')

  if (ascii(0, 4) === 'RIFF' && ascii(8, 12) === 'WEBP')
    return ascii(12, 16) === 'VP8X' && ((head[20] ?? 0) & 0x02) !== 0 ? 'animated_image' : 'image'
  // An animated PNG says so before its first picture (PNG, third edition, 11.3.6.1).
  if (startsWith(IMAGE_SIGNATURES[0]!)) return head.includes('acTL') ? 'animated_image' : 'image'
  if (IMAGE_SIGNATURES.some(startsWith) || isBitmap(head)) return 'image'
  if (ascii(4, 8) === 'ftyp' && STILL_IMAGE_BRANDS.includes(ascii(8, 12))) return 'image'
  if (ARCHIVE_SIGNATURES.some(startsWith) || ascii(257, 262) === 'ustar') return 'archive'
  const text = toText(head)
  return text === null ? null : identifyText(text.toLowerCase())
}

function identifyText(text: string): NonVideoKind | null {
  const content = skipPrologue(text)
  if (content === '') return null
  if (PLAYLIST_STARTS.some(start => content.startsWith(start))) return 'playlist'
  const element = /^<(?:[a-z0-9]+:)?([a-z]+)[\s/>]/.exec(content)?.[1] ?? ''
  if (PLAYLIST_ELEMENTS.includes(element)) return 'playlist'
  if (element === 'svg') return 'image'
  return element === 'html' || /^<!doctype html\b/.test(content) ? 'web_page' : 'text'
}

/** Removes the XML declaration, comments and document types other than that of HTML before the content. */
function skipPrologue(text: string): string {
  let rest = text.trimStart()
  for (;;) {
    const end = rest.startsWith('<!--')
      ? '-->'
      : rest.startsWith('<?') || (rest.startsWith('<!doctype') && !rest.startsWith('<!doctype html'))
        ? '>'
        : null
    const at = end === null ? -1 : rest.indexOf(end)
    if (end === null || at < 0) return rest
    rest = rest.slice(at + end.length).trimStart()
  }
}

async function readHead(path: string): Promise<Buffer> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/** Two letters are too few to tell a BMP: the reserved bytes are zero, and its header has one of the known sizes. */
function isBitmap(head: Buffer): boolean {
  return (
    head.length > 18 &&
    head.subarray(0, 2).toString('latin1') === 'BM' &&
    head.readUInt32LE(6) === 0 &&
    [12, 40, 52, 56, 64, 108, 124].includes(head.readUInt32LE(14))
  )
}

/** The text of a file that has no other control characters than those of text; null for other bytes. */
function toText(head: Buffer): string | null {
  const isUtf16 = head.length > 1 && ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff))
  const text = isUtf16 ? new TextDecoder(head[0] === 0xff ? 'utf-16le' : 'utf-16be').decode(head) : head.toString('latin1')
  for (let i = 0; i < text.length; i++) if (isBinary(text.charCodeAt(i))) return null
  // The byte order mark of UTF-8.
  return text.replace(/^ï»¿/, '')
}

/** A control character that is neither white space nor the escape of terminal colours. */
function isBinary(code: number): boolean {
  return code < 0x20 && !(code >= 0x09 && code <= 0x0d) && code !== 0x1b
}
