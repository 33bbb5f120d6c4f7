import { open, type FileHandle } from 'node:fs/promises'
import { findBoxes, findBox } from './mp4-boxes.ts'

/** Samples that lie together in a file: where (bytes), how many, and when the first is decoded (units of the track). */
export type SampleChunk = { at: number; length: number; samples: number; time: number }

/** A track of a fragmented MP4 with all its samples, in the order they are decoded. Times are in units of `timescale`. */
export type Mp4Track = {
  /** The body of the track's box in the head. */
  trak: Buffer
  timescale: number
  kind: string
  durations: number[]
  sizes: number[]
  /** From a sample's decoding to its showing; may be negative. */
  offsets: number[]
  /** Whether decoding can begin at a sample. */
  syncs: boolean[]
  chunks: SampleChunk[]
}

type Defaults = { duration: number; size: number; flags: number }
type Growing = Mp4Track & { id: number; usual: Defaults; end: number }

const NOT_SYNC = 0x10000
/** Most fragments' tables are read at once with it. */
const WINDOW = 16_384
const LARGEST_TABLE = 64 * 1024 * 1024

/**
 * Reads where every sample of a fragmented MP4 lies (ISO 14496-12, 8.8) without reading the samples. Throws a TypeError where the file is
 * not one or ends too early.
 */
export async function readMp4Tracks(file: string): Promise<Mp4Track[]> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const tracks = new Map<number, Growing>()
    for (let at = 0; at < size;) {
      const window = await piece(handle, at, Math.min(WINDOW, size - at))
      const { type, length } = headOf(window)
      if (length < 8 || at + length > size) throw new TypeError(`${file} is cut off at ${at}`)
      if (type === 'moov' || type === 'moof') {
        if (length > LARGEST_TABLE) throw new TypeError(`${file} has a table of ${length} bytes`)
        const body = (length <= window.length ? window.subarray(0, length) : await piece(handle, at, length)).subarray(8)
        if (type === 'moov') for (const track of tracksOf(body)) tracks.set(track.id, track)
        else for (const traf of findBoxes(body, 'traf')) take(traf, at, tracks)
      }
      at += length
    }
    if (tracks.size === 0) throw new TypeError(`${file} has no tracks`)
    return [...tracks.values()].filter(({ sizes }) => sizes.length > 0)
  } finally {
    await handle.close()
  }
}

async function piece(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  const { bytesRead } = await handle.read(bytes, 0, length, at)
  return bytes.subarray(0, bytesRead)
}

function headOf(window: Buffer): { type: string; length: number } {
  if (window.length < 8) return { type: '', length: 0 }
  const short = window.readUInt32BE(0)
  return { type: window.toString('latin1', 4, 8), length: short === 1 && window.length >= 16 ? Number(window.readBigUInt64BE(8)) : short }
}

function tracksOf(moov: Buffer): Growing[] {
  const usual = new Map(
    findBoxes(findBox(moov, 'mvex'), 'trex').map(trex => [
      trex.readUInt32BE(4),
      { duration: trex.readUInt32BE(12), size: trex.readUInt32BE(16), flags: trex.readUInt32BE(20) }
    ])
  )
  return findBoxes(moov, 'trak').map(trak => {
    const [tkhd, mdhd] = [findBox(trak, 'tkhd'), findBox(trak, 'mdia', 'mdhd')]
    const id = tkhd.readUInt32BE(tkhd[0] === 1 ? 20 : 12)
    return {
      id,
      trak,
      timescale: mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12),
      kind: findBox(trak, 'mdia', 'hdlr').toString('latin1', 8, 12),
      usual: usual.get(id) ?? { duration: 0, size: 0, flags: 0 },
      end: 0,
      durations: [],
      sizes: [],
      offsets: [],
      syncs: [],
      chunks: []
    }
  })
}

/** Adds the samples of one track's part of a fragment that begins at `moof`. */
function take(traf: Buffer, moof: number, tracks: Map<number, Growing>): void {
  const tfhd = findBox(traf, 'tfhd')
  const track = tracks.get(tfhd.readUInt32BE(4))
  if (!track) return
  const { base, usual } = headerOf(tfhd, moof, track.usual)
  const tfdt = findBox(traf, 'tfdt')
  const time = tfdt.length === 0 ? track.end : tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4)
  // What is missing between two fragments is shown as the last picture before it.
  if (track.sizes.length > 0 && time !== track.end) {
    const last = track.durations.length - 1
    track.durations[last] = Math.max(0, track.durations[last]! + time - track.end)
  }
  track.end = time
  let at = base
  for (const trun of findBoxes(traf, 'trun')) at = takeRun(trun, track, usual, base, at)
}

function headerOf(tfhd: Buffer, moof: number, usual: Defaults): { base: number; usual: Defaults } {
  const flags = tfhd.readUIntBE(1, 3)
  let at = 8
  const next = (flag: number, size = 4) => {
    if (!(flags & flag)) return null
    at += size
    return at - size
  }
  const base = next(0x1, 8)
  next(0x2)
  const [duration, size, sampleFlags] = [next(0x8), next(0x10), next(0x20)]
  const number = (place: number | null, otherwise: number) => (place === null ? otherwise : tfhd.readUInt32BE(place))
  return {
    base: base === null ? moof : Number(tfhd.readBigUInt64BE(base)),
    usual: { duration: number(duration, usual.duration), size: number(size, usual.size), flags: number(sampleFlags, usual.flags) }
  }
}

/** Adds a run's samples; gives where its data end. */
function takeRun(trun: Buffer, track: Growing, usual: Defaults, base: number, follows: number): number {
  const flags = trun.readUIntBE(1, 3)
  const count = trun.readUInt32BE(4)
  let place = 8
  const next = () => trun.readUInt32BE((place += 4) - 4)
  const at = flags & 0x1 ? base + (next() | 0) : follows
  const first = flags & 0x4 ? next() : null
  const chunk: SampleChunk = { at, length: 0, samples: count, time: track.end }
  for (let index = 0; index < count; index++) {
    const duration = flags & 0x100 ? next() : usual.duration
    const size = flags & 0x200 ? next() : usual.size
    const own = flags & 0x400 ? next() : usual.flags
    track.durations.push(duration)
    track.sizes.push(size)
    track.syncs.push(((index === 0 && first !== null ? first : own) & NOT_SYNC) === 0)
    track.offsets.push(flags & 0x800 ? next() | 0 : 0)
    chunk.length += size
    track.end += duration
  }
  if (count > 0) track.chunks.push(chunk)
  return at + chunk.length
}
