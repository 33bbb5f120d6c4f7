import type { FileSlice } from '../core/send-file.ts'
import { makeBox, findBoxes, findBox, makeFullBox, uint64Bytes, uint32Bytes } from './mp4-boxes.ts'
import { readMp4Tracks, type SampleChunk, type Mp4Track } from './mp4-samples.ts'

/** An MP4 assembled on request: its own header, then parts of stored files in sequence. `size` is the total in bytes. */
export type ProgressiveMp4 = { head: Buffer; parts: FileSlice[]; size: number }

type PlacedChunk = SampleChunk & { track: OutputTrack }
type OutputTrack = Mp4Track & { file: string; id: number }

/** Units per second of the movie header (ISO 14496-12, 8.2.2). */
const TIMESCALE = 90_000
const MAX_UINT32 = 0xffff_ffff

/**
 * Combines the tracks of complete fragmented MP4s (HLS renditions: one of video, others of audio) into one seekable MP4 with its tables at
 * the front, without copying their data: only the header is made (about 20 bytes a sample). The same files give the same bytes.
 * Throws a TypeError if a file is no such MP4.
 */
export async function buildProgressiveMp4(files: string[]): Promise<ProgressiveMp4> {
  const tracks: OutputTrack[] = []
  for (const file of files) for (const track of await readMp4Tracks(file)) tracks.push({ ...track, file, id: tracks.length + 1 })
  if (tracks.length === 0) throw new TypeError(`nothing to show in ${files.join(', ')}`)
  const placed: PlacedChunk[] = tracks
    .flatMap(track => track.chunks.map(chunk => ({ ...chunk, track })))
    .sort((a, b) => a.time / a.track.timescale - b.time / b.track.timescale || a.track.id - b.track.id)
  const length = placed.reduce((sum, chunk) => sum + chunk.length, 0)

  const ftyp = makeBox('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41', 'latin1'))
  const dataHeader =
    length + 8 > MAX_UINT32
      ? Buffer.concat([uint32Bytes([1]), Buffer.from('mdat'), uint64Bytes([length + 16])])
      : Buffer.concat([uint32Bytes([length + 8]), Buffer.from('mdat')])
  const use64BitOffsets = length + 2 ** 30 > MAX_UINT32
  const makeMovie = (offset: number) => makeMoov(tracks, layOutChunks(placed, offset), use64BitOffsets)
  // The offset of the data depends on the length of the tables, which does not depend on that offset.
  const dataStart = ftyp.length + makeMovie(0).length + dataHeader.length
  const head = Buffer.concat([ftyp, makeMovie(dataStart), dataHeader])
  return { head, parts: mergeSlices(placed), size: head.length + length }
}

/** The offsets of the chunks of each track in the combined file. */
function layOutChunks(placed: PlacedChunk[], dataStart: number): Map<OutputTrack, number[]> {
  const chunkOffsets = new Map<OutputTrack, number[]>()
  let offset = dataStart
  for (const { track, length } of placed) {
    const offsets = chunkOffsets.get(track) ?? []
    offsets.push(offset)
    chunkOffsets.set(track, offsets)
    offset += length
  }
  return chunkOffsets
}

/** File slices for the chunks; chunks that are contiguous in a file become one slice. */
function mergeSlices(placed: PlacedChunk[]): FileSlice[] {
  const parts: FileSlice[] = []
  for (const {
    track: { file },
    offset,
    length
  } of placed) {
    const last = parts.at(-1)
    if (last?.file === file && last.at + last.length === offset) last.length += length
    else parts.push({ file, at: offset, length })
  }
  return parts
}

function makeMoov(tracks: OutputTrack[], chunkOffsets: Map<OutputTrack, number[]>, use64BitOffsets: boolean): Buffer {
  const duration = Math.max(...tracks.map(trackDuration))
  const [high, low] = [Math.floor(duration / 2 ** 32), duration % 2 ** 32]
  const matrix = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000]
  const mvhd = makeFullBox('mvhd', 1, 0, [
    0,
    0,
    0,
    0,
    TIMESCALE,
    high,
    low,
    0x10000,
    0x1000000,
    0,
    0,
    ...matrix,
    0,
    0,
    0,
    0,
    0,
    0,
    tracks.length + 1
  ])
  return makeBox(
    'moov',
    mvhd,
    ...tracks.map(track =>
      makeTrak(track, chunkOffsets.get(track)!, use64BitOffsets, tracks.find(other => other.kind === track.kind) === track)
    )
  )
}

/** The end of a track on the movie timeline, in units of TIMESCALE. */
function trackDuration(track: OutputTrack): number {
  return Math.round(((trackStart(track) + track.durations.reduce((sum, duration) => sum + duration, 0)) * TIMESCALE) / track.timescale)
}

function trackStart({ chunks }: OutputTrack): number {
  return chunks[0]!.time
}

function makeTrak(track: OutputTrack, chunkOffsets: number[], use64BitOffsets: boolean, first: boolean): Buffer {
  const { trak, kind } = track
  const mediaDuration = track.durations.reduce((sum, duration) => sum + duration, 0)
  const media = findBox(trak, 'mdia')
  const info = findBox(media, 'minf')
  const copyBoxes = (body: Buffer, ...types: string[]) =>
    types.flatMap(type =>
      findBoxes(body, type)
        .slice(0, 1)
        .map(body => makeBox(type, body))
    )
  const mdhd = makeFullBox('mdhd', 1, 0, [
    0,
    0,
    0,
    0,
    track.timescale,
    Math.floor(mediaDuration / 2 ** 32),
    mediaDuration % 2 ** 32,
    languageField(findBox(media, 'mdhd'))
  ])
  const minf = makeBox(
    'minf',
    ...copyBoxes(info, kind === 'vide' ? 'vmhd' : 'smhd', 'dinf'),
    makeBox('stbl', ...copyBoxes(findBox(info, 'stbl'), 'stsd'), ...makeSampleTables(track, chunkOffsets, use64BitOffsets))
  )
  return makeBox('trak', makeTkhd(track, first), makeEdts(track), makeBox('mdia', mdhd, ...copyBoxes(media, 'hdlr'), minf))
}

/** The language code and the two bytes after it, as the source has them. */
function languageField(mdhd: Buffer): number {
  return mdhd.readUInt32BE(mdhd[0] === 1 ? 32 : 20)
}

function makeTkhd(track: OutputTrack, first: boolean): Buffer {
  const source = findBox(track.trak, 'tkhd')
  const duration = trackDuration(track)
  const rest = source.subarray(source[0] === 1 ? 36 : 24)
  // Flags: in movie, in preview; of several audio tracks only the first is enabled.
  return makeBox(
    'tkhd',
    uint32Bytes([(1 << 24) | 6 | Number(first), 0, 0, 0, 0, track.id, 0, Math.floor(duration / 2 ** 32), duration % 2 ** 32]),
    rest
  )
}

/** An edit list that starts the track at its first sample, and skips the offset that `presentationDelay` adds. */
function makeEdts(track: OutputTrack): Buffer {
  const start = Math.round((trackStart(track) * TIMESCALE) / track.timescale)
  const entries = [
    ...(start > 0 ? [[start, -1] as const] : []),
    [trackDuration(track) - start, presentationDelay(track) + mediaStart(track)] as const
  ]
  const fields = entries.flatMap(([duration, time]) => [
    Math.floor(duration / 2 ** 32),
    duration % 2 ** 32,
    time < 0 ? -1 : Math.floor(time / 2 ** 32),
    time % 2 ** 32,
    0x10000
  ])
  return makeBox('edts', makeFullBox('elst', 1, 0, [entries.length, ...fields]))
}

/** The delay that makes every composition offset non-negative, since old players do not support negative ones. */
function presentationDelay({ compositionOffsets }: OutputTrack): number {
  let smallest = 0
  for (const offset of compositionOffsets) smallest = Math.min(smallest, offset)
  return -smallest
}

/** The media time at which the source's own edit list starts (it skips the priming samples of an audio encoder). */
function mediaStart({ trak }: OutputTrack): number {
  const elst = findBox(trak, 'edts', 'elst')
  if (elst.length < 20) return 0
  const time = elst[0] === 1 ? Number(elst.readBigInt64BE(16)) : elst.readInt32BE(12)
  return Math.max(0, time)
}

function makeSampleTables(track: OutputTrack, chunkOffsets: number[], use64BitOffsets: boolean): Buffer[] {
  const { sizes, syncs, durations, compositionOffsets, chunks } = track
  const delay = presentationDelay(track)
  const runLengths = (values: number[]) => {
    const pairs: number[] = []
    for (const value of values) {
      if (pairs.length > 0 && pairs.at(-1) === value) pairs[pairs.length - 2]!++
      else pairs.push(1, value)
    }
    return pairs
  }
  const sampleDurations = runLengths(durations)
  const presentationOffsets = runLengths(compositionOffsets.map(offset => offset + delay))
  const syncSamples = syncs.flatMap((sync, index) => (sync ? [index + 1] : []))
  const sampleToChunk: number[] = []
  chunks.forEach(({ samples }, index) => {
    if (sampleToChunk.at(-2) !== samples) sampleToChunk.push(index + 1, samples, 1)
  })
  return [
    makeFullBox('stts', 0, 0, [sampleDurations.length / 2, ...sampleDurations]),
    ...(presentationOffsets.length === 2 && presentationOffsets[1] === 0
      ? []
      : [makeFullBox('ctts', 0, 0, [presentationOffsets.length / 2, ...presentationOffsets])]),
    ...(syncSamples.length === syncs.length ? [] : [makeFullBox('stss', 0, 0, [syncSamples.length, ...syncSamples])]),
    makeFullBox('stsc', 0, 0, [sampleToChunk.length / 3, ...sampleToChunk]),
    makeFullBox('stsz', 0, 0, [0, sizes.length, ...sizes]),
    use64BitOffsets
      ? makeBox('co64', uint32Bytes([0, chunkOffsets.length]), uint64Bytes(chunkOffsets))
      : makeFullBox('stco', 0, 0, [chunkOffsets.length, ...chunkOffsets])
  ]
}
