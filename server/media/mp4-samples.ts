import { open, type FileHandle } from 'node:fs/promises'
import { findBoxes, findBox } from './mp4-boxes.ts'

/** Contiguous samples of a file: offset and length in bytes, their number, and the decode time of the first (units of the track). */
export type SampleChunk = { offset: number; length: number; samples: number; time: number }

/** A track of a fragmented MP4 with all its samples, in the order they are decoded. Times are in units of `timescale`. */
export type Mp4Track = {
  /** The body of the track's box in the header. */
  trak: Buffer
  timescale: number
  kind: string
  durations: number[]
  sizes: number[]
  /** From a sample's decode time to its presentation time; may be negative. */
  compositionOffsets: number[]
  /** Whether decoding can start at a sample. */
  syncs: boolean[]
  chunks: SampleChunk[]
}

type SampleDefaults = { duration: number; size: number; flags: number }
type TrackBuilder = Mp4Track & { id: number; defaults: SampleDefaults; end: number }

const NOT_SYNC = 0x10000
/** Bytes read at each box: enough for the tables of most fragments. */
const READ_BYTES = 16_384
const MAX_TABLE_BYTES = 64 * 1024 * 1024

/**
 * Reads the location of every sample of a fragmented MP4 (ISO 14496-12, 8.8) without reading the samples. Throws a TypeError if the file
 * is no fragmented MP4 or is truncated.
 */
export async function readMp4Tracks(file: string): Promise<Mp4Track[]> {
  const handle = await open(file, 'r')
  try {
    const { size } = await handle.stat()
    const tracks = new Map<number, TrackBuilder>()
    for (let offset = 0; offset < size;) {
      const buffer = await readBytes(handle, offset, Math.min(READ_BYTES, size - offset))
      const { type, length } = readBoxHeader(buffer)
      if (length < 8 || offset + length > size) throw new TypeError(`${file} is cut off at ${offset}`)
      if (type === 'moov' || type === 'moof') {
        if (length > MAX_TABLE_BYTES) throw new TypeError(`${file} has a table of ${length} bytes`)
        const body = (length <= buffer.length ? buffer.subarray(0, length) : await readBytes(handle, offset, length)).subarray(8)
        if (type === 'moov') for (const track of readTrackHeaders(body)) tracks.set(track.id, track)
        else for (const traf of findBoxes(body, 'traf')) addFragment(traf, offset, tracks)
      }
      offset += length
    }
    if (tracks.size === 0) throw new TypeError(`${file} has no tracks`)
    return [...tracks.values()].filter(({ sizes }) => sizes.length > 0)
  } finally {
    await handle.close()
  }
}

async function readBytes(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  const { bytesRead } = await handle.read(bytes, 0, length, offset)
  return bytes.subarray(0, bytesRead)
}

function readBoxHeader(buffer: Buffer): { type: string; length: number } {
  if (buffer.length < 8) return { type: '', length: 0 }
  const size32 = buffer.readUInt32BE(0)
  return { type: buffer.toString('latin1', 4, 8), length: size32 === 1 && buffer.length >= 16 ? Number(buffer.readBigUInt64BE(8)) : size32 }
}

function readTrackHeaders(moov: Buffer): TrackBuilder[] {
  const defaultsByTrack = new Map(
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
      defaults: defaultsByTrack.get(id) ?? { duration: 0, size: 0, flags: 0 },
      end: 0,
      durations: [],
      sizes: [],
      compositionOffsets: [],
      syncs: [],
      chunks: []
    }
  })
}

/** Adds the samples of one track fragment whose moof begins at `moofOffset`. */
function addFragment(traf: Buffer, moofOffset: number, tracks: Map<number, TrackBuilder>): void {
  const tfhd = findBox(traf, 'tfhd')
  const track = tracks.get(tfhd.readUInt32BE(4))
  if (!track) return
  const { baseOffset, defaults } = readFragmentHeader(tfhd, moofOffset, track.defaults)
  const tfdt = findBox(traf, 'tfdt')
  const time = tfdt.length === 0 ? track.end : tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4)
  // A gap between two fragments extends the last frame before it.
  if (track.sizes.length > 0 && time !== track.end) {
    const last = track.durations.length - 1
    track.durations[last] = Math.max(0, track.durations[last]! + time - track.end)
  }
  track.end = time
  let offset = baseOffset
  for (const trun of findBoxes(traf, 'trun')) offset = addRun(trun, track, defaults, baseOffset, offset)
}

function readFragmentHeader(tfhd: Buffer, moofOffset: number, defaults: SampleDefaults): { baseOffset: number; defaults: SampleDefaults } {
  const flags = tfhd.readUIntBE(1, 3)
  let position = 8
  const fieldPosition = (flag: number, size = 4) => {
    if (!(flags & flag)) return null
    position += size
    return position - size
  }
  const baseOffset = fieldPosition(0x1, 8)
  fieldPosition(0x2)
  const [duration, size, sampleFlags] = [fieldPosition(0x8), fieldPosition(0x10), fieldPosition(0x20)]
  const readOrDefault = (position: number | null, fallback: number) => (position === null ? fallback : tfhd.readUInt32BE(position))
  return {
    baseOffset: baseOffset === null ? moofOffset : Number(tfhd.readBigUInt64BE(baseOffset)),
    defaults: {
      duration: readOrDefault(duration, defaults.duration),
      size: readOrDefault(size, defaults.size),
      flags: readOrDefault(sampleFlags, defaults.flags)
    }
  }
}

/** Adds the samples of a track run; returns the offset where its data end. */
function addRun(trun: Buffer, track: TrackBuilder, defaults: SampleDefaults, baseOffset: number, nextOffset: number): number {
  const flags = trun.readUIntBE(1, 3)
  const count = trun.readUInt32BE(4)
  let position = 8
  const readUint32 = () => trun.readUInt32BE((position += 4) - 4)
  const dataOffset = flags & 0x1 ? baseOffset + (readUint32() | 0) : nextOffset
  const firstFlags = flags & 0x4 ? readUint32() : null
  const chunk: SampleChunk = { offset: dataOffset, length: 0, samples: count, time: track.end }
  for (let index = 0; index < count; index++) {
    const duration = flags & 0x100 ? readUint32() : defaults.duration
    const size = flags & 0x200 ? readUint32() : defaults.size
    const sampleFlags = flags & 0x400 ? readUint32() : defaults.flags
    track.durations.push(duration)
    track.sizes.push(size)
    track.syncs.push(((index === 0 && firstFlags !== null ? firstFlags : sampleFlags) & NOT_SYNC) === 0)
    track.compositionOffsets.push(flags & 0x800 ? readUint32() | 0 : 0)
    chunk.length += size
    track.end += duration
  }
  if (count > 0) track.chunks.push(chunk)
  return dataOffset + chunk.length
}
