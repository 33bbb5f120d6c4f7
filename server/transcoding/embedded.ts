import { randomUUID } from 'node:crypto'
import { dirname } from 'node:path'
import { rm } from 'node:fs/promises'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import type { PauseControl } from '../media/pause-control.ts'
import { runFfmpeg } from '../media/ffmpeg.ts'
import type { Probe } from '../media/probe.ts'
import { toLanguageTag } from '../media/ffprobe-streams.ts'
import { storedFileSize, moveIntoStorage, temporaryPath } from '../storage/disk.ts'
import { listCaptions } from '../videos/captions.ts'
import { listChapters, setChapters } from '../videos/chapters.ts'
import { VIDEO_LANGUAGE_LABELS } from '../videos/labels.ts'
import type { VideoModel } from '../videos/video.model.ts'

/** The limit of PeerTube for caption files. */
const MAX_CAPTION_BYTES = 20 * 1024 * 1024
/** The size of a WebVTT file without any cue: its header. */
const EMPTY_WEBVTT_BYTES = 'WEBVTT\n\n'.length

/** The timeout as a multiple of `transcoding.stall_timeout`: with distant cues ffmpeg reads on without visible progress. */
const TIMEOUT_STALL_FACTOR = 10

type ExtractedCaption = { index: number; language: string; path: string }

/**
 * Imports the chapters and text subtitles embedded in the uploaded file, as far as the video has none. They are optional, so it never
 * throws.
 */
export async function importEmbeddedCaptionsAndChapters(
  video: VideoModel,
  input: string,
  probe: Probe,
  { signal, pauseControl }: { signal: AbortSignal; pauseControl: PauseControl }
): Promise<void> {
  try {
    // Older probes do not have these fields.
    await importChapters(video, probe.chapters ?? [])
    await importSubtitles(video, input, probe.subtitles ?? [], { signal, pauseControl })
  } catch (error) {
    if (!signal.aborted) logger.warn('The words inside a video could not be taken', { uuid: video.uuid, error })
  }
}

async function importChapters(video: VideoModel, chapters: Probe['chapters']): Promise<void> {
  if (chapters.length === 0 || (await listChapters(video.id)).length > 0) return
  await setChapters(
    video.id,
    chapters.map(({ start, title }, index) => ({ timecode: Math.floor(start), title: title || `Chapter ${index + 1}` }))
  )
}

async function importSubtitles(
  video: VideoModel,
  input: string,
  streams: Probe['subtitles'],
  options: { signal: AbortSignal; pauseControl: PauseControl }
): Promise<void> {
  const usedLanguages = new Set((await listCaptions(video.id)).data.map(({ language }) => language.id))
  const captions: ExtractedCaption[] = []
  for (const { index, language: taggedLanguage } of streams) {
    const language = peertubeLanguage(taggedLanguage) ?? video.language
    if (!language || usedLanguages.has(language)) continue
    usedLanguages.add(language)
    captions.push({ index, language, path: await temporaryPath(`${randomUUID()}.vtt`) })
  }
  if (captions.length === 0) return
  try {
    await extractSubtitles(input, captions, options)
    for (const { language, path } of captions) await saveCaption(video, language, path)
  } finally {
    for (const { path } of captions) await rm(path, { force: true })
  }
}

/** Extracts subtitles as WebVTT, all of them in one pass over the file. */
async function extractSubtitles(
  input: string,
  captions: ExtractedCaption[],
  options: { signal: AbortSignal; pauseControl: PauseControl }
): Promise<void> {
  const outputArgs = ({ index }: ExtractedCaption) => ['-map', `0:${index}`, '-map_metadata', '-1', '-c:s', 'webvtt', '-f', 'webvtt']
  const last = captions.at(-1)!
  const { done } = runFfmpeg({
    input,
    ...options,
    timeoutMs: config.transcoding.stall_timeout * TIMEOUT_STALL_FACTOR,
    nice: config.transcoding.nice,
    cwd: dirname(last.path),
    options: [...captions.slice(0, -1).flatMap(caption => [...outputArgs(caption), caption.path]), ...outputArgs(last)],
    output: last.path.slice(dirname(last.path).length + 1)
  })
  await done
}

async function saveCaption(video: VideoModel, language: string, path: string): Promise<void> {
  const size = await storedFileSize(path)
  if (size <= EMPTY_WEBVTT_BYTES || size > MAX_CAPTION_BYTES) return
  const filename = `${randomUUID()}-${language}.vtt`
  await moveIntoStorage(path, 'captions', filename)
  await runQuery(
    sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${video.id}, ${language}, ${filename})
      ON CONFLICT (video_id, language) DO NOTHING`
  )
}

/** PeerTube's language code for the language tag of a file; null if it has none. */
function peertubeLanguage(taggedLanguage: string | null): string | null {
  const tag = toLanguageTag(taggedLanguage)
  return [tag, tag?.split('-')[0]].find(code => code && Object.hasOwn(VIDEO_LANGUAGE_LABELS, code)) ?? null
}
