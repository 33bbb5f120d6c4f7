import { z } from 'zod'
import { TranscodingSummary } from '../../shared/transcoding.ts'
import { shortUuid } from '../../shared/short-uuid.ts'
import { isoTimestampSql } from '../actors/actor.shape.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'
import { listOpenEncodings } from './queue-order.query.ts'
import { readEncodingPercent } from './encoding-progress.ts'
import { priorityFromNumber } from './transcoding.model.ts'

const EncodingRow = TranscodingSummary.omit({ percent: true, position: true }).extend({
  priority: z.int(),
  video: TranscodingSummary.shape.video.omit({ shortUUID: true })
})

/** Paging and filter for the list of encodings. */
export type EncodingFilters = { start: number; count: number; state?: TranscodingSummary['state'] }

/** The encodings of all videos, last changed first. */
export async function listEncodings({ start, count, state }: EncodingFilters): Promise<{ total: number; data: TranscodingSummary[] }> {
  const stateFilter = state === undefined ? sql`TRUE` : sql`t.state = ${state}`
  const rows = await queryAs(
    EncodingRow,
    sql`
    SELECT jsonb_build_object('id', v.id, 'uuid', v.uuid, 'name', v.name) AS video,
      jsonb_build_object('name', actor.preferred_username, 'displayName', account.name) AS account,
      t.state, t.priority, t.attempts, t.error,
      EXISTS (SELECT FROM video_sources source WHERE source.video_id = v.id AND source.filename IS NOT NULL) AS retryable,
      ${isoTimestampSql(sql`t.created_at`)} AS "createdAt", ${isoTimestampSql(sql`t.updated_at`)} AS "updatedAt",
      ${isoTimestampSql(sql`t.not_before`)} AS "notBefore"
    FROM transcodings t JOIN videos v ON v.id = t.video_id JOIN channels channel ON channel.id = v.channel_id
      JOIN accounts account ON account.id = channel.account_id JOIN actors actor ON actor.id = account.actor_id
    WHERE ${stateFilter} ORDER BY t.updated_at DESC, t.video_id DESC LIMIT ${count} OFFSET ${start}`
  )
  const [counted] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total FROM transcodings t WHERE ${stateFilter}`)
  const waitingIds = rows.some(row => row.state === 'waiting')
    ? (await listOpenEncodings()).filter(encoding => encoding.state === 'waiting').map(encoding => encoding.videoId)
    : []
  const data = await Promise.all(
    rows.map(async row => ({
      ...row,
      priority: priorityFromNumber(row.priority),
      position: row.state === 'waiting' ? waitingIds.indexOf(row.video.id) + 1 || null : null,
      video: { ...row.video, shortUUID: shortUuid(row.video.uuid) },
      percent: row.state === 'done' ? 100 : row.state === 'running' ? await readEncodingPercent(row.video.id) : 0
    }))
  )
  return { total: counted!.total, data }
}
