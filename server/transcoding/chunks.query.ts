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

/** This process among those that encode chunks. */
export const WORKER_ID = randomUUID()

/** How the name of a folder of chunks begins. */
const FOLDER = 'chunks-'

/** A chunk of a film that a worker has leased; `lease` numbers the runs. */
export type LeasedChunk = { videoId: number; number: number; lease: number; start: number; end: number | null }

/** How far a chunk is; `lost` where too many of its runs failed. */
export type ChunkStatus = { number: number; state: 'waiting' | 'running' | 'done'; lease: number; lost: boolean }

/** All that is needed to encode a chunk of a film: the uploaded file's name, what it is, the plan and the chunks' folder (a path). */
export type EncodingSplit = { uuid: string; filename: string | null; probe: Probe; plan: TranscodingPlan; folder: string }

/** Cuts a film, or goes on with how it was cut for the same plan before. Returns the folder of its chunks. */
export async function findOrCreateEncodingSplit(
  { id, uuid }: { id: number; uuid: string },
  plan: TranscodingPlan,
  pieces: TimeRange[]
): Promise<string> {
  const [known] = await runQuery<{ folder: string; same: boolean }>(
    sql`SELECT folder, plan = ${JSON.stringify(plan)}::jsonb AS same FROM encoding_splits WHERE video_id = ${id}`
  )
  if (
    known?.same &&
    (await stat(join(hlsFolder(uuid), known.folder)).then(
      () => true,
      () => false
    ))
  )
    return join(hlsFolder(uuid), known.folder)
  await deleteEncodingSplit({ id, uuid })
  const folder = `${FOLDER}${randomUUID()}`
  await mkdir(join(hlsFolder(uuid), folder))
  await transaction(async inside => {
    await runQuery(
      sql`INSERT INTO encoding_splits (video_id, plan, folder) VALUES (${id}, ${JSON.stringify(plan)}::jsonb, ${folder})`,
      inside
    )
    await runQuery(
      sql`
      INSERT INTO encoding_chunks (video_id, number, start_at, end_at)
      SELECT ${id}::int, number - 1, (piece->>'start')::float, (piece->>'end')::float FROM jsonb_array_elements(${JSON.stringify(pieces)}::jsonb) WITH ORDINALITY AS one (piece, number)`,
      inside
    )
  })
  return join(hlsFolder(uuid), folder)
}

/** Forgets how a film was cut, with the files of its chunks; whoever encodes one notices. */
export async function deleteEncodingSplit({ id, uuid }: { id: number; uuid: string }): Promise<void> {
  await runQuery(sql`DELETE FROM encoding_splits WHERE video_id = ${id}`)
  // Also those whose row was never written.
  const names = await readdir(hlsFolder(uuid)).catch(() => [])
  for (const name of names) if (name.startsWith(FOLDER)) await rm(join(hlsFolder(uuid), name), { recursive: true, force: true })
}

/** Whether a film has been cut. */
export async function hasEncodingSplit(videoId: number): Promise<boolean> {
  return (await runQuery(sql`SELECT FROM encoding_splits WHERE video_id = ${videoId}`)).length > 0
}

/** How a film was cut, as far as a worker needs it; undefined where it is gone. */
export async function findEncodingSplit(videoId: number): Promise<EncodingSplit | undefined> {
  const [row] = await runQuery<EncodingSplit>(sql`
    SELECT v.uuid::text AS uuid, s.filename, s.probe, e.plan, e.folder FROM encoding_splits e JOIN videos v ON v.id = e.video_id JOIN video_sources s ON s.video_id = e.video_id WHERE e.video_id = ${videoId}`)
  return row && { ...row, folder: join(hlsFolder(row.uuid), row.folder) }
}

/** The chunks of a film, in order. */
export async function listChunks(videoId: number): Promise<ChunkStatus[]> {
  return await runQuery<ChunkStatus>(sql`
    SELECT number, state, lease, failures >= ${config.transcoding.attempts} AND (state = 'waiting' OR state = 'running' AND ${expired()}) AS lost FROM encoding_chunks WHERE video_id = ${videoId} ORDER BY number`)
}

/** Whether nobody was heard of whose chunk it is. */
const expired = (): Sql => isDueSql(sql`leased_until`, config.transcoding.chunks.lease)

/**
 * Leases the next chunk that nobody encodes, of one film or of any that is being encoded. A chunk whose worker was not heard of any more
 * has failed once more.
 */
export async function leaseNextChunk(videoId?: number): Promise<LeasedChunk | undefined> {
  const {
    attempts,
    chunks: { lease }
  } = config.transcoding
  const [leased] = await runQuery<LeasedChunk>(sql`
    WITH open AS (
      SELECT c.video_id, c.number FROM encoding_chunks c JOIN transcodings t ON t.video_id = c.video_id
      WHERE t.state = 'running' AND (c.state = 'waiting' OR c.state = 'running' AND ${expired()}) AND c.failures < ${attempts} AND ${videoId === undefined ? sql`TRUE` : sql`c.video_id = ${videoId}`}
      ORDER BY t.priority DESC, c.video_id, c.number LIMIT 1 FOR UPDATE OF c SKIP LOCKED
    )
    UPDATE encoding_chunks c SET state = 'running', failures = c.failures + (c.state = 'running')::int, lease = c.lease + 1, worker = ${WORKER_ID}::uuid, leased_until = now() + ${lease} * interval '1 millisecond'
    FROM open WHERE c.video_id = open.video_id AND c.number = open.number
    RETURNING c.video_id AS "videoId", c.number, c.lease, c.start_at AS start, c.end_at AS "end"`)
  return leased
}

/** Keeps a chunk for longer; false where it is somebody else's by now, or its film is not encoded any more. */
export async function renewChunkLease({ videoId, number, lease }: LeasedChunk): Promise<boolean> {
  const kept = await runQuery(sql`
    UPDATE encoding_chunks SET leased_until = now() + ${config.transcoding.chunks.lease} * interval '1 millisecond'
    WHERE video_id = ${videoId} AND number = ${number} AND lease = ${lease} AND state = 'running' AND EXISTS (SELECT FROM transcodings t WHERE t.video_id = ${videoId} AND t.state = 'running') RETURNING number`)
  return kept.length > 0
}

/** Ends a lease: the chunk is done, is to be done by somebody else, or failed. False where it was lost before. */
export async function endChunkLease({ videoId, number, lease }: LeasedChunk, how: 'done' | 'released' | 'failed'): Promise<boolean> {
  const ended = await runQuery(sql`
    UPDATE encoding_chunks SET state = ${how === 'done' ? 'done' : 'waiting'}, failures = failures + ${how === 'failed' ? 1 : 0}
    WHERE video_id = ${videoId} AND number = ${number} AND lease = ${lease} AND state = 'running' RETURNING number`)
  return ended.length > 0
}
