import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Request, Response } from 'express'
import { notFound } from '../core/problem.ts'
import { sendComposedFile } from '../core/send-file.ts'
import { runQuery, sql } from '../core/sql.ts'
import { buildProgressiveMp4, type ProgressiveMp4 } from '../media/progressive-mp4.ts'
import { hlsFolder } from '../storage/disk.ts'
import type { VideoAccessInfo } from './video-access.ts'
import { webVideoFilename } from './video-urls.ts'

/** Bytes of MP4 headers (moov) that are cached; the header of a two-hour video has about five megabytes. */
const MAX_CACHED_BYTES = 32 * 1024 * 1024

/** The files that make up one rendition as a single MP4, the video stream first; `isAudioOnly`: there is no video stream. */
export type ProgressiveMp4Source = { files: string[]; isAudioOnly: boolean }

/**
 * Returns the files that make up one resolution of a video: its video stream and, where the audio is in separate files, every audio track;
 * resolution 0 is the main audio track alone. Throws 404 for a rendition that is missing or still being encoded, with `offered` also for one
 * that was removed as a single MP4, with `name` also for one that has another name as such.
 */
export async function findProgressiveMp4Source(
  video: Pick<VideoAccessInfo, 'id' | 'uuid'>,
  resolution: number,
  { offered = false, name }: { offered?: boolean; name?: string } = {}
): Promise<ProgressiveMp4Source> {
  const rows = await runQuery<{ filename: string; resolution: number; web_video: boolean; has_audio: boolean; has_video: boolean }>(sql`
    SELECT f.filename, f.resolution, f.web_video, f.has_audio, f.has_video FROM streaming_playlists p
      JOIN video_files f ON f.streaming_playlist_id = p.id
    WHERE p.video_id = ${video.id} AND f.resolution IN (0, ${resolution}) AND NOT f.growing ORDER BY f.resolution DESC, f.track`)
  const rendition = rows.find(row => row.resolution === resolution)
  if (!rendition || (offered && !rendition.web_video)) throw notFound('Video file')
  if (name !== undefined && name !== webVideoFilename(rendition.filename)) throw notFound('Video file')
  const audioTracks = rendition.has_audio ? [] : rows.filter(row => !row.has_video)
  const files = [rendition, ...audioTracks].map(({ filename }) => join(hlsFolder(video.uuid), filename))
  return { files, isAudioOnly: !rendition.has_video }
}

/** Returns the size in bytes of a resolution as a single MP4. Throws 404. */
export async function progressiveMp4Size(video: Pick<VideoAccessInfo, 'id' | 'uuid'>, resolution: number): Promise<number> {
  return (await buildProgressiveMp4((await findProgressiveMp4Source(video, resolution)).files)).size
}

/**
 * Sends a rendition as one seekable MP4 that is composed on the fly, with support for ranges and conditional requests (RFC 9110);
 * `cacheControl` is the value of Cache-Control. Throws 404, 416.
 */
export async function sendProgressiveMp4(
  request: Request,
  response: Response,
  { files, isAudioOnly }: ProgressiveMp4Source,
  cacheControl: string
): Promise<void> {
  const composed = await getCachedMp4(files)
  response.type(isAudioOnly ? 'audio/mp4' : 'video/mp4')
  // A file name never gets new content, so the names identify the content.
  await sendComposedFile(request, response, cacheControl, {
    ...composed,
    etag: createHash('sha1')
      .update(files.map(file => basename(file)).join())
      .digest('base64url')
  })
}

type CachedMp4 = ProgressiveMp4 & { at: Date }
/** Least recently used first. */
const mp4Cache = new Map<string, Promise<CachedMp4>>()
let cachedBytes = 0

/** Returns the composed MP4 of these files, from an LRU cache. Throws 404. */
async function getCachedMp4(files: string[]): Promise<CachedMp4> {
  const key = files.join('\n')
  const cached = mp4Cache.get(key)
  if (cached) {
    mp4Cache.delete(key)
    mp4Cache.set(key, cached)
    // A file may have been deleted since.
    await Promise.all(files.map(modificationTime))
    return await cached
  }
  const composing = composeMp4(files)
  mp4Cache.set(key, composing)
  try {
    const composed = await composing
    cachedBytes += composed.head.length
    for (const [oldestKey, oldest] of mp4Cache) {
      if (cachedBytes <= MAX_CACHED_BYTES || oldestKey === key) break
      mp4Cache.delete(oldestKey)
      cachedBytes -= (await oldest).head.length
    }
    return composed
  } catch (error) {
    mp4Cache.delete(key)
    throw error
  }
}

async function composeMp4(files: string[]): Promise<CachedMp4> {
  const times = await Promise.all(files.map(modificationTime))
  return { ...(await buildProgressiveMp4(files)), at: new Date(Math.max(...times)) }
}

/** Returns when a file was last modified (ms since 1970). Throws 404. */
async function modificationTime(file: string): Promise<number> {
  const { mtimeMs } = await stat(file).catch(() => {
    throw notFound('File')
  })
  return mtimeMs
}
