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

/** As PeerTube allows of subtitles, in bytes. */
const LARGEST = 20 * 1024 * 1024
/** What a file of subtitles without a word has at most: its first line. */
const NOTHING = 'WEBVTT\n\n'.length

/** Words may be far apart, and the whole file is read for them: that it goes on cannot be seen. In times of `transcoding.stall_timeout`. */
const PATIENCE = 10

type Words = { index: number; language: string; path: string }

/**
 * Gives a video the chapters and the text subtitles that are inside its file, as far as it has none. A video without them is still a video,
 * so it never throws.
 */
export async function importEmbeddedCaptionsAndChapters(
  video: VideoModel,
  input: string,
  probe: Probe,
  { signal, brake }: { signal: AbortSignal; brake: PauseControl }
): Promise<void> {
  try {
    // Sources of before this was looked for do not say.
    await takeChapters(video, probe.chapters ?? [])
    await takeSubtitles(video, input, probe.subtitles ?? [], { signal, brake })
  } catch (error) {
    if (!signal.aborted) logger.warn('The words inside a video could not be taken', { uuid: video.uuid, error })
  }
}

async function takeChapters(video: VideoModel, chapters: Probe['chapters']): Promise<void> {
  if (chapters.length === 0 || (await listChapters(video.id)).length > 0) return
  await setChapters(
    video.id,
    chapters.map(({ start, title }, index) => ({ timecode: Math.floor(start), title: title || `Chapter ${index + 1}` }))
  )
}

async function takeSubtitles(
  video: VideoModel,
  input: string,
  streams: Probe['subtitles'],
  options: { signal: AbortSignal; brake: PauseControl }
): Promise<void> {
  const taken = new Set((await listCaptions(video.id)).data.map(({ language }) => language.id))
  const wanted: Words[] = []
  for (const { index, language: said } of streams) {
    const language = knownLanguage(said) ?? video.language
    if (!language || taken.has(language)) continue
    taken.add(language)
    wanted.push({ index, language, path: await temporaryPath(`${randomUUID()}.vtt`) })
  }
  if (wanted.length === 0) return
  try {
    await extract(input, wanted, options)
    for (const { language, path } of wanted) await keep(video, language, path)
  } finally {
    for (const { path } of wanted) await rm(path, { force: true })
  }
}

/** Writes subtitles as WebVTT, all of them in one reading of the file. */
async function extract(input: string, wanted: Words[], options: { signal: AbortSignal; brake: PauseControl }): Promise<void> {
  const one = ({ index }: Words) => ['-map', `0:${index}`, '-map_metadata', '-1', '-c:s', 'webvtt', '-f', 'webvtt']
  const last = wanted.at(-1)!
  const { done } = runFfmpeg({
    input,
    ...options,
    timeoutMs: config.transcoding.stall_timeout * PATIENCE,
    nice: config.transcoding.nice,
    cwd: dirname(last.path),
    options: [...wanted.slice(0, -1).flatMap(words => [...one(words), words.path]), ...one(last)],
    output: last.path.slice(dirname(last.path).length + 1)
  })
  await done
}

async function keep(video: VideoModel, language: string, path: string): Promise<void> {
  const size = await storedFileSize(path)
  if (size <= NOTHING || size > LARGEST) return
  const filename = `${randomUUID()}-${language}.vtt`
  await moveIntoStorage(path, 'captions', filename)
  await runQuery(
    sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${video.id}, ${language}, ${filename}) ON CONFLICT (video_id, language) DO NOTHING`
  )
}

/** The code under which PeerTube knows a language that a file names. */
function knownLanguage(said: string | null): string | null {
  const tag = toLanguageTag(said)
  return [tag, tag?.split('-')[0]].find(code => code && Object.hasOwn(VIDEO_LANGUAGE_LABELS, code)) ?? null
}
