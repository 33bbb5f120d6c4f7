import type { FileSlice } from '../core/send-file.ts'
import { makeBox, findBoxes, findBox, makeFullBox, uint64Bytes, uint32Bytes } from './mp4-boxes.ts'
import { readMp4Tracks, type SampleChunk, type Mp4Track } from './mp4-samples.ts'

/** An MP4 that nobody stored: its own head, then parts of stored files one after the other. `size` in bytes, of all. */
export type ProgressiveMp4 = { head: Buffer; parts: FileSlice[]; size: number }

type Placed = SampleChunk & { track: Entry }
type Entry = Mp4Track & { file: string; id: number }

/** Units in a second of the whole film (ISO 14496-12, 8.2.2). */
const TIMESCALE = 90_000
const LONG = 0xffff_ffff

/**
 * Lays the tracks of complete fragmented MP4s (HLS renditions: a picture, a sound) side by side as one seekable MP4 with its tables at the
 * front,
 * without a copy of their data: only the head is made (about 20 bytes a sample). The same files give the same bytes.
 * Throws a TypeError where a file is no such MP4.
 */
export async function buildProgressiveMp4(files: string[]): Promise<ProgressiveMp4> {
  const tracks: Entry[] = []
  for (const file of files) for (const track of await readMp4Tracks(file)) tracks.push({ ...track, file, id: tracks.length + 1 })
  if (tracks.length === 0) throw new TypeError(`nothing to show in ${files.join(', ')}`)
  const placed: Placed[] = tracks
    .flatMap(track => track.chunks.map(chunk => ({ ...chunk, track })))
    .sort((a, b) => a.time / a.track.timescale - b.time / b.track.timescale || a.track.id - b.track.id)
  const length = placed.reduce((sum, chunk) => sum + chunk.length, 0)

  const ftyp = makeBox('ftyp', Buffer.from('isom\0\0\x02\0isomiso2avc1mp41', 'latin1'))
  const dataHead =
    length + 8 > LONG
      ? Buffer.concat([uint32Bytes([1]), Buffer.from('mdat'), uint64Bytes([length + 16])])
      : Buffer.concat([uint32Bytes([length + 8]), Buffer.from('mdat')])
  const far = length + 2 ** 30 > LONG
  const movie = (offset: number) => moov(tracks, placesOf(placed, offset), far)
  // Where the data begin depends on how long the tables are, which does not depend on where the data begin.
  const start = ftyp.length + movie(0).length + dataHead.length
  const head = Buffer.concat([ftyp, movie(start), dataHead])
  return { head, parts: joined(placed), size: head.length + length }
}

/** Where every chunk of each track lies in the whole. */
function placesOf(placed: Placed[], start: number): Map<Entry, number[]> {
  const places = new Map<Entry, number[]>()
  let at = start
  for (const { track, length } of placed) {
    const known = places.get(track) ?? []
    known.push(at)
    places.set(track, known)
    at += length
  }
  return places
}

/** Chunks that lie side by side in a file are one part. */
function joined(placed: Placed[]): FileSlice[] {
  const parts: FileSlice[] = []
  for (const {
    track: { file },
    at,
    length
  } of placed) {
    const last = parts.at(-1)
    if (last?.file === file && last.at + last.length === at) last.length += length
    else parts.push({ file, at, length })
  }
  return parts
}

function moov(tracks: Entry[], places: Map<Entry, number[]>, far: boolean): Buffer {
  const duration = Math.max(...tracks.map(lengthOf))
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
    ...tracks.map(track => trak(track, places.get(track)!, far, tracks.find(one => one.kind === track.kind) === track))
  )
}

/** How long a track is shown, in units of the film. */
function lengthOf(track: Entry): number {
  return Math.round(((startOf(track) + track.durations.reduce((sum, one) => sum + one, 0)) * TIMESCALE) / track.timescale)
}

function startOf({ chunks }: Entry): number {
  return chunks[0]!.time
}

function trak(track: Entry, places: number[], far: boolean, first: boolean): Buffer {
  const { trak, kind } = track
  const units = track.durations.reduce((sum, one) => sum + one, 0)
  const media = findBox(trak, 'mdia')
  const info = findBox(media, 'minf')
  const kept = (body: Buffer, ...types: string[]) =>
    types.flatMap(type =>
      findBoxes(body, type)
        .slice(0, 1)
        .map(one => makeBox(type, one))
    )
  const mdhd = makeFullBox('mdhd', 1, 0, [
    0,
    0,
    0,
    0,
    track.timescale,
    Math.floor(units / 2 ** 32),
    units % 2 ** 32,
    languageOf(findBox(media, 'mdhd'))
  ])
  const minf = makeBox(
    'minf',
    ...kept(info, kind === 'vide' ? 'vmhd' : 'smhd', 'dinf'),
    makeBox('stbl', ...kept(findBox(info, 'stbl'), 'stsd'), ...tables(track, places, far))
  )
  return makeBox('trak', tkhd(track, first), edts(track), makeBox('mdia', mdhd, ...kept(media, 'hdlr'), minf))
}

/** Language and the two bytes after it, as the file says them. */
function languageOf(mdhd: Buffer): number {
  return mdhd.readUInt32BE(mdhd[0] === 1 ? 32 : 20)
}

function tkhd(track: Entry, first: boolean): Buffer {
  const old = findBox(track.trak, 'tkhd')
  const duration = lengthOf(track)
  const rest = old.subarray(old[0] === 1 ? 36 : 24)
  // In the film, in its preview; of several sounds only the first is on.
  return makeBox(
    'tkhd',
    uint32Bytes([(1 << 24) | 6 | Number(first), 0, 0, 0, 0, track.id, 0, Math.floor(duration / 2 ** 32), duration % 2 ** 32]),
    rest
  )
}

/** Shows the track from where it begins: not before its first sample, and not what old players would need to sort pictures. */
function edts(track: Entry): Buffer {
  const begin = Math.round((startOf(track) * TIMESCALE) / track.timescale)
  const entries = [...(begin > 0 ? [[begin, -1] as const] : []), [lengthOf(track) - begin, delayOf(track) + skipOf(track)] as const]
  const body = entries.flatMap(([duration, time]) => [
    Math.floor(duration / 2 ** 32),
    duration % 2 ** 32,
    time < 0 ? -1 : Math.floor(time / 2 ** 32),
    time % 2 ** 32,
    0x10000
  ])
  return makeBox('edts', makeFullBox('elst', 1, 0, [entries.length, ...body]))
}

/** By how much showing is put off so that no sample is shown before it is decoded, which old players do not know. */
function delayOf({ offsets }: Entry): number {
  let least = 0
  for (const offset of offsets) least = Math.min(least, offset)
  return -least
}

/** What the file itself says not to show of its beginning (a sound coder's first samples). */
function skipOf({ trak }: Entry): number {
  const elst = findBox(trak, 'edts', 'elst')
  if (elst.length < 20) return 0
  const time = elst[0] === 1 ? Number(elst.readBigInt64BE(16)) : elst.readInt32BE(12)
  return Math.max(0, time)
}

function tables(track: Entry, places: number[], far: boolean): Buffer[] {
  const { sizes, syncs, durations, offsets, chunks } = track
  const delay = delayOf(track)
  const runs = (values: number[]) => {
    const found: number[] = []
    for (const value of values) {
      if (found.length > 0 && found.at(-1) === value) found[found.length - 2]!++
      else found.push(1, value)
    }
    return found
  }
  const times = runs(durations)
  const shown = runs(offsets.map(offset => offset + delay))
  const starts = syncs.flatMap((sync, index) => (sync ? [index + 1] : []))
  const groups: number[] = []
  chunks.forEach(({ samples }, index) => {
    if (groups.at(-2) !== samples) groups.push(index + 1, samples, 1)
  })
  return [
    makeFullBox('stts', 0, 0, [times.length / 2, ...times]),
    ...(shown.length === 2 && shown[1] === 0 ? [] : [makeFullBox('ctts', 0, 0, [shown.length / 2, ...shown])]),
    ...(starts.length === syncs.length ? [] : [makeFullBox('stss', 0, 0, [starts.length, ...starts])]),
    makeFullBox('stsc', 0, 0, [groups.length / 3, ...groups]),
    makeFullBox('stsz', 0, 0, [0, sizes.length, ...sizes]),
    far ? makeBox('co64', uint32Bytes([0, places.length]), uint64Bytes(places)) : makeFullBox('stco', 0, 0, [places.length, ...places])
  ]
}
