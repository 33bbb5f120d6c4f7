import { isDueSql } from '../core/clock-skew.ts'
import { config } from '../core/config.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { maxTranscodingRetryDelay } from './transcoding-settings.ts'

/** A queued or running encoding: whether the video is not playable yet, its cost (media/encoding-cost.ts), and whether it may start now. */
export type OpenEncoding = { videoId: number; state: 'waiting' | 'running'; unplayable: boolean; cost: number; due: boolean }

/** Whether an encoding may be tried again now, by its `not_before`. */
export const isTranscodingDue = (notBefore: Sql): Sql => isDueSql(notBefore, maxTranscodingRetryDelay())

/**
 * All open encodings with their rank in the queue: by the priority set by an administrator; then videos that are not playable yet; then the
 * smallest finish tag, which is the sum of the cost of its owner's recent encodings, of those of the same owner before it, and its own.
 * So short videos overtake long ones, and owners of many uploads do not block owners of few (fair queueing by finish tags: Demers, Keshav,
 * Shenker 1989).
 */
const queueRanking = (): Sql => sql`
  SELECT open.*, row_number() OVER (ORDER BY priority DESC, unplayable DESC, served + before, video_id)::int AS queue_rank
  FROM (
    SELECT t.video_id, t.state, t.priority, t.unplayable, t.cost, ${isTranscodingDue(sql`t.not_before`)} AS due,
      sum(t.cost) OVER (PARTITION BY account_id ORDER BY t.priority DESC, t.unplayable DESC, t.cost, t.video_id) AS before,
      coalesce(recent.cost, 0) AS served
    FROM (
      SELECT t.*, c.account_id, NOT EXISTS (SELECT FROM streaming_playlists p WHERE p.video_id = t.video_id) AS unplayable
      FROM transcodings t JOIN videos v ON v.id = t.video_id JOIN channels c ON c.id = v.channel_id WHERE t.state IN ('waiting', 'running')
    ) t LEFT JOIN (
      SELECT c.account_id, sum(d.cost) AS cost FROM transcodings d JOIN videos v ON v.id = d.video_id JOIN channels c ON c.id = v.channel_id
      WHERE d.state = 'done' AND d.updated_at > now() - ${config.transcoding.fair_window} * interval '1 millisecond' GROUP BY c.account_id
    ) recent USING (account_id)
  ) open`

/** All open encodings in the order of the queue. */
export async function listOpenEncodings(): Promise<OpenEncoding[]> {
  return await runQuery<OpenEncoding>(
    sql`SELECT video_id AS "videoId", state, unplayable, cost, due FROM (${queueRanking()}) ranked ORDER BY queue_rank`
  )
}

/**
 * The position of a waiting encoding among those that wait, counted from 1, and the estimated seconds until it starts. Both are null if it
 * does not wait; `startsIn` is also null if the speed of this instance is not known yet.
 */
export async function findQueuePosition(videoId: number): Promise<{ position: number | null; startsIn: number | null }> {
  const [row] = await runQuery<{ state: string; position: number; ahead: number; speed: number | null }>(sql`
    WITH ranked AS (${queueRanking()}), own AS (SELECT state, queue_rank FROM ranked WHERE video_id = ${videoId})
    SELECT own.state, (SELECT count(*)::int FROM ranked WHERE ranked.state = 'waiting' AND ranked.queue_rank <= own.queue_rank) AS position,
      (SELECT coalesce(sum(ranked.cost), 0) FROM ranked WHERE ranked.queue_rank < own.queue_rank) AS ahead,
      (SELECT sum(cost) / nullif(sum(spent), 0) FROM (
        SELECT cost, spent FROM transcodings WHERE state = 'done' AND cost > 0 AND spent > 0 ORDER BY updated_at DESC LIMIT 20
      ) recent) AS speed
    FROM own`)
  if (row?.state !== 'waiting') return { position: null, startsIn: null }
  return {
    position: row.position,
    startsIn: row.speed === null ? null : Math.round(row.ahead / row.speed / config.transcoding.concurrency)
  }
}
