import { open, type FileHandle } from 'node:fs/promises'

const MAX_CHUNKS = 1000
/** Recordings that are written to a pipe state lengths like 0x7fffffff or 0xffffffff. */
const MIN_UNKNOWN_LENGTH = 0x7fff_0000
const ASF_DATA_OBJECT = Buffer.from('3626b2758e66cf11a6d900aa0062ce6c', 'hex')
/** The longest page of Ogg (RFC 3533, 6). */
const MAX_OGG_PAGE = 27 + 255 + 255 * 255
const OGG_HEADER = 27
const GIF_WINDOW = 64 * 1024

/**
 * Whether the media data of an AVI, WAV, ASF, Ogg or GIF file go on beyond its end, by what its own structure states: their demuxers take
 * the length from what is there. Always false for other containers (names of ffmpeg's demuxers), and where the sizes are not stated.
 */
export async function isCutOff(path: string, container: string[]): Promise<boolean> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (container.includes('avi') || container.includes('wav')) return await isRiffCutOff(file, size)
    if (container.includes('asf')) return await isAsfCutOff(file, size)
    if (container.includes('gif')) return await isGifCutOff(file, size)
    return container.includes('ogg') ? await isOggCutOff(file, size) : false
  } finally {
    await file.close()
  }
}

/** Walks the chunks of all RIFF lists; an index that is missing after the media data is no loss. */
async function isRiffCutOff(file: FileHandle, size: number): Promise<boolean> {
  let at = 0
  for (let i = 0; i < MAX_CHUNKS; i++) {
    const header = await readAt(file, at, 12)
    if (header.length < 12) return false
    const [id, length, type] = [header.toString('latin1', 0, 4), header.readUInt32LE(4), header.toString('latin1', 8, 12)]
    // Long files have several of these lists; their chunks are looked at one by one.
    if (id === 'RIFF') {
      at += 12
      continue
    }
    const end = at + 8 + length
    const isStated = length > 0 && length < MIN_UNKNOWN_LENGTH
    if ((id === 'data' || (id === 'LIST' && type === 'movi')) && isStated && end > size) return true
    at = end + (length % 2)
  }
  return false
}

async function isAsfCutOff(file: FileHandle, size: number): Promise<boolean> {
  let at = 0
  for (let i = 0; i < MAX_CHUNKS; i++) {
    const header = await readAt(file, at, 24)
    if (header.length < 24) return false
    const length = Number(header.readBigUInt64LE(16))
    if (header.subarray(0, 16).equals(ASF_DATA_OBJECT)) return at + length > size
    if (length < 24 || at + length > size) return false
    at += length
  }
  return false
}

/** Whether the last page is incomplete. */
async function isOggCutOff(file: FileHandle, size: number): Promise<boolean> {
  const tail = await readAt(file, Math.max(0, size - MAX_OGG_PAGE), MAX_OGG_PAGE)
  const at = tail.lastIndexOf('OggS', undefined, 'latin1')
  if (at < 0) return false
  const page = tail.subarray(at)
  if (page.length < OGG_HEADER) return true
  const segments = page.subarray(OGG_HEADER, OGG_HEADER + page[OGG_HEADER - 1]!)
  return OGG_HEADER + page[OGG_HEADER - 1]! + segments.reduce((sum, length) => sum + length, 0) > page.length
}

/** Walks the blocks of a GIF (GIF89a, 12 to 27). One that ends between two blocks only lacks its trailer. */
async function isGifCutOff(file: FileHandle, size: number): Promise<boolean> {
  let [window, windowStart]: [Buffer, number] = [Buffer.alloc(0), 0]
  const byteAt = async (at: number): Promise<number> => {
    if (at < windowStart || at >= windowStart + window.length) [window, windowStart] = [await readAt(file, at, GIF_WINDOW), at]
    return window[at - windowStart] ?? 0
  }
  const colourTable = async (at: number): Promise<number> => {
    const flags = await byteAt(at)
    return (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1)
  }
  let at = 13 + (await colourTable(10))
  while (at < size) {
    const introducer = await byteAt(at)
    if (introducer === 0x21) at += 2
    else if (introducer === 0x2c) at += 11 + (await colourTable(at + 9))
    // The trailer, or what is no GIF any more.
    else return false
    for (let length = -1; length !== 0; at += 1 + length) {
      if (at >= size) return true
      // Awaited only where it must be: a long file has millions of these blocks.
      length = at >= windowStart && at < windowStart + window.length ? window[at - windowStart]! : await byteAt(at)
    }
  }
  return at > size
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
  return buffer.subarray(0, bytesRead)
}
