import { createHash, randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { CaptionKind } from '../../shared/captions.ts'
import { readMp4Init } from './mp4-init.ts'
import type { Probe } from './probe.ts'

/** Identifies an audio track: its number (0: the default), its language (BCP 47; null if unknown) and its name. */
export type AudioTrackName = { track: number; language: string | null; name: string }

/**
 * One rendition: a playlist and the fragmented MP4 file it refers to, both as names within the output folder; for audio `resolution` is 0
 * and `audioTrack` is set.
 */
export type HlsOutput = { kind: 'video' | 'audio'; resolution: number; playlist: string; file: string; audioTrack?: AudioTrackName }

/** A subtitle rendition: the name of its playlist, its language (BCP 47), and its name, which is unique within a master playlist. */
export type HlsSubtitles = { playlist: string; language: string; name: string; kind: CaptionKind }

const READ_BUFFER_BYTES = 65_536

export type ByteRange = { offset: number; length: number }
export type HlsSegment = { uri: string; duration: number; byterange: ByteRange | null }
export type MediaPlaylist = {
  segments: HlsSegment[]
  init: { uri: string; byterange: ByteRange | null } | null
  ended: boolean
  targetDuration: number
}

/** Reads an HLS media playlist from a file, also while it grows; rejects if it is missing or no playlist. */
export async function readMediaPlaylist(file: string): Promise<MediaPlaylist> {
  return parseMediaPlaylist(await readFile(file, 'utf8'), basename(file))
}

/** Parses an HLS media playlist (RFC 8216); throws a TypeError with `name` in its message if it is none. */
export function parseMediaPlaylist(text: string, name = 'This'): MediaPlaylist {
  const lines = text.split(/\r?\n/)
  if (lines[0] !== '#EXTM3U') throw new TypeError(`${name} is no playlist`)
  const playlist: MediaPlaylist = { segments: [], init: null, ended: false, targetDuration: 0 }
  let duration = 0
  let pendingRange: ByteRange | null = null
  for (const line of lines) {
    if (line.startsWith('#EXT-X-TARGETDURATION:')) playlist.targetDuration = Number(line.slice(22))
    else if (line.startsWith('#EXT-X-MAP:')) {
      const bytes = /BYTERANGE="([^"]*)"/.exec(line)?.[1]
      playlist.init = { uri: /URI="([^"]*)"/.exec(line)?.[1] ?? '', byterange: bytes ? parseByteRange(bytes, 0) : null }
    } else if (line.startsWith('#EXTINF:')) duration = Number.parseFloat(line.slice(8))
    else if (line.startsWith('#EXT-X-BYTERANGE:')) {
      const previousRange = playlist.segments.at(-1)?.byterange
      pendingRange = parseByteRange(line.slice(17), previousRange ? previousRange.offset + previousRange.length : 0)
    } else if (line === '#EXT-X-ENDLIST') playlist.ended = true
    else if (line && !line.startsWith('#')) {
      playlist.segments.push({ uri: line, duration, byterange: pendingRange })
      duration = 0
      pendingRange = null
    }
  }
  return playlist
}

/** Attributes of one rendition for the master playlist; bandwidths in bits per second, measured over the existing segments. */
export type HlsVariant = {
  playlist: string
  resolution: number
  width: number
  height: number
  fps: number
  bandwidth: number
  averageBandwidth: number
  codecs: string
}

/** Measures one rendition; rejects while it has no segment yet. The frame rate is that of the probe, if one is given. */
export async function describeVariant(
  folder: string,
  output: HlsOutput,
  probe?: Pick<Probe, 'video'> | null,
  maxFps = Infinity
): Promise<HlsVariant> {
  const playlist = await readMediaPlaylist(join(folder, output.playlist))
  const segments = playlist.segments.filter(segment => segment.byterange !== null)
  if (!playlist.init?.byterange || segments.length === 0) throw new TypeError(`${output.playlist} has no segment yet`)
  const init = await readMp4Init(join(folder, output.file), playlist.init.byterange.length)
  // A very short last segment is not representative of the rate.
  const measured = segments.filter(({ duration }) => duration >= playlist.targetDuration / 2)
  const rates = (measured.length > 0 ? measured : segments).map(
    ({ byterange, duration }) => ((byterange?.length ?? 0) * 8) / Math.max(duration, 0.04)
  )
  const bytes = segments.reduce((sum, { byterange }) => sum + (byterange?.length ?? 0), 0)
  const seconds = Math.max(
    0.04,
    segments.reduce((sum, { duration }) => sum + duration, 0)
  )
  const averageBandwidth = Math.ceil((bytes * 8) / seconds)
  return {
    playlist: output.playlist,
    resolution: output.resolution,
    width: init.width,
    height: init.height,
    fps: output.kind === 'video' ? Math.min(probe?.video && !probe.video.attachedPic ? probe.video.fps : init.fps, maxFps) : 0,
    bandwidth: Math.max(averageBandwidth, Math.ceil(Math.max(...rates))),
    averageBandwidth,
    codecs: init.codecs
  }
}

/**
 * Builds the master playlist, highest rendition first; `audios` are the separate audio tracks, or the only renditions. Subtitles are not
 * shown by default, forced ones with audio of their language.
 */
export function buildMasterPlaylist(
  variants: HlsVariant[],
  audios: (HlsVariant & { audioTrack: AudioTrackName })[],
  subtitles: HlsSubtitles[] = []
): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS', '']
  const tracks = [...audios].sort((a, b) => a.audioTrack.track - b.audioTrack.track)
  const hasVideo = variants.length > 0
  if (hasVideo) {
    for (const {
      playlist,
      audioTrack: { language, name }
    } of tracks) {
      const attributes = [
        'TYPE=AUDIO',
        'GROUP-ID="aud"',
        `NAME="${name}"`,
        ...(language ? [`LANGUAGE="${language}"`] : []),
        `DEFAULT=${playlist === tracks[0]!.playlist ? 'YES' : 'NO'}`,
        'AUTOSELECT=YES',
        `URI="${playlist}"`
      ]
      lines.push(`#EXT-X-MEDIA:${attributes.join(',')}`)
    }
  }
  lines.push(...subtitles.map(subtitleRendition))
  const subtitleGroup = subtitles.length > 0 ? ['SUBTITLES="subs"'] : []
  // The bandwidth of a variant includes its largest audio track.
  const maxAudioBandwidth = {
    bandwidth: Math.max(0, ...tracks.map(track => track.bandwidth)),
    averageBandwidth: Math.max(0, ...tracks.map(track => track.averageBandwidth))
  }
  const codecs = [...new Set(tracks.map(track => track.codecs))]
  const sorted = [...variants].sort((a, b) => b.height * b.width - a.height * a.width || b.bandwidth - a.bandwidth)
  for (const variant of sorted) {
    const attributes = [
      `BANDWIDTH=${variant.bandwidth + maxAudioBandwidth.bandwidth}`,
      `AVERAGE-BANDWIDTH=${variant.averageBandwidth + maxAudioBandwidth.averageBandwidth}`,
      ...(variant.width > 0 ? [`RESOLUTION=${variant.width}x${variant.height}`] : []),
      ...(variant.fps > 0 ? [`FRAME-RATE=${Number(variant.fps.toFixed(3))}`] : []),
      `CODECS="${[variant.codecs, ...codecs].join(',')}"`,
      ...(tracks.length > 0 ? ['AUDIO="aud"'] : []),
      ...subtitleGroup
    ]
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, variant.playlist)
  }
  const [firstTrack] = tracks
  if (firstTrack && !hasVideo) {
    const { bandwidth, averageBandwidth } = firstTrack
    const attributes = [
      `BANDWIDTH=${bandwidth}`,
      `AVERAGE-BANDWIDTH=${averageBandwidth}`,
      `CODECS="${firstTrack.codecs}"`,
      ...subtitleGroup
    ]
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, firstTrack.playlist)
  }
  return lines.join('\n') + '\n'
}

/** RFC 8216, 4.3.4.1; the characteristics are those of subtitles for the deaf and hard of hearing there. */
function subtitleRendition({ playlist, language, name, kind }: HlsSubtitles): string {
  const attributes = [
    'TYPE=SUBTITLES',
    'GROUP-ID="subs"',
    `NAME="${name}"`,
    `LANGUAGE="${language}"`,
    'DEFAULT=NO',
    'AUTOSELECT=YES',
    ...(kind === 'forced' ? ['FORCED=YES'] : []),
    ...(kind === 'hearing_impaired'
      ? ['CHARACTERISTICS="public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"']
      : []),
    `URI="${playlist}"`
  ]
  return `#EXT-X-MEDIA:${attributes.join(',')}`
}

/** Builds the media playlist of subtitles: one WebVTT file as long as the video, in seconds. */
export function buildSubtitlePlaylist(file: string, duration: number): string {
  const seconds = Math.max(duration, 0.001)
  return `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:${Math.ceil(seconds)}
#EXT-X-MEDIA-SEQUENCE:0
#EXT-X-PLAYLIST-TYPE:VOD
#EXTINF:${seconds.toFixed(6)},
${file}
#EXT-X-ENDLIST
`
}

/** SHA-256 of every segment by file and byte range ("first-last", last included), in the format of PeerTube's segments-sha256.json. */
export async function hashSegments(
  folder: string,
  outputs: Pick<HlsOutput, 'playlist' | 'file'>[]
): Promise<Record<string, Record<string, string>>> {
  const hashes: Record<string, Record<string, string>> = {}
  for (const output of outputs) {
    const playlist = await readMediaPlaylist(join(folder, output.playlist))
    const ranges: Record<string, string> = (hashes[output.file] = {})
    const file = await open(join(folder, output.file), 'r')
    try {
      for (const { byterange } of playlist.segments) {
        if (!byterange) continue
        const last = byterange.offset + byterange.length - 1
        ranges[`${byterange.offset}-${last}`] = await hashRange(file, byterange.offset, last)
      }
    } finally {
      await file.close()
    }
  }
  return hashes
}

async function hashRange(file: FileHandle, first: number, last: number): Promise<string> {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(READ_BUFFER_BYTES)
  for (let offset = first; offset <= last;) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(READ_BUFFER_BYTES, last + 1 - offset), offset)
    if (bytesRead === 0) break
    hash.update(buffer.subarray(0, bytesRead))
    offset += bytesRead
  }
  return hash.digest('hex')
}

/** Writes a text file so that a reader sees either the old or the new text, never a part. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const temporaryPath = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  try {
    await writeFile(temporaryPath, text)
    await rename(temporaryPath, path)
  } catch (error) {
    await rm(temporaryPath, { force: true })
    throw error
  }
}

function parseByteRange(text: string, defaultOffset: number): ByteRange {
  const [length, offset] = text.split('@').map(Number)
  return { length: length ?? 0, offset: offset ?? defaultOffset }
}
