import { z } from 'zod'
import type { Video } from '../../shared/videos.ts'
import type { Viewer } from '../core/route.ts'
import { queryAs, sql, sqlAnd } from '../core/sql.ts'
import { VIDEO_PRIVACY } from '../videos/video.model.ts'
import { listVideosById } from '../videos/videos.query.ts'

const Rating = z.enum(['like', 'dislike'])
type RatingPage = { start: number; count: number; rating?: z.output<typeof Rating>; sort?: 'createdAt' | '-createdAt' }

/** Lists the videos that a user rated, the last rating first by default; those that became private to others are left out. */
export async function listRatings(
  viewer: Viewer,
  { start, count, rating, sort = '-createdAt' }: RatingPage
): Promise<{ total: number; data: { video: Video; rating: 'like' | 'dislike' }[] }> {
  const hidden = [VIDEO_PRIVACY.PRIVATE, VIDEO_PRIVACY.PASSWORD]
  const from = sql`FROM reactions JOIN videos v ON v.id = reactions.video_id JOIN channels c ON c.id = v.channel_id WHERE ${sqlAnd([
    sql`reactions.account_id = ${viewer.accountId}`,
    sql`(v.privacy <> ALL(${hidden}::int[]) OR c.account_id = ${viewer.accountId})`,
    ...(rating === undefined ? [] : [sql`reactions.type = ${rating}`])
  ])}`
  const order = sort === 'createdAt' ? sql`reactions.created_at, reactions.id` : sql`reactions.created_at DESC, reactions.id DESC`
  const rows = await queryAs(
    z.object({ id: z.int(), rating: Rating }),
    sql`SELECT v.id, reactions.type AS rating ${from} ORDER BY ${order} LIMIT ${count} OFFSET ${start}`
  )
  const [counted] = await queryAs(z.object({ total: z.int() }), sql`SELECT count(*)::int AS total ${from}`)
  const videos = await listVideosById(
    rows.map(({ id }) => id),
    viewer
  )
  return {
    total: counted!.total,
    data: rows.flatMap(row => (videos.has(row.id) ? [{ video: videos.get(row.id)!, rating: row.rating }] : []))
  }
}
