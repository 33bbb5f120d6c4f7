import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { findBox, findBoxes } from '../media/mp4-boxes.ts'
import { readMp4Tracks, type Mp4Track } from '../media/mp4-samples.ts'
import { parseMediaPlaylist, type HlsOutput } from '../media/hls-playlist.ts'

/** Seconds by which EXTINF may differ from the samples: both are rounded. */
const EXTINF_TOLERANCE = 0.001
/** Seconds at which the first frame is shown at the latest. */
const START_TOLERANCE = 0.05

/** A rendition on the disk: its tracks, and the length in seconds that players show. */
export type TimedRendition = { tracks: Mp4Track[]; length: number }

/**
 * Compares the playlist of a rendition with the boxes of its file: byte ranges, EXTINF, keyframes, sample times. Returns what is wrong, and
 * the tracks; null if they cannot be read.
 */
export async function checkPlaylist(
  folder: string,
  output: Pick<HlsOutput, 'playlist' | 'file'>,
  { expectVod, exactExtinf }: { expectVod: boolean; exactExtinf: boolean }
): Promise<{ findings: string[]; rendition: TimedRendition | null }> {
  const findings: string[] = []
  try {
    const text = await readFile(join(folder, output.playlist), 'utf8')
    const playlist = parseMediaPlaylist(text, output.playlist)
    const { size } = await stat(join(folder, output.file))
    if (!playlist.ended) findings.push('the playlist has no ENDLIST')
    if (expectVod && !/^#EXT-X-PLAYLIST-TYPE:VOD\r?$/m.test(text)) findings.push('the complete playlist has not the type VOD')
    const longest = Math.max(0, ...playlist.segments.map(({ duration }) => duration))
    if (playlist.targetDuration < Math.round(longest))
      findings.push(`TARGETDURATION is ${playlist.targetDuration}, but a segment lasts ${longest} s (RFC 8216, 4.3.3.1)`)
    if (playlist.segments.length === 0) findings.push('the playlist has no segments')

    let end = 0
    for (const part of [playlist.init, ...playlist.segments]) {
      if (part?.uri !== output.file) findings.push(`the playlist names ${part?.uri} instead of ${output.file}`)
      if (part?.byterange?.offset !== end) findings.push(`a byte range begins at ${part?.byterange?.offset} instead of ${end}`)
      end = (part?.byterange?.offset ?? 0) + (part?.byterange?.length ?? 0)
    }
    if (end !== size) findings.push(`byte ranges end at ${end}, the file at ${size}`)

    const tracks = await readMp4Tracks(join(folder, output.file))
    const main = tracks.find(({ kind }) => kind === 'vide') ?? tracks[0]
    if (!main) return { findings: [...findings, 'no samples'], rendition: null }
    const segments = samplesByRange(
      main,
      playlist.segments.map(({ byterange }) => byterange ?? { offset: 0, length: 0 })
    )
    playlist.segments.forEach(({ duration }, index) => {
      const { first, count, units } = segments[index]!
      const seconds = units / main.timescale
      if (count === 0) findings.push(`segment ${index} has no samples`)
      else if (exactExtinf && Math.abs(seconds - duration) > EXTINF_TOLERANCE)
        findings.push(`EXTINF of segment ${index} is ${duration}, its samples last ${seconds.toFixed(6)} s`)
      if (count > 0 && main.kind === 'vide' && !main.syncs[first]) findings.push(`segment ${index} does not begin with a keyframe`)
    })
    for (const track of tracks) findings.push(...checkSampleTimes(track))
    return { findings, rendition: { tracks, length: Math.max(...tracks.map(trackEnd)) } }
  } catch (error) {
    return { findings: [...findings, (error as Error).message], rendition: null }
  }
}

/** The end of a track on the presentation timeline, in seconds. */
export function trackEnd(track: Mp4Track): number {
  return (track.chunks[0]!.time - skippedUnits(track) + track.durations.reduce((sum, units) => sum + units, 0)) / track.timescale
}

/** Compares the lengths of renditions, downloads and sound with each other and with that of the source; seconds by name. */
export function checkLengths(lengths: Map<string, number>, expected: number | null, tolerance = LENGTH_TOLERANCE): string[] {
  const named = [...lengths].map(([name, seconds]) => `${name} ${seconds.toFixed(3)}`).join(', ')
  const values = [...lengths.values(), ...(expected === null ? [] : [expected])]
  return Math.max(...values) - Math.min(...values) > tolerance
    ? [`lengths differ: ${named}${expected === null ? '' : `; the source has ${expected.toFixed(3)}`} (seconds)`]
    : []
}

/**
 * Seconds by which lengths may differ: sound ends with a whole packet of AAC (1024 samples, 46 ms at 22,050 Hz) after its encoder's priming
 * of as many, and containers round, or leave out, the duration of the last frame (40 ms).
 */
export const LENGTH_TOLERANCE = 0.12

/** The length in seconds of each track of an MP4 that is not fragmented, from the tables in `head`. Throws a TypeError if they disagree. */
export function progressiveTrackLengths(head: Buffer): number[] {
  const moov = findBox(head, 'moov')
  const movieScale = findBox(moov, 'mvhd').readUInt32BE(20)
  return findBoxes(moov, 'trak').map(trak => {
    const mdhd = findBox(trak, 'mdia', 'mdhd')
    const stts = findBox(trak, 'mdia', 'minf', 'stbl', 'stts')
    let units = 0
    for (let at = 8; at + 8 <= stts.length; at += 8) units += stts.readUInt32BE(at) * stts.readUInt32BE(at + 4)
    const sampleSeconds = units / mdhd.readUInt32BE(20)
    // The header of the track has its length on the presentation timeline, which players show.
    const shown = Number(findBox(trak, 'tkhd').readBigUInt64BE(28)) / movieScale
    if (Math.abs(shown - sampleSeconds) > LENGTH_TOLERANCE)
      throw new TypeError(`a track says that it has ${shown} s, its samples have ${sampleSeconds} s`)
    return shown
  })
}

/** As many packets of sound may overlap with others. */
const MAX_SHORT_PACKETS = 4

function checkSampleTimes(track: Mp4Track): string[] {
  const findings: string[] = []
  const times = presentationTimes(track)
  const repeated = times.filter((time, index) => index > 0 && time - times[index - 1]! < 0.5 / track.timescale).length
  if (track.durations.slice(0, -1).includes(0)) findings.push(`${track.kind}: some samples have no duration`)
  // Every packet of sound decodes to as many samples: players that count those get out of step. One may be cut where the form changes.
  const usual = track.durations.toSorted((a, b) => a - b)[track.durations.length >> 1]!
  const short = track.kind === 'soun' ? track.durations.slice(0, -1).filter(duration => duration < usual / 2).length : 0
  if (short > MAX_SHORT_PACKETS) findings.push(`${track.kind}: ${short} packets last less than their sound`)
  if (repeated > 0) findings.push(`${track.kind}: ${repeated} samples are shown at the time of another`)
  if (Math.abs(times[0]!) > START_TOLERANCE) findings.push(`${track.kind}: begins at ${times[0]!.toFixed(3)} s`)
  return findings
}

/** When players show the samples of a track, in seconds, sorted. */
export function presentationTimes(track: Mp4Track): number[] {
  let dts = track.chunks[0]!.time - skippedUnits(track)
  return track.durations
    .map((units, index) => {
      dts += units
      return (dts - units + track.compositionOffsets[index]!) / track.timescale
    })
    .sort((a, b) => a - b)
}

/** What the track's edit list skips: the priming samples of an audio encoder. */
function skippedUnits({ trak }: Mp4Track): number {
  const elst = findBox(trak, 'edts', 'elst')
  if (elst.length < 20) return 0
  return Math.max(0, elst[0] === 1 ? Number(elst.readBigInt64BE(16)) : elst.readInt32BE(12))
}

/** For each byte range the first of its samples, their number and the sum of their durations. */
function samplesByRange(track: Mp4Track, ranges: { offset: number; length: number }[]): { first: number; count: number; units: number }[] {
  const segments = ranges.map(() => ({ first: 0, count: 0, units: 0 }))
  let sample = 0
  for (const chunk of track.chunks) {
    const index = ranges.findIndex(({ offset, length }) => chunk.offset >= offset && chunk.offset + chunk.length <= offset + length)
    const segment = segments[index]
    if (segment) {
      if (segment.count === 0) segment.first = sample
      for (let i = 0; i < chunk.samples; i++) segment.units += track.durations[sample + i]!
      segment.count += chunk.samples
    }
    sample += chunk.samples
  }
  return segments
}
