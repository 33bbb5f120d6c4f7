import { z } from 'zod'
import type { TranscodingProgress } from '../../shared/videos.ts'
import { config } from '../core/config.ts'
import { redis } from '../core/redis.ts'
import { queryAs, sql } from '../core/sql.ts'
import { findQueuePosition } from './queue-order.query.ts'
import { resolutionLabel } from '../videos/labels.ts'
import { findTruncation, truncatedAtSql } from '../videos/uploaded-file.ts'

const StoredProgress = z.object({ percent: z.number(), secondsLeft: z.number().nullable() })
const redisKey = (videoId: number): string => `${config.redis.prefix}:progress:${videoId}`

/** Stores the progress of an encoding in Redis; a failure only loses the figure. */
export function storeEncodingProgress(videoId: number, progress: z.output<typeof StoredProgress>): void {
  void redis.set(redisKey(videoId), JSON.stringify(progress), 'PX', config.transcoding.progress_lifetime).catch(() => undefined)
}

const TranscodingRow = z.object({
  state: z.enum(['waiting', 'running', 'done', 'failed']),
  error: z.string().nullable(),
  resolutions: z.array(z.int()),
  truncated_at: z.number().nullable(),
  files: z.array(z.object({ resolution: z.int(), growing: z.boolean() }))
})

/** The state and progress of the encoding of a video, for its owner; `done` for a video that never had one. */
export async function readEncodingProgress(videoId: number): Promise<TranscodingProgress> {
  const [row] = await queryAs(
    TranscodingRow,
    sql`
    SELECT t.state, t.error, t.resolutions, ${truncatedAtSql} AS truncated_at,
      (SELECT coalesce(json_agg(json_build_object('resolution', f.resolution, 'growing', f.growing)), '[]')
      FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id WHERE p.video_id = t.video_id) AS files
    FROM transcodings t LEFT JOIN video_sources s ON s.video_id = t.video_id WHERE t.video_id = ${videoId}`
  )
  if (!row)
    return {
      state: 'done',
      playable: true,
      percent: 100,
      secondsLeft: null,
      position: null,
      startsIn: null,
      rungs: [],
      error: null,
      truncatedAt: await findTruncation(videoId)
    }
  const stored = row.state === 'running' ? await readStoredProgress(videoId) : undefined
  const state = (resolution: number): 'waiting' | 'growing' | 'done' => {
    const files = row.files.filter(file => file.resolution === resolution)
    return files.length === 0 ? 'waiting' : files.some(file => file.growing) ? 'growing' : 'done'
  }
  return {
    state: row.state,
    playable: row.files.length > 0,
    percent: row.state === 'done' ? 100 : Math.round(stored?.percent ?? 0),
    secondsLeft: row.state === 'running' ? (stored?.secondsLeft ?? null) : null,
    ...(row.state === 'waiting' ? await findQueuePosition(videoId) : { position: null, startsIn: null }),
    rungs: row.resolutions.map(resolution => ({ resolution, label: resolutionLabel(resolution), state: state(resolution) })),
    error: row.error,
    truncatedAt: row.truncated_at
  }
}

/** The progress of a running encoding in percent; 0 if unknown. */
export async function readEncodingPercent(videoId: number): Promise<number> {
  return Math.round((await readStoredProgress(videoId))?.percent ?? 0)
}

async function readStoredProgress(videoId: number): Promise<z.output<typeof StoredProgress> | undefined> {
  const json = await redis.get(redisKey(videoId)).catch(() => null)
  return json ? StoredProgress.safeParse(JSON.parse(json)).data : undefined
}
