import { appendFile, open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { findBoxes, findBox } from './mp4-boxes.ts'
import { writeFileAtomically, type HlsOutput } from './hls-playlist.ts'

/** Chunks that do not fit together; the film is then encoded in one pass. */
export class ChunkJoinError extends Error {}

type Fragment = { at: number; length: number; moof: Buffer; time: number; duration: number; pictures: number }

/** Bytes copied at once. */
const PIECE = 1024 * 1024
/** A table of a fragment or a head that is larger is none of ours. */
const LARGEST_TABLE = 16 * 1024 * 1024

/**
 * A rendition that grows by chunks (fragmented MP4s of one picture, a fragment a segment), in the files one pass would write: one MP4 and
 * an EVENT playlist of byte ranges (RFC 8216).
 */
export class ChunkJoiner {
  readonly #folder: string
  readonly #output: HlsOutput
  readonly #fps: number
  readonly #lines: string[] = []
  #head: Buffer | null = null
  #timescale = 0
  #size = 0
  #sequence = 0
  #end = 0
  #longest: number
  /** Pictures so far. */
  pictures = 0

  constructor(folder: string, output: HlsOutput, { segmentSeconds, fps }: { segmentSeconds: number; fps: number }) {
    this.#folder = folder
    this.#output = output
    this.#fps = fps
    this.#longest = Math.round(segmentSeconds)
  }

  /** Seconds so far. */
  get seconds(): number {
    return this.#timescale > 0 ? this.#end / this.#timescale : 0
  }

  /**
   * Appends the next chunk, which may be empty. Throws a JoinError where it was encoded otherwise than those before, or does not begin
   * where they end.
   */
  async append(chunk: string): Promise<void> {
    const from = await open(chunk, 'r').catch(error => {
      throw new ChunkJoinError(`${chunk} cannot be read`, { cause: error })
    })
    try {
      const { head, fragments } = await layout(from, chunk)
      if (fragments.length === 0) return
      await this.#begin(head, chunk)
      const to = await open(join(this.#folder, this.#output.file), 'a')
      try {
        for (const fragment of fragments) await this.#add(fragment, from, to, chunk)
      } finally {
        await to.close()
      }
    } finally {
      await from.close()
    }
    await this.#publish()
  }

  /** Says that no chunk follows. */
  async finish(): Promise<void> {
    if (!this.#head) throw new ChunkJoinError(`${this.#output.file} has nothing in it`)
    await this.#publish('#EXT-X-ENDLIST')
  }

  async #begin(head: Buffer, chunk: string): Promise<void> {
    if (this.#head) {
      if (!this.#head.equals(head)) throw new ChunkJoinError(`${chunk} was encoded otherwise than the chunks before it`)
      return
    }
    const mdhd = findBox(head, 'moov', 'trak', 'mdia', 'mdhd')
    this.#timescale = mdhd.length >= 24 ? mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12) : 0
    if (this.#timescale === 0) throw new ChunkJoinError(`${chunk} has no head`)
    this.#head = head
    this.#size = head.length
    await appendFile(join(this.#folder, this.#output.file), head)
  }

  async #add({ at, length, moof, time, duration, pictures }: Fragment, from: FileHandle, to: FileHandle, chunk: string): Promise<void> {
    // A picture that is missing between two chunks was not found when the second began.
    if (Math.abs(time - this.#end) > this.#timescale / this.#fps / 2)
      throw new ChunkJoinError(`${chunk} begins at ${time / this.#timescale}, not at ${this.seconds}`)
    findBox(moof, 'moof', 'mfhd').writeUInt32BE(++this.#sequence, 4)
    await to.writeFile(moof)
    await copy(from, to, at + moof.length, length - moof.length)
    this.#lines.push(`#EXTINF:${(duration / this.#timescale).toFixed(6)},`, `#EXT-X-BYTERANGE:${length}@${this.#size}`, this.#output.file)
    this.#longest = Math.max(this.#longest, Math.round(duration / this.#timescale))
    this.#size += length
    this.#end = time + duration
    this.pictures += pictures
  }

  async #publish(...more: string[]): Promise<void> {
    const lines = [
      '#EXTM3U',
      '#EXT-X-VERSION:7',
      `#EXT-X-TARGETDURATION:${this.#longest}`,
      '#EXT-X-MEDIA-SEQUENCE:0',
      '#EXT-X-PLAYLIST-TYPE:EVENT',
      '#EXT-X-INDEPENDENT-SEGMENTS',
      `#EXT-X-MAP:URI="${this.#output.file}",BYTERANGE="${this.#head!.length}@0"`,
      ...this.#lines,
      ...more
    ]
    await writeFileAtomically(join(this.#folder, this.#output.playlist), lines.join('\n') + '\n')
  }
}

/** The head (ftyp and moov) and the fragments of a chunk (ISO 14496-12, 8.8), without their pictures. */
async function layout(file: FileHandle, name: string): Promise<{ head: Buffer; fragments: Fragment[] }> {
  const { size } = await file.stat()
  const heads: Buffer[] = []
  const fragments: Fragment[] = []
  let moof: { at: number; body: Buffer } | null = null
  for (let at = 0; at < size;) {
    const start = await read(file, at, Math.min(16, size - at))
    const short = start.length >= 8 ? start.readUInt32BE(0) : 0
    const length = short === 1 && start.length >= 16 ? Number(start.readBigUInt64BE(8)) : short
    if (length < 8 || at + length > size) throw new ChunkJoinError(`${name} is cut off at ${at}`)
    const type = start.toString('latin1', 4, 8)
    if (['ftyp', 'moov', 'moof'].includes(type)) {
      if (length > LARGEST_TABLE) throw new ChunkJoinError(`${name} has a table of ${length} bytes`)
      const body = await read(file, at, length)
      if (type === 'moof') moof = { at, body }
      else heads.push(body)
    } else if (type === 'mdat' && moof) {
      fragments.push({ at: moof.at, length: at + length - moof.at, moof: moof.body, ...timesOf(moof.body, name) })
      moof = null
    }
    at += length
  }
  if (moof) throw new ChunkJoinError(`${name} ends within a fragment`)
  return { head: Buffer.concat(heads), fragments }
}

/** When a fragment's first picture is decoded and how long all of them last, in units of the track. */
function timesOf(moof: Buffer, name: string): { time: number; duration: number; pictures: number } {
  const [traf, ...others] = findBoxes(findBox(moof, 'moof'), 'traf')
  const [tfhd, tfdt] = [findBox(traf ?? Buffer.alloc(0), 'tfhd'), findBox(traf ?? Buffer.alloc(0), 'tfdt')]
  if (!traf || others.length > 0 || tfhd.length < 8 || tfdt.length < 8) throw new ChunkJoinError(`${name} is not a chunk of one picture`)
  const has = tfhd.readUIntBE(1, 3)
  const usual = has & 8 ? tfhd.readUInt32BE(8 + (has & 1 ? 8 : 0) + (has & 2 ? 4 : 0)) : 0
  let [duration, pictures] = [0, 0]
  for (const trun of findBoxes(traf, 'trun')) {
    const flags = trun.readUIntBE(1, 3)
    const count = trun.readUInt32BE(4)
    const first = 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0)
    const step = 4 * [0x100, 0x200, 0x400, 0x800].filter(flag => flags & flag).length
    for (let index = 0; index < count; index++) duration += flags & 0x100 ? trun.readUInt32BE(first + index * step) : usual
    pictures += count
  }
  return { time: tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4), duration, pictures }
}

async function read(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  const { bytesRead } = await file.read(bytes, 0, length, at)
  return bytes.subarray(0, bytesRead)
}

async function copy(from: FileHandle, to: FileHandle, at: number, length: number): Promise<void> {
  const piece = Buffer.allocUnsafe(Math.min(PIECE, length))
  for (let done = 0; done < length;) {
    const { bytesRead } = await from.read(piece, 0, Math.min(piece.length, length - done), at + done)
    if (bytesRead === 0) throw new ChunkJoinError('a chunk became shorter while it was read')
    await to.writeFile(piece.subarray(0, bytesRead))
    done += bytesRead
  }
}
