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

/** Bytes of heads that are kept: a film of two hours has one of about five megabytes. */
const KEPT = 32 * 1024 * 1024

/** A quality of a video whole, as it is sent: the files it is made of, picture first. */
export type ProgressiveMp4Source = { files: string[]; sound: boolean }

/**
 * The files that together are one quality of a video: its picture and, where that stands apart, every sound track; 0 is the main sound
 * alone. Throws 404 for one that is missing or still grows.
 */
export async function findProgressiveMp4Source(
  video: Pick<VideoAccessInfo, 'id' | 'uuid'>,
  resolution: number
): Promise<ProgressiveMp4Source> {
  const rows = await runQuery<{ filename: string; resolution: number; has_audio: boolean; has_video: boolean }>(sql`
    SELECT f.filename, f.resolution, f.has_audio, f.has_video FROM streaming_playlists p JOIN video_files f ON f.streaming_playlist_id = p.id
    WHERE p.video_id = ${video.id} AND f.resolution IN (0, ${resolution}) AND NOT f.growing ORDER BY f.resolution DESC, f.track`)
  const wanted = rows.find(row => row.resolution === resolution)
  if (!wanted) throw notFound('Video file')
  const apart = wanted.has_audio ? [] : rows.filter(row => !row.has_video)
  return { files: [wanted, ...apart].map(({ filename }) => join(hlsFolder(video.uuid), filename)), sound: !wanted.has_video }
}

/** How large such a quality is (bytes). Throws 404. */
export async function progressiveMp4Size(video: Pick<VideoAccessInfo, 'id' | 'uuid'>, resolution: number): Promise<number> {
  return (await buildProgressiveMp4((await findProgressiveMp4Source(video, resolution)).files)).size
}

/**
 * Sends such a quality as one seekable MP4 that is stored nowhere, with ranges and validators; `cache` is its Cache-Control. Throws 404,
 * 416.
 */
export async function sendProgressiveMp4(
  request: Request,
  response: Response,
  { files, sound }: ProgressiveMp4Source,
  cache: string
): Promise<void> {
  const made = await headOf(files)
  response.type(sound ? 'audio/mp4' : 'video/mp4')
  // Renditions never change under their names.
  await sendComposedFile(request, response, cache, {
    ...made,
    etag: createHash('sha1')
      .update(files.map(file => basename(file)).join())
      .digest('base64url')
  })
}

type Head = ProgressiveMp4 & { at: Date }
const heads = new Map<string, Promise<Head>>()
let kept = 0

/** The head for these files, made once; the ones used last are kept. */
async function headOf(files: string[]): Promise<Head> {
  const key = files.join('\n')
  const known = heads.get(key)
  if (known) {
    heads.delete(key)
    heads.set(key, known)
    // A file may be gone since.
    await Promise.all(files.map(existing))
    return await known
  }
  const making = make(files)
  heads.set(key, making)
  try {
    const made = await making
    kept += made.head.length
    for (const [oldest, one] of heads) {
      if (kept <= KEPT || oldest === key) break
      heads.delete(oldest)
      kept -= (await one).head.length
    }
    return made
  } catch (error) {
    heads.delete(key)
    throw error
  }
}

async function make(files: string[]): Promise<Head> {
  const times = await Promise.all(files.map(existing))
  return { ...(await buildProgressiveMp4(files)), at: new Date(Math.max(...times)) }
}

/** When a stored file was written. Throws 404. */
async function existing(file: string): Promise<number> {
  const { mtimeMs } = await stat(file).catch(() => {
    throw notFound('File')
  })
  return mtimeMs
}
