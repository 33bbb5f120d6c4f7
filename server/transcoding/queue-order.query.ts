import { isDueSql } from '../core/clock-skew.ts'
import { config } from '../core/config.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { maxTranscodingRetryDelay } from './transcoding-settings.ts'

/** An encoding that is to be done: whether somebody can watch the video already, and the work it is (server/media/effort). */
export type OpenEncoding = { videoId: number; state: 'waiting' | 'running'; dark: boolean; cost: number; due: boolean }

/** Whether an encoding that is to be tried again may be, by its `not_before`. */
export const isTranscodingDue = (notBefore: Sql): Sql => isDueSql(notBefore, maxTranscodingRetryDelay())

/**
 * All open encodings, the one with the best claim first: what an administrator put first; then videos nobody can watch yet;
 * then the smallest finish tag, which is the work its owner had done of late, what goes before it of the same owner, and its own.
 * So short films pass long ones, and whoever sends many stands behind who sends few (fair queueing by finish tags: Demers, Keshav, Shenker
 * 1989).
 */
const claims = (): Sql => sql`
  SELECT open.*, row_number() OVER (ORDER BY priority DESC, dark DESC, served + before, video_id)::int AS place
  FROM (
    SELECT t.video_id, t.state, t.priority, t.dark, t.cost, ${isTranscodingDue(sql`t.not_before`)} AS due,
      sum(t.cost) OVER (PARTITION BY account_id ORDER BY t.priority DESC, t.dark DESC, t.cost, t.video_id) AS before,
      coalesce(lately.cost, 0) AS served
    FROM (
      SELECT t.*, c.account_id, NOT EXISTS (SELECT FROM streaming_playlists p WHERE p.video_id = t.video_id) AS dark
      FROM transcodings t JOIN videos v ON v.id = t.video_id JOIN channels c ON c.id = v.channel_id WHERE t.state IN ('waiting', 'running')
    ) t LEFT JOIN (
      SELECT c.account_id, sum(d.cost) AS cost FROM transcodings d JOIN videos v ON v.id = d.video_id JOIN channels c ON c.id = v.channel_id
      WHERE d.state = 'done' AND d.updated_at > now() - ${config.transcoding.fair_window} * interval '1 millisecond' GROUP BY c.account_id
    ) lately USING (account_id)
  ) open`

/** All open encodings in the order of their claims. */
export async function listOpenEncodings(): Promise<OpenEncoding[]> {
  return await runQuery<OpenEncoding>(sql`SELECT video_id AS "videoId", state, dark, cost, due FROM (${claims()}) claim ORDER BY place`)
}

/**
 * Where a waiting encoding stands: how many wait that go before it, counted from 1, and about how long until its turn, in seconds; null
 * where it does not wait, and where nothing is known of this machine's speed yet.
 */
export async function findQueuePosition(videoId: number): Promise<{ position: number | null; startsIn: number | null }> {
  const [row] = await runQuery<{ state: string; position: number; ahead: number; speed: number | null }>(sql`
    WITH claim AS (${claims()}), mine AS (SELECT state, place FROM claim WHERE video_id = ${videoId})
    SELECT mine.state, (SELECT count(*)::int FROM claim WHERE claim.state = 'waiting' AND claim.place <= mine.place) AS position,
      (SELECT coalesce(sum(claim.cost), 0) FROM claim WHERE claim.place < mine.place) AS ahead,
      (SELECT sum(cost) / nullif(sum(spent), 0) FROM (SELECT cost, spent FROM transcodings WHERE state = 'done' AND cost > 0 AND spent > 0 ORDER BY updated_at DESC LIMIT 20) lately) AS speed
    FROM mine`)
  if (row?.state !== 'waiting') return { position: null, startsIn: null }
  return {
    position: row.position,
    startsIn: row.speed === null ? null : Math.round(row.ahead / row.speed / config.transcoding.concurrency)
  }
}
