import { createHash, randomUUID } from 'node:crypto'
import { open, readFile, rename, rm, writeFile, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { readMp4Init } from './mp4-init.ts'
import type { Probe } from './probe.ts'

/** Which sound track something is: its number (0: the one to begin with), its language (BCP 47; null where unknown) and its name. */
export type AudioTrackName = { track: number; language: string | null; name: string }

/**
 * One rendition: a playlist and the fragmented MP4 file it points into, both names within the output folder; `resolution` is 0 for sound,
 * which says which one it is.
 */
export type HlsOutput = { kind: 'video' | 'audio'; resolution: number; playlist: string; file: string; sound?: AudioTrackName }

const PIECE = 65_536

export type ByteRange = { offset: number; length: number }
export type HlsSegment = { uri: string; duration: number; byterange: ByteRange | null }
export type MediaPlaylist = {
  segments: HlsSegment[]
  init: { uri: string; byterange: ByteRange | null } | null
  ended: boolean
  targetDuration: number
}

/** Reads an HLS media playlist from a file, also while it grows; rejects where it is missing or no playlist. */
export async function readMediaPlaylist(file: string): Promise<MediaPlaylist> {
  return parseMediaPlaylist(await readFile(file, 'utf8'), basename(file))
}

/** What an HLS media playlist (RFC 8216) says; throws TypeError, which calls it by `name`, where it is none. */
export function parseMediaPlaylist(text: string, name = 'This'): MediaPlaylist {
  const lines = text.split(/\r?\n/)
  if (lines[0] !== '#EXTM3U') throw new TypeError(`${name} is no playlist`)
  const list: MediaPlaylist = { segments: [], init: null, ended: false, targetDuration: 0 }
  let duration = 0
  let range: ByteRange | null = null
  for (const line of lines) {
    if (line.startsWith('#EXT-X-TARGETDURATION:')) list.targetDuration = Number(line.slice(22))
    else if (line.startsWith('#EXT-X-MAP:')) {
      const bytes = /BYTERANGE="([^"]*)"/.exec(line)?.[1]
      list.init = { uri: /URI="([^"]*)"/.exec(line)?.[1] ?? '', byterange: bytes ? byteRange(bytes, 0) : null }
    } else if (line.startsWith('#EXTINF:')) duration = Number.parseFloat(line.slice(8))
    else if (line.startsWith('#EXT-X-BYTERANGE:')) {
      const before = list.segments.at(-1)?.byterange
      range = byteRange(line.slice(17), before ? before.offset + before.length : 0)
    } else if (line === '#EXT-X-ENDLIST') list.ended = true
    else if (line && !line.startsWith('#')) {
      list.segments.push({ uri: line, duration, byterange: range })
      duration = 0
      range = null
    }
  }
  return list
}

/** What the master playlist says of one rendition; bandwidths in bits per second, measured over the segments that are there. */
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

/** Measures one rendition; rejects while it has no segment yet. Frame rate by the probe where one is given. */
export async function describeVariant(
  folder: string,
  output: HlsOutput,
  probe?: Pick<Probe, 'video'> | null,
  maxFps = Infinity
): Promise<HlsVariant> {
  const list = await readMediaPlaylist(join(folder, output.playlist))
  const segments = list.segments.filter(segment => segment.byterange !== null)
  if (!list.init?.byterange || segments.length === 0) throw new TypeError(`${output.playlist} has no segment yet`)
  const init = await readMp4Init(join(folder, output.file), list.init.byterange.length)
  // A last crumb of a segment says nothing about the rate.
  const measured = segments.filter(({ duration }) => duration >= list.targetDuration / 2)
  const rates = (measured.length > 0 ? measured : segments).map(
    ({ byterange, duration }) => ((byterange?.length ?? 0) * 8) / Math.max(duration, 0.04)
  )
  const bytes = segments.reduce((sum, { byterange }) => sum + (byterange?.length ?? 0), 0)
  const seconds = Math.max(
    0.04,
    segments.reduce((sum, { duration }) => sum + duration, 0)
  )
  const average = Math.ceil((bytes * 8) / seconds)
  return {
    playlist: output.playlist,
    resolution: output.resolution,
    width: init.width,
    height: init.height,
    fps: output.kind === 'video' ? Math.min(probe?.video && !probe.video.attachedPic ? probe.video.fps : init.fps, maxFps) : 0,
    bandwidth: Math.max(average, Math.ceil(Math.max(...rates))),
    averageBandwidth: average,
    codecs: init.codecs
  }
}

/** The master playlist, highest rung first; `audios` are the sound tracks where they stand apart, or all there is. */
export function buildMasterPlaylist(variants: HlsVariant[], audios: (HlsVariant & { sound: AudioTrackName })[]): string {
  const lines = ['#EXTM3U', '#EXT-X-VERSION:7', '#EXT-X-INDEPENDENT-SEGMENTS', '']
  const tracks = [...audios].sort((a, b) => a.sound.track - b.sound.track)
  const grouped = variants.length > 0
  if (grouped) {
    for (const {
      playlist,
      sound: { language, name }
    } of tracks) {
      lines.push(
        `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="aud",NAME="${name}",${language ? `LANGUAGE="${language}",` : ''}DEFAULT=${playlist === tracks[0]!.playlist ? 'YES' : 'NO'},AUTOSELECT=YES,URI="${playlist}"`
      )
    }
  }
  // A rendition is as heavy as with its heaviest sound.
  const heaviest = {
    bandwidth: Math.max(0, ...tracks.map(one => one.bandwidth)),
    averageBandwidth: Math.max(0, ...tracks.map(one => one.averageBandwidth))
  }
  const codecs = [...new Set(tracks.map(one => one.codecs))]
  const sorted = [...variants].sort((a, b) => b.height * b.width - a.height * a.width || b.bandwidth - a.bandwidth)
  for (const variant of sorted) {
    const attributes = [
      `BANDWIDTH=${variant.bandwidth + heaviest.bandwidth}`,
      `AVERAGE-BANDWIDTH=${variant.averageBandwidth + heaviest.averageBandwidth}`,
      ...(variant.width > 0 ? [`RESOLUTION=${variant.width}x${variant.height}`] : []),
      ...(variant.fps > 0 ? [`FRAME-RATE=${Number(variant.fps.toFixed(3))}`] : []),
      `CODECS="${[variant.codecs, ...codecs].join(',')}"`,
      ...(tracks.length > 0 ? ['AUDIO="aud"'] : [])
    ]
    lines.push(`#EXT-X-STREAM-INF:${attributes.join(',')}`, variant.playlist)
  }
  const [alone] = tracks
  if (alone && !grouped)
    lines.push(
      `#EXT-X-STREAM-INF:BANDWIDTH=${alone.bandwidth},AVERAGE-BANDWIDTH=${alone.averageBandwidth},CODECS="${alone.codecs}"`,
      alone.playlist
    )
  return lines.join('\n') + '\n'
}

/** SHA-256 of every segment by file and byte range ("first-last", last included), as PeerTube's segments-sha256.json has it. */
export async function hashSegments(
  folder: string,
  outputs: Pick<HlsOutput, 'playlist' | 'file'>[]
): Promise<Record<string, Record<string, string>>> {
  const hashes: Record<string, Record<string, string>> = {}
  for (const output of outputs) {
    const list = await readMediaPlaylist(join(folder, output.playlist))
    const ranges: Record<string, string> = (hashes[output.file] = {})
    const file = await open(join(folder, output.file), 'r')
    try {
      for (const { byterange } of list.segments) {
        if (!byterange) continue
        const last = byterange.offset + byterange.length - 1
        ranges[`${byterange.offset}-${last}`] = await rangeHash(file, byterange.offset, last)
      }
    } finally {
      await file.close()
    }
  }
  return hashes
}

async function rangeHash(file: FileHandle, first: number, last: number): Promise<string> {
  const hash = createHash('sha256')
  const piece = Buffer.allocUnsafe(PIECE)
  for (let at = first; at <= last;) {
    const { bytesRead } = await file.read(piece, 0, Math.min(PIECE, last + 1 - at), at)
    if (bytesRead === 0) break
    hash.update(piece.subarray(0, bytesRead))
    at += bytesRead
  }
  return hash.digest('hex')
}

/** Writes a text file so that a reader sees the old text or the new, never a part. */
export async function writeFileAtomically(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID()}`)
  try {
    await writeFile(draft, text)
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

function byteRange(text: string, next: number): ByteRange {
  const [length, offset] = text.split('@').map(Number)
  return { length: length ?? 0, offset: offset ?? next }
}
