import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { acquireLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { countersDueSql } from '../videos/video.outbox.ts'

/** One view: of a video, by somebody who is only a fingerprint; `host`: the server that reported it, null for this one. */
export type VideoView = { videoId: number; viewer: string; host: string | null }

/**
 * Counts views, each viewer of a video once in `views.videos.view_expiration` and no more than `federation.videos.max_views_per_host` of
 * one server; `then` goes with it in one transaction and hears which of them counted. The same views again count nothing.
 */
export async function countViews(
  views: VideoView[],
  then: (counted: VideoView[], inside: Transaction) => Promise<void> = async () => undefined
): Promise<void> {
  if (views.length === 0) return
  await transaction(async inside => {
    await acquireLock('COUNT_VIEWS', inside)
    const marked = await mark(await allowed(views, inside), inside)
    const sums = new Map<number, number>()
    for (const { videoId } of marked) sums.set(videoId, (sums.get(videoId) ?? 0) + 1)
    await runQuery(
      sql`
      UPDATE videos SET ${countersDueSql()}, views = views + given.more FROM unnest(${[...sums.keys()]}::int[], ${[...sums.values()]}::int[]) AS given (id, more) WHERE videos.id = given.id`,
      inside
    )
    await then(marked, inside)
  })
}

/** Replaces the views of a remote video by what its origin says, unless that is absurd (docs/federation.md#view-counts). */
export async function setRemoteViewCount(videoId: number, views: number): Promise<void> {
  await runQuery(
    sql`UPDATE videos SET views = ${views} WHERE id = ${videoId} AND remote AND views <> ${views} AND ${views} <= views + ${config.federation.videos.max_view_jump}`
  )
}

/** Forgets who was counted so long ago that they count again. */
export async function deleteExpiredViewMarks(): Promise<void> {
  await runQuery(sql`DELETE FROM view_marks WHERE counted_at < now() - ${expiration()}`)
  await runQuery(sql`DELETE FROM view_hosts WHERE since < now() - ${expiration()}`)
}

/** Those that their servers may still report. */
async function allowed(views: VideoView[], inside: Transaction): Promise<VideoView[]> {
  const groups = new Map<string, VideoView[]>()
  for (const view of views) {
    const key = `${view.videoId} ${view.host ?? ''}`
    const group = groups.get(key)
    if (group) group.push(view)
    else groups.set(key, [view])
  }
  const reported = [...groups.values()].filter(([first]) => first!.host !== null)
  const rows = await runQuery<{ video_id: number; host: string; views: string }>(
    sql`
    INSERT INTO view_hosts AS known (video_id, host, views)
    SELECT * FROM unnest(${reported.map(([first]) => first!.videoId)}::int[], ${reported.map(([first]) => first!.host)}::text[], ${reported.map(group => group.length)}::int[])
    ON CONFLICT (video_id, host) DO UPDATE SET
      views = CASE WHEN known.since < now() - ${expiration()} THEN excluded.views ELSE known.views + excluded.views END,
      since = CASE WHEN known.since < now() - ${expiration()} THEN now() ELSE known.since END
    RETURNING video_id, host, views::text`,
    inside
  )
  for (const { video_id, host, views: total } of rows) {
    const group = groups.get(`${video_id} ${host}`)!
    const room = config.federation.videos.max_views_per_host - (Number(total) - group.length)
    group.splice(Math.max(0, room))
  }
  return [...groups.values()].flat()
}

/** Those whose viewers have not been counted for a while; viewers of what is gone are left out. */
async function mark(views: VideoView[], inside: Transaction): Promise<VideoView[]> {
  const byKey = new Map(views.map(view => [`${view.videoId} ${view.viewer}`, view]))
  const all = [...byKey.values()]
  const rows = await runQuery<{ video_id: number; viewer: string }>(
    sql`
    INSERT INTO view_marks (video_id, viewer)
    SELECT given.video_id, given.viewer FROM unnest(${all.map(view => view.videoId)}::int[], ${all.map(view => view.viewer)}::uuid[]) AS given (video_id, viewer) JOIN videos ON videos.id = given.video_id
    ON CONFLICT (video_id, viewer) DO UPDATE SET counted_at = now() WHERE view_marks.counted_at < now() - ${expiration()}
    RETURNING video_id, viewer::text`,
    inside
  )
  return rows.map(row => byKey.get(`${row.video_id} ${row.viewer}`)!)
}

const expiration = () => sql`make_interval(secs => ${config.views.videos.view_expiration / 1000}::double precision)`
