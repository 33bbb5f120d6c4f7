import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { CaptionKind } from '../../shared/captions.ts'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { extractSubtitles } from '../media/extract-subtitles.ts'
import { parseSubtitleStreams, toLanguageTag, type SubtitleStream } from '../media/ffprobe-streams.ts'
import type { PauseControl } from '../media/pause-control.ts'
import type { Probe } from '../media/probe.ts'
import { SUBTITLES } from '../media/subtitle-internals.ts'
import { moveIntoStorage, removeStoredFiles, temporaryPath } from '../storage/disk.ts'
import { findCaptionTracks, insertCaption } from '../videos/captions.ts'
import { listChapters, setChapters } from '../videos/chapters.ts'
import { VIDEO_LANGUAGE_LABELS } from '../videos/labels.ts'
import { rewriteMasterPlaylist } from '../videos/master-playlist.ts'
import type { VideoModel } from '../videos/video.model.ts'

/** The timeout as a multiple of `transcoding.stall_timeout`: with distant cues ffmpeg reads on without visible progress. */
const TIMEOUT_STALL_FACTOR = 10

type RunOptions = { signal: AbortSignal; pauseControl: PauseControl }

/**
 * Imports the chapters and text subtitles embedded in the uploaded file, once, as far as the video has none. They are optional, so it never
 * throws.
 */
export async function importEmbeddedCaptionsAndChapters(
  video: VideoModel,
  input: string,
  probe: Probe,
  options: RunOptions
): Promise<void> {
  try {
    const open = await runQuery(sql`SELECT 1 FROM video_sources WHERE video_id = ${video.id} AND NOT embedded_imported`)
    if (open.length === 0) return
    // Older probes do not have these fields.
    await importChapters(video, probe.chapters ?? [])
    await importSubtitles(video, input, probe, options)
    await runQuery(sql`UPDATE video_sources SET embedded_imported = true WHERE video_id = ${video.id}`)
  } catch (error) {
    if (!options.signal.aborted) logger.warn('The subtitles or chapters inside a video could not be imported', { uuid: video.uuid, error })
  }
}

async function importChapters(video: VideoModel, chapters: Probe['chapters']): Promise<void> {
  if (chapters.length === 0 || (await listChapters(video.id)).length > 0) return
  await setChapters(
    video.id,
    chapters.map(({ start, title }, index) => ({ timecode: Math.floor(start), title: title || `Chapter ${index + 1}` }))
  )
}

async function importSubtitles(video: VideoModel, input: string, probe: Probe, options: RunOptions): Promise<void> {
  const tracks = chooseSubtitleTracks(subtitleStreams(probe), video.language, await findCaptionTracks(video.id))
  if (tracks.length === 0) return
  const extracted = extractSubtitles(
    input,
    tracks.map(({ stream }) => stream),
    {
      ...options,
      folder: dirname(await temporaryPath('subtitles')),
      duration: probe.duration || null,
      timeoutMs: config.transcoding.stall_timeout * TIMEOUT_STALL_FACTOR,
      nice: config.transcoding.nice
    }
  )
  for await (const { stream, webVtt } of extracted) {
    const track = tracks.find(candidate => candidate.stream === stream)
    if (webVtt !== null && track) await saveCaption(video, track, webVtt)
  }
}

/** The text subtitles of a file. Older probes do not say what they are, but have the output of ffprobe. */
function subtitleStreams({ subtitles = [], metadata }: Partial<Probe>): SubtitleStream[] {
  return subtitles.every(({ kind }) => kind !== undefined) ? subtitles : parseSubtitleStreams(metadata)
}

/** A subtitle stream with what it becomes. */
export type SubtitleTrack = { stream: SubtitleStream; language: string; kind: CaptionKind }

/**
 * Chooses one stream per language and kind: the default one, else the first. A stream without a language has that of the video. Leaves out
 * what the video has already.
 */
export function chooseSubtitleTracks(
  streams: SubtitleStream[],
  videoLanguage: string | null,
  existing: { language: string; kind: CaptionKind }[]
): SubtitleTrack[] {
  const keyOf = ({ language, kind }: { language: string; kind: CaptionKind }) => `${kind} ${language}`
  const used = new Set(existing.map(keyOf))
  const tracks: SubtitleTrack[] = []
  const defaultsFirst = [...streams].sort((a, b) => Number(b.main ?? false) - Number(a.main ?? false))
  for (const stream of defaultsFirst) {
    const language = peertubeLanguage(stream.language) ?? videoLanguage
    if (!language || tracks.length >= SUBTITLES.maxTracks) continue
    const track = { stream, language, kind: stream.kind ?? 'subtitles' }
    if (used.has(keyOf(track))) continue
    used.add(keyOf(track))
    tracks.push(track)
  }
  return tracks
}

async function saveCaption(video: VideoModel, { language, kind }: SubtitleTrack, webVtt: string): Promise<void> {
  const filename = `${randomUUID()}-${language}.vtt`
  const path = await temporaryPath(filename)
  await writeFile(path, webVtt)
  await moveIntoStorage(path, 'captions', filename)
  const inserted = await transaction(async tx => {
    if (!(await insertCaption(video.id, { language, kind, filename }, tx))) return false
    await rewriteMasterPlaylist(video, tx)
    return true
  })
  if (!inserted) await removeStoredFiles('captions', [filename])
}

/** PeerTube's language code for the language tag of a file; null if it has none. */
function peertubeLanguage(taggedLanguage: string | null): string | null {
  const tag = toLanguageTag(taggedLanguage)
  return [tag, tag?.split('-')[0]].find(code => code && Object.hasOwn(VIDEO_LANGUAGE_LABELS, code)) ?? null
}
