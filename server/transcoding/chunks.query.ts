import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isDueSql } from '../core/clock-skew.ts'
import { config } from '../core/config.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import type { TimeRange } from '../media/ffmpeg-filters.ts'
import type { TranscodingPlan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder } from '../storage/disk.ts'

/** Identifies this process among those that encode chunks. */
export const WORKER_ID = randomUUID()

/** Prefix of the folder names for chunks. */
const FOLDER_PREFIX = 'chunks-'

/** A chunk leased by a worker; `lease` counts the attempts. */
export type LeasedChunk = { videoId: number; number: number; lease: number; start: number; end: number | null }

/** The state of a chunk; `lost` if too many attempts failed. */
export type ChunkStatus = { number: number; state: 'waiting' | 'running' | 'done'; lease: number; lost: boolean }

/** The data needed to encode a chunk of a video: name and probe of the uploaded file, the plan, and the path of the chunks' folder. */
export type EncodingSplit = { uuid: string; filename: string | null; probe: Probe; plan: TranscodingPlan; folder: string }

/** Splits a video into chunks, or reuses an earlier split for the same plan. Returns the folder of its chunks. */
export async function findOrCreateEncodingSplit(
  { id, uuid }: { id: number; uuid: string },
  plan: TranscodingPlan,
  ranges: TimeRange[]
): Promise<string> {
  const [existing] = await runQuery<{ folder: string; same: boolean }>(
    sql`SELECT folder, plan = ${JSON.stringify(plan)}::jsonb AS same FROM encoding_splits WHERE video_id = ${id}`
  )
  if (
    existing?.same &&
    (await stat(join(hlsFolder(uuid), existing.folder)).then(
      () => true,
      () => false
    ))
  )
    return join(hlsFolder(uuid), existing.folder)
  await deleteEncodingSplit({ id, uuid })
  const folder = `${FOLDER_PREFIX}${randomUUID()}`
  await mkdir(join(hlsFolder(uuid), folder))
  await transaction(async tx => {
    await runQuery(sql`INSERT INTO encoding_splits (video_id, plan, folder) VALUES (${id}, ${JSON.stringify(plan)}::jsonb, ${folder})`, tx)
    await runQuery(
      sql`
      INSERT INTO encoding_chunks (video_id, number, start_at, end_at)
      SELECT ${id}::int, number - 1, (chunk->>'start')::float, (chunk->>'end')::float
      FROM jsonb_array_elements(${JSON.stringify(ranges)}::jsonb) WITH ORDINALITY AS chunks (chunk, number)`,
      tx
    )
  })
  return join(hlsFolder(uuid), folder)
}

/** Deletes the split of a video with the files of its chunks; workers that encode one notice it at the next renewal. */
export async function deleteEncodingSplit({ id, uuid }: { id: number; uuid: string }): Promise<void> {
  await runQuery(sql`DELETE FROM encoding_splits WHERE video_id = ${id}`)
  // All folders with the prefix, also those whose row was never written.
  const names = await readdir(hlsFolder(uuid)).catch(() => [])
  for (const name of names) if (name.startsWith(FOLDER_PREFIX)) await rm(join(hlsFolder(uuid), name), { recursive: true, force: true })
}

/** Whether a video has been split. */
export async function hasEncodingSplit(videoId: number): Promise<boolean> {
  return (await runQuery(sql`SELECT FROM encoding_splits WHERE video_id = ${videoId}`)).length > 0
}

/** The split of a video; undefined if there is none any more. */
export async function findEncodingSplit(videoId: number): Promise<EncodingSplit | undefined> {
  const [row] = await runQuery<EncodingSplit>(sql`
    SELECT v.uuid::text AS uuid, s.filename, s.probe, e.plan, e.folder
    FROM encoding_splits e JOIN videos v ON v.id = e.video_id JOIN video_sources s ON s.video_id = e.video_id
    WHERE e.video_id = ${videoId}`)
  return row && { ...row, folder: join(hlsFolder(row.uuid), row.folder) }
}

/** The chunks of a video, in order. */
export async function listChunks(videoId: number): Promise<ChunkStatus[]> {
  return await runQuery<ChunkStatus>(sql`
    SELECT number, state, lease,
      failures >= ${config.transcoding.attempts} AND (state = 'waiting' OR state = 'running' AND ${isLeaseExpired()}) AS lost
    FROM encoding_chunks WHERE video_id = ${videoId} ORDER BY number`)
}

/** Whether the worker of a chunk has not renewed its lease in time. */
const isLeaseExpired = (): Sql => isDueSql(sql`leased_until`, config.transcoding.chunks.lease)

/**
 * Leases the next available chunk, of one video or of any that is being encoded. A chunk whose lease expired counts as failed once more.
 */
export async function leaseNextChunk(videoId?: number): Promise<LeasedChunk | undefined> {
  const {
    attempts,
    chunks: { lease }
  } = config.transcoding
  const [leased] = await runQuery<LeasedChunk>(sql`
    WITH open AS (
      SELECT c.video_id, c.number FROM encoding_chunks c JOIN transcodings t ON t.video_id = c.video_id
      WHERE t.state = 'running' AND (c.state = 'waiting' OR c.state = 'running' AND ${isLeaseExpired()}) AND c.failures < ${attempts}
        AND ${videoId === undefined ? sql`TRUE` : sql`c.video_id = ${videoId}`}
      ORDER BY t.priority DESC, c.video_id, c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE encoding_chunks c SET state = 'running', failures = c.failures + (c.state = 'running')::int, lease = c.lease + 1,
      worker = ${WORKER_ID}::uuid, leased_until = now() + ${lease} * interval '1 millisecond'
    FROM open WHERE c.video_id = open.video_id AND c.number = open.number
    RETURNING c.video_id AS "videoId", c.number, c.lease, c.start_at AS start, c.end_at AS "end"`)
  return leased
}

/** Renews the lease of a chunk; false if another worker has it by now, or its video is not encoded any more. */
export async function renewChunkLease({ videoId, number, lease }: LeasedChunk): Promise<boolean> {
  const renewed = await runQuery(sql`
    UPDATE encoding_chunks SET leased_until = now() + ${config.transcoding.chunks.lease} * interval '1 millisecond'
    WHERE video_id = ${videoId} AND number = ${number} AND lease = ${lease} AND state = 'running'
      AND EXISTS (SELECT FROM transcodings t WHERE t.video_id = ${videoId} AND t.state = 'running')
    RETURNING number`)
  return renewed.length > 0
}

/** Ends a lease: the chunk is done, released for other workers, or failed. False if the lease was lost before. */
export async function endChunkLease({ videoId, number, lease }: LeasedChunk, outcome: 'done' | 'released' | 'failed'): Promise<boolean> {
  const ended = await runQuery(sql`
    UPDATE encoding_chunks SET state = ${outcome === 'done' ? 'done' : 'waiting'}, failures = failures + ${outcome === 'failed' ? 1 : 0}
    WHERE video_id = ${videoId} AND number = ${number} AND lease = ${lease} AND state = 'running' RETURNING number`)
  return ended.length > 0
}
