import { open, type FileHandle } from 'node:fs/promises'

const MAX_CHUNKS = 1000
/** Recordings that are written to a pipe state lengths like 0x7fffffff or 0xffffffff. */
const MIN_UNKNOWN_LENGTH = 0x7fff_0000
const ASF_DATA_OBJECT = Buffer.from('3626b2758e66cf11a6d900aa0062ce6c', 'hex')
/** The longest page of Ogg (RFC 3533, 6). */
const MAX_OGG_PAGE = 27 + 255 + 255 * 255
const OGG_HEADER = 27

/**
 * Whether the media data of an AVI, WAV, ASF or Ogg file go on beyond its end, by what its own structure states: their demuxers take the
 * length from what is there. Always false for other containers (names of ffmpeg's demuxers), and where the sizes are not stated.
 */
export async function isCutOff(path: string, container: string[]): Promise<boolean> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (container.includes('avi') || container.includes('wav')) return await isRiffCutOff(file, size)
    if (container.includes('asf')) return await isAsfCutOff(file, size)
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
    if (length < 24) return false
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

async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at)
  return buffer.subarray(0, bytesRead)
}
