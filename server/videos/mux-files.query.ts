import { join } from 'node:path'
import { z } from 'zod'
import { notFound, Problem } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { hlsFolder } from '../storage/disk.ts'
import { findProgressiveMp4Source, type ProgressiveMp4Source } from './send-progressive-mp4.ts'
import type { VideoAccessInfo } from './video-access.ts'

const MAX_FILES = 10
const FileId = z.coerce
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1)
/** One id or several, as express reads `videoFileIds=1`, `videoFileIds=1&videoFileIds=2` and `videoFileIds[]=1`. */
const FileIds = z.union([z.array(FileId).min(1).max(MAX_FILES), FileId.transform(id => [id])])

type ChosenFile = { filename: string; resolution: number; has_video: boolean; whole: boolean }

/**
 * Returns the stored files that make up the chosen files of a local video as one MP4, the video stream first; `ids`: the query parameter
 * `videoFileIds`. Throws 400 where it is malformed or names several video streams, 404 where the video has no such finished file.
 */
export async function findFilesToMux(video: VideoAccessInfo, ids: unknown): Promise<ProgressiveMp4Source> {
  const parsed = FileIds.safeParse(ids)
  if (!parsed.success) throw badFileIds('Should have the ids of 1 to 10 files')
  const chosenIds = [...new Set(parsed.data)]
  const chosen = await runQuery<ChosenFile>(sql`
    SELECT f.filename, f.resolution, f.has_video, f.web_video_id = chosen.id AS whole
    FROM unnest(${chosenIds}::int[]) AS chosen (id) JOIN video_files f
      ON (f.id = chosen.id AND f.hls) OR (f.web_video_id = chosen.id AND f.web_video AND f.has_video AND f.whole_size IS NOT NULL)
    JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
    WHERE p.video_id = ${video.id} AND NOT f.growing ORDER BY f.has_video DESC, f.resolution DESC, f.track`)
  if (chosen.length < chosenIds.length) throw notFound('Video file')
  if (chosen.filter(file => file.has_video).length > 1) throw badFileIds('Should have at most one file with a video stream')
  const files = new Set<string>()
  for (const { filename, resolution, whole } of chosen) {
    const parts = whole ? (await findProgressiveMp4Source(video, resolution)).files : [join(hlsFolder(video.uuid), filename)]
    for (const part of parts) files.add(part)
  }
  return { files: [...files], isAudioOnly: !chosen[0]!.has_video }
}

function badFileIds(msg: string): Problem {
  return new Problem(400, null, 'Incorrect request parameters: videoFileIds', {
    'invalid-params': { videoFileIds: { type: 'field', msg, path: 'videoFileIds', location: 'query' } }
  })
}
