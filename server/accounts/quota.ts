import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { Problem } from '../core/problem.ts'
import { queryAs, sql, type Sql } from '../core/sql.ts'

/** Bytes used by a user's videos: in total, and by those uploaded in the last 24 hours. */
export type QuotaUsage = { total: number; daily: number }
const QuotaUsageRow = z.object({ total: z.coerce.number(), daily: z.coerce.number() })

/**
 * SQL of one row `(total, daily)` with the bytes used by the user with the id `userId`: the uploaded files that are kept and all
 * renditions. To be joined with LATERAL.
 */
export function quotaUsageSql(userId: Sql): Sql {
  // The aliases are long so that they do not shadow an alias in `userId`.
  return sql`(SELECT coalesce(sum(bytes), 0)::bigint AS total,
      coalesce(sum(bytes) FILTER (WHERE uploaded > now() - interval '24 hours'), 0)::bigint AS daily
    FROM (
      SELECT quota_video.created_at AS uploaded,
        coalesce((SELECT source.size FROM video_sources source WHERE source.video_id = quota_video.id AND source.filename IS NOT NULL), 0)
        + coalesce((SELECT sum(file.size) FROM video_files file
            JOIN streaming_playlists playlist ON playlist.id = file.streaming_playlist_id
            WHERE playlist.video_id = quota_video.id), 0) AS bytes
      FROM videos quota_video JOIN channels quota_channel ON quota_channel.id = quota_video.channel_id
        JOIN accounts quota_account ON quota_account.id = quota_channel.account_id
      WHERE quota_account.user_id = ${userId}
    ) quota_stored)`
}

/** Returns the bytes used by a user's videos. */
export async function getQuotaUsage(userId: number): Promise<QuotaUsage> {
  const [row] = await queryAs(QuotaUsageRow, quotaUsageSql(sql`${userId}::int`))
  return row!
}

/** Throws 413 quota_reached if `addedBytes` more would exceed the total or the daily quota of the user. */
export async function assertQuota(user: { id: number }, addedBytes: number, tx?: Transaction): Promise<void> {
  if (addedBytes > (await remainingQuota(user.id, tx))) throw quotaReached()
}

/** Returns how many bytes a user may still store, by the total and the daily quota; negative beyond them, Infinity without either. */
export async function remainingQuota(userId: number, tx?: Transaction): Promise<number> {
  const QuotaRow = QuotaUsageRow.extend({ quota: z.coerce.number(), quotaDaily: z.coerce.number() })
  const [row] = await queryAs(
    QuotaRow,
    sql`
    SELECT owner.video_quota AS quota, owner.video_quota_daily AS "quotaDaily", used.total, used.daily
    FROM users owner CROSS JOIN LATERAL ${quotaUsageSql(sql`owner.id`)} used WHERE owner.id = ${userId}`,
    tx
  )
  if (!row) return -Infinity
  return Math.min(row.quota < 0 ? Infinity : row.quota - row.total, row.quotaDaily < 0 ? Infinity : row.quotaDaily - row.daily)
}

/** Returns the 413 for what a user's quota does not suffice for. */
export function quotaReached(): Problem {
  return new Problem(413, 'quota_reached', 'The user video quota is exceeded with this video.')
}
