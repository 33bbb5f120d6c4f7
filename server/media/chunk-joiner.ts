import { appendFile, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { findBoxes, findBox } from './mp4-boxes.ts'
import { writeFileAtomically, type HlsOutput } from './hls-playlist.ts'

/** Chunks cannot be joined; the video is then encoded in one pass. */
export class ChunkJoinError extends Error {}

type ChunkFragment = { offset: number; length: number; moof: Buffer; time: number; duration: number; frames: number }

/** Bytes copied at once. */
const COPY_BUFFER_BYTES = 1024 * 1024
/** Chunks encoded by this program have smaller headers and fragment tables. */
const MAX_TABLE_BYTES = 16 * 1024 * 1024

/**
 * Joins chunks (fragmented MP4s of one video track, one fragment a segment) to a growing rendition, in the files that an encode in one pass
 * would write: one MP4 and an EVENT playlist of byte ranges (RFC 8216).
 */
export class ChunkJoiner {
  readonly #folder: string
  readonly #output: HlsOutput
  readonly #fps: number
  readonly #lines: string[] = []
  #header: Buffer | null = null
  #timescale = 0
  #size = 0
  #sequence = 0
  #endTime = 0
  #targetDuration: number
  /** Frames so far. */
  frames = 0

  constructor(folder: string, output: HlsOutput, { segmentSeconds, fps }: { segmentSeconds: number; fps: number }) {
    this.#folder = folder
    this.#output = output
    this.#fps = fps
    this.#targetDuration = Math.round(segmentSeconds)
  }

  /** Seconds so far. */
  get seconds(): number {
    return this.#timescale > 0 ? this.#endTime / this.#timescale : 0
  }

  /**
   * Appends the next chunk, which may be empty. Throws a ChunkJoinError if it was encoded with other parameters than those before, or does
   * not begin where they end.
   */
  async append(chunk: string): Promise<void> {
    const source = await open(chunk, 'r').catch(error => {
      throw new ChunkJoinError(`${chunk} cannot be read`, { cause: error })
    })
    try {
      const { header, fragments } = await readFragments(source, chunk)
      if (fragments.length === 0) return
      await this.#writeHeader(header, chunk)
      const target = await open(join(this.#folder, this.#output.file), 'a')
      try {
        for (const fragment of fragments) await this.#appendFragment(fragment, source, target, chunk)
      } finally {
        await target.close()
      }
    } finally {
      await source.close()
    }
    await this.#writePlaylist()
  }

  /** Ends the playlist: no chunk follows. Throws a ChunkJoinError if none was appended. */
  async finish(): Promise<void> {
    if (!this.#header) throw new ChunkJoinError(`${this.#output.file} has nothing in it`)
    await this.#writePlaylist('#EXT-X-ENDLIST')
  }

  async #writeHeader(header: Buffer, chunk: string): Promise<void> {
    if (this.#header) {
      if (!this.#header.equals(header)) throw new ChunkJoinError(`${chunk} was encoded otherwise than the chunks before it`)
      return
    }
    const mdhd = findBox(header, 'moov', 'trak', 'mdia', 'mdhd')
    this.#timescale = mdhd.length >= 24 ? mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12) : 0
    if (this.#timescale === 0) throw new ChunkJoinError(`${chunk} has no head`)
    this.#header = header
    this.#size = header.length
    await appendFile(join(this.#folder, this.#output.file), header)
  }

  async #appendFragment(
    { offset, length, moof, time, duration, frames }: ChunkFragment,
    source: FileHandle,
    target: FileHandle,
    chunk: string
  ): Promise<void> {
    // A frame that is missing between two chunks was not found at the seek to the second.
    if (Math.abs(time - this.#endTime) > this.#timescale / this.#fps / 2)
      throw new ChunkJoinError(`${chunk} begins at ${time / this.#timescale}, not at ${this.seconds}`)
    findBox(moof, 'moof', 'mfhd').writeUInt32BE(++this.#sequence, 4)
    await target.writeFile(moof)
    await copyBytes(source, target, offset + moof.length, length - moof.length)
    this.#lines.push(`#EXTINF:${(duration / this.#timescale).toFixed(6)},`, `#EXT-X-BYTERANGE:${length}@${this.#size}`, this.#output.file)
    this.#targetDuration = Math.max(this.#targetDuration, Math.round(duration / this.#timescale))
    this.#size += length
    this.#endTime = time + duration
    this.frames += frames
  }

  async #writePlaylist(...closingLines: string[]): Promise<void> {
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      `#EXT-X-TARGETDURATION:${this.#targetDuration}`,
      '#EXT-X-MEDIA-SEQUENCE:0',
      `#EXT-X-PLAYLIST-TYPE:${closingLines.length > 0 ? 'VOD' : 'EVENT'}`,
      '#EXT-X-INDEPENDENT-SEGMENTS',
      `#EXT-X-MAP:URI="${this.#output.file}",BYTERANGE="${this.#header!.length}@0"`,
      ...this.#lines,
      ...closingLines
    ]
    await writeFileAtomically(join(this.#folder, this.#output.playlist), lines.join('\n') + '\n')
  }
}

/** Reads the header (ftyp and moov) and the fragments of a chunk (ISO 14496-12, 8.8), without their media data. */
async function readFragments(file: FileHandle, name: string): Promise<{ header: Buffer; fragments: ChunkFragment[] }> {
  const { size } = await file.stat()
  const headerBoxes: Buffer[] = []
  const fragments: ChunkFragment[] = []
  let moof: { offset: number; body: Buffer } | null = null
  for (let offset = 0; offset < size;) {
    const boxHeader = await readBytes(file, offset, Math.min(16, size - offset))
    const size32 = boxHeader.length >= 8 ? boxHeader.readUInt32BE(0) : 0
    const length = size32 === 1 && boxHeader.length >= 16 ? Number(boxHeader.readBigUInt64BE(8)) : size32
    if (length < 8 || offset + length > size) throw new ChunkJoinError(`${name} is cut off at ${offset}`)
    const type = boxHeader.toString('latin1', 4, 8)
    if (['ftyp', 'moov', 'moof'].includes(type)) {
      if (length > MAX_TABLE_BYTES) throw new ChunkJoinError(`${name} has a table of ${length} bytes`)
      const body = await readBytes(file, offset, length)
      if (type === 'moof') moof = { offset, body }
      else headerBoxes.push(body)
    } else if (type === 'mdat' && moof) {
      fragments.push({ offset: moof.offset, length: offset + length - moof.offset, moof: moof.body, ...fragmentTimes(moof.body, name) })
      moof = null
    }
    offset += length
  }
  if (moof) throw new ChunkJoinError(`${name} ends within a fragment`)
  return { header: Buffer.concat(headerBoxes), fragments }
}

/** The decode time of a fragment's first frame and the duration of all its frames, in units of the track; and their number. */
function fragmentTimes(moof: Buffer, name: string): { time: number; duration: number; frames: number } {
  const [traf, ...others] = findBoxes(findBox(moof, 'moof'), 'traf')
  const [tfhd, tfdt] = [findBox(traf ?? Buffer.alloc(0), 'tfhd'), findBox(traf ?? Buffer.alloc(0), 'tfdt')]
  if (!traf || others.length > 0 || tfhd.length < 8 || tfdt.length < 8) throw new ChunkJoinError(`${name} is not a chunk of one picture`)
  const tfhdFlags = tfhd.readUIntBE(1, 3)
  const defaultDuration = tfhdFlags & 8 ? tfhd.readUInt32BE(8 + (tfhdFlags & 1 ? 8 : 0) + (tfhdFlags & 2 ? 4 : 0)) : 0
  let [duration, frames] = [0, 0]
  for (const trun of findBoxes(traf, 'trun')) {
    const flags = trun.readUIntBE(1, 3)
    const count = trun.readUInt32BE(4)
    const first = 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0)
    const step = 4 * [0x100, 0x200, 0x400, 0x800].filter(flag => flags & flag).length
    for (let index = 0; index < count; index++) duration += flags & 0x100 ? trun.readUInt32BE(first + index * step) : defaultDuration
    frames += count
  }
  return { time: tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4), duration, frames }
}

async function readBytes(file: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  const { bytesRead } = await file.read(bytes, 0, length, offset)
  return bytes.subarray(0, bytesRead)
}

async function copyBytes(source: FileHandle, target: FileHandle, offset: number, length: number): Promise<void> {
  const buffer = Buffer.allocUnsafe(Math.min(COPY_BUFFER_BYTES, length))
  for (let copied = 0; copied < length;) {
    const { bytesRead } = await source.read(buffer, 0, Math.min(buffer.length, length - copied), offset + copied)
    if (bytesRead === 0) throw new ChunkJoinError('a chunk became shorter while it was read')
    await target.writeFile(buffer.subarray(0, bytesRead))
    copied += bytesRead
  }
}
