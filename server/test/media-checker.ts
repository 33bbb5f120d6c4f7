import { mkdtemp, open, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { HlsOutput } from '../media/hls-playlist.ts'
import { hasMovingVideo, type Probe } from '../media/probe.ts'
import { buildProgressiveMp4 } from '../media/progressive-mp4.ts'
import { checkColorTags, compareColors } from './media-colors.ts'
import { checkImages, type CheckedImages } from './media-images.ts'
import { comparePictures, compareSounds, medianStep, type Comparison } from './media-correlation.ts'
import {
  decodeRenditions,
  decodeSource,
  decodingErrors,
  PICTURE_BYTES,
  SOUND_RATE,
  type ColorTags,
  type DecodedMedia,
  type DecodedStreams,
  type Packet
} from './media-decoding.ts'
import {
  checkLengths,
  checkPlaylist,
  LENGTH_TOLERANCE,
  presentationTimes,
  progressiveTrackLengths,
  type TimedRendition
} from './media-timing.ts'

/** What is expected of a ladder beyond what always holds. */
export type MediaExpectations = {
  /** A complete playlist says that it is complete (EXT-X-PLAYLIST-TYPE:VOD). */
  expectVod: boolean
  /** EXTINF is the sum of the durations of a segment's samples. */
  exactExtinf: boolean
  /** Colors are the source's. */
  sameColors: boolean
  /** Encoded renditions are tagged with their colors. */
  colorTags: boolean
  /** Picture and sound that end up to a second apart in the source end together. */
  joinedEnds: boolean
  /** Everything has the length that the probe found. */
  sameLength: boolean
  /** Copies of the source's video stream decode without errors; false for a damaged source. */
  soundCopies: boolean
}

/** What is checked where a test says nothing else. */
export const defaultExpectations: MediaExpectations = {
  expectVod: true,
  exactExtinf: true,
  sameColors: true,
  colorTags: true,
  joinedEnds: true,
  sameLength: true,
  soundCopies: true
}

/** A ladder that was made of a source; `source` is null if it is gone: then only what needs none is checked. */
export type CheckedLadder = {
  source: string | null
  probe: Probe
  folder: string
  outputs: (Pick<HlsOutput, 'kind' | 'resolution' | 'playlist' | 'file' | 'audioTrack'> & { copied?: boolean })[]
  images?: CheckedImages
  /** How downloads are made of renditions: as the server does it. */
  buildDownload?: typeof buildProgressiveMp4
}

type Rendition = CheckedLadder['outputs'][number] & { name: string; timed: TimedRendition; decoded: DecodedMedia }

/**
 * Checks everything that was made of a source against it and against each other: files, playlists, downloads. Returns sentences about what is
 * wrong (none: all is well), and what could not be judged, as a still picture has no offset. Runs two processes of ffmpeg.
 */
export async function checkMedia(ladder: CheckedLadder, expectations: Partial<MediaExpectations> = {}): Promise<Comparison> {
  const expected = { ...defaultExpectations, ...expectations }
  const scratch = await mkdtemp(join(tmpdir(), 'bobine-check-'))
  try {
    return await checkLadder(ladder, expected, scratch)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** Throws an error that lists what `checkMedia` finds. */
export async function expectGoodMedia(ladder: CheckedLadder, expectations: Partial<MediaExpectations> = {}): Promise<void> {
  const { findings } = await checkMedia(ladder, expectations)
  if (findings.length > 0) throw new Error(`The renditions of ${ladder.source ?? ladder.folder} are wrong:\n- ${findings.join('\n- ')}`)
}

async function checkLadder(ladder: CheckedLadder, expected: MediaExpectations, scratch: string): Promise<Comparison> {
  const { probe, folder, outputs } = ladder
  const result: Comparison = { findings: [], notMeasurable: [] }
  const timed = new Map<string, TimedRendition>()
  for (const output of outputs) {
    const { findings, rendition } = await checkPlaylist(folder, output, expected)
    result.findings.push(...findings.map(finding => `${nameOf(output)}: ${finding}`))
    if (rendition) timed.set(output.file, rendition)
  }
  const readable = outputs.filter(({ file }) => timed.has(file))
  if (readable.length === 0) return { ...result, findings: [...result.findings, 'there is no rendition'] }

  const downloads = await writeDownloads({ buildDownload: buildProgressiveMp4, ...ladder, outputs: readable }, scratch, result.findings)
  const files = readable.map(({ file }) => join(folder, file))
  const source = await decodeSource(ladder.source, probe, files, scratch)
  const { renditions, packets, errors } = await decodeOutputs(readable, timed, folder, source.tags, downloads, scratch)
  if (errors.length > 0) result.findings.push(...(await nameErrors(ladder, readable, downloads, expected)))
  for (const [index, rendition] of renditions.entries()) {
    result.findings.push(...checkPackets(rendition, packets[index]!).map(finding => `${rendition.name}: ${finding}`))
    const { findings, notMeasurable } = compareWithSource(rendition, source, probe, expected)
    result.findings.push(...findings.map(finding => `${rendition.name}: ${finding}`))
    result.notMeasurable.push(...notMeasurable.map(reason => `${rendition.name}: ${reason}`))
    const tags = source.tags.get(join(folder, rendition.file))
    if (expected.colorTags && rendition.kind === 'video' && !rendition.copied)
      result.findings.push(...checkColorTags(tags).map(finding => `${rendition.name}: ${finding}`))
  }
  downloads.forEach((download, index) => {
    const made = packets[renditions.length + index]!
    const stored = download.files.flatMap(file => packets[readable.findIndex(output => output.file === file)]!)
    if (contentOf(made) !== contentOf(stored)) result.findings.push(`${download.name}: its packets are not those of the renditions`)
  })
  const lengths = new Map<string, number>([
    ...renditions.map(({ name, timed }) => [name, timed.length] as const),
    ...downloads.flatMap(({ name, lengths }) => lengths.map((length, track) => [`${name} track ${track}`, length] as const))
  ])
  if (ladder.images) {
    const { findings, notMeasurable } = await checkImages(ladder.images, source.pictures, probe)
    result.findings.push(...findings)
    result.notMeasurable.push(...notMeasurable)
  }
  const tolerance = LENGTH_TOLERANCE + (expected.joinedEnds ? 0 : Math.min(MAX_END_GAP, endGap(source)))
  result.findings.push(...checkLengths(lengths, expected.sameLength ? probe.duration : null, tolerance))
  return result
}

/** Seconds by which the streams of a source may end apart before the shorter one is extended. */
const MAX_END_GAP = 1

/** Seconds between the ends of the streams of a source. */
function endGap({ pictures, sounds }: DecodedMedia): number {
  const ends = [
    ...sounds.filter(({ length }) => length > 0).map(({ length }) => length / SOUND_RATE),
    ...(pictures && pictures.times.length > 0 ? [pictures.times.at(-1)! + medianStep(pictures.times)] : [])
  ]
  return ends.length > 0 ? Math.max(...ends) - Math.min(...ends) : 0
}

/** The errors of each file that cannot be decoded, a few of them: those of one process do not tell which file they are about. */
async function nameErrors(
  { folder }: CheckedLadder,
  outputs: CheckedLadder['outputs'],
  downloads: { name: string; file: string; files: string[] }[],
  { soundCopies }: MediaExpectations
): Promise<string[]> {
  const excused = soundCopies ? [] : outputs.filter(({ copied }) => copied).map(({ file }) => file)
  const files = [
    ...outputs.filter(({ file }) => !excused.includes(file)).map(output => ({ name: nameOf(output), file: join(folder, output.file) })),
    ...downloads.filter(({ files }) => !files.some(file => excused.includes(file)))
  ]
  const findings: string[] = []
  for (const { name, file } of files) {
    const errors = await decodingErrors(file)
    findings.push(...errors.slice(0, 5).map(error => `${name}: ${error}`))
    if (errors.length > 5) findings.push(`${name}: … and ${errors.length - 5} more errors`)
  }
  return findings.length > 0 || excused.length > 0 ? findings : ['ffmpeg reports errors for the renditions together, but for none alone']
}

function compareWithSource(rendition: Rendition, source: DecodedMedia, probe: Probe, expected: MediaExpectations): Comparison {
  const result: Comparison = { findings: [], notMeasurable: [] }
  const add = ({ findings, notMeasurable }: Comparison) => {
    result.findings.push(...findings)
    result.notMeasurable.push(...notMeasurable)
  }
  const video = rendition.timed.tracks.find(({ kind }) => kind === 'vide')
  if (video && rendition.decoded.pictures) {
    const times = presentationTimes(video)
    const frames = rendition.decoded.pictures.rgb.length / PICTURE_BYTES
    if (frames !== times.length && !(rendition.copied && !expected.soundCopies))
      result.findings.push(`${frames} frames can be decoded of ${times.length}`)
    if (!hasMovingVideo(probe)) result.notMeasurable.push('the picture: the source has none that moves')
    else if (frames > 0 && source.pictures) {
      const pictures = { times: times.slice(0, frames), rgb: rendition.decoded.pictures.rgb }
      // HDR is mapped to other colors on purpose.
      const sameColors = !probe.video?.hdr
      add(comparePictures(source.pictures, pictures, { sameColors }))
      if (expected.sameColors && sameColors) add(compareColors(source.pictures, pictures))
    }
  }
  rendition.decoded.sounds.forEach((sound, index) => {
    const original = source.sounds[(rendition.audioTrack?.track ?? 0) + index]
    if (sound.length === 0) result.findings.push('no sound can be decoded')
    else if (original) add(compareSounds(original, sound))
  })
  return result
}

/** Writes the progressive download of every video rendition, with all sound, as a visitor gets it. */
async function writeDownloads(
  { folder, outputs, buildDownload }: Required<Pick<CheckedLadder, 'folder' | 'outputs' | 'buildDownload'>>,
  scratch: string,
  findings: string[]
) {
  const audios = outputs.filter(({ kind }) => kind === 'audio').map(({ file }) => file)
  const videos = outputs.filter(({ kind }) => kind === 'video')
  const downloads: { name: string; file: string; files: string[]; lengths: number[] }[] = []
  for (const output of videos.length > 0 ? videos : outputs.slice(0, 1)) {
    const files = [output.file, ...audios.filter(file => file !== output.file)]
    const name = `download of ${nameOf(output)}`
    try {
      const { head, parts, size } = await buildDownload(files.map(file => join(folder, file)))
      const file = join(scratch, `${output.file}.download.mp4`)
      const chunks = [head]
      for (const part of parts) chunks.push(await readSlice(part))
      await writeFile(file, Buffer.concat(chunks))
      if ((await stat(file)).size !== size) findings.push(`${name}: has not the size it announces`)
      downloads.push({ name, file, files, lengths: progressiveTrackLengths(head) })
    } catch (error) {
      findings.push(`${name}: ${(error as Error).message}`)
    }
  }
  return downloads
}

async function readSlice({ file, at, length }: { file: string; at: number; length: number }): Promise<Buffer> {
  const handle = await open(file, 'r')
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, at)
    return buffer.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

async function decodeOutputs(
  outputs: CheckedLadder['outputs'],
  timed: Map<string, TimedRendition>,
  folder: string,
  tags: Map<string, ColorTags>,
  downloads: { file: string }[],
  scratch: string
): Promise<{ renditions: Rendition[]; packets: Packet[][]; errors: string[] }> {
  const streams = outputs.map((output): DecodedStreams => {
    const kinds = timed.get(output.file)!.tracks.map(({ kind }) => kind)
    const file = join(folder, output.file)
    const indexes = (wanted: string) => kinds.flatMap((kind, index) => (kind === wanted ? [index] : []))
    return { file, video: indexes('vide')[0] ?? null, audios: indexes('soun'), tags: tags.get(file) }
  })
  const files = [...streams.map(({ file }) => file), ...downloads.map(({ file }) => file)]
  const { decoded, packets, errors } = await decodeRenditions(streams, files, scratch)
  return {
    renditions: outputs.map((output, index) => ({
      ...output,
      name: nameOf(output),
      timed: timed.get(output.file)!,
      decoded: decoded[index]!
    })),
    packets,
    errors
  }
}

/** Decode times rise and are never later than the presentation, in each stream, as a demuxer sees them. */
function checkPackets({ timed }: Rendition, packets: Packet[]): string[] {
  const samples = timed.tracks.reduce((sum, { sizes }) => sum + sizes.length, 0)
  const findings = packets.length === samples ? [] : [`a demuxer finds ${packets.length} packets of ${samples}`]
  const late = packets.filter(({ dts, pts }) => dts > pts).length
  if (late > 0) findings.push(`${late} packets are decoded after they are shown`)
  const last = new Map<number, number>()
  let falling = 0
  for (const { stream, dts } of packets) {
    if (dts <= (last.get(stream) ?? -Infinity)) falling++
    last.set(stream, dts)
  }
  return falling > 0 ? [...findings, `${falling} packets are not decoded after the one before`] : findings
}

const contentOf = (packets: Packet[]) =>
  packets
    .map(({ size, checksum }) => `${size} ${checksum}`)
    .sort()
    .join('\n')

function nameOf({ kind, resolution, audioTrack }: CheckedLadder['outputs'][number]): string {
  return kind === 'video' ? `${resolution}p` : `sound ${audioTrack?.name ?? audioTrack?.track ?? 0}`
}
