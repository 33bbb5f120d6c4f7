import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { acquireLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { countersDueSql } from '../videos/video.outbox.ts'
import { VIDEO_FEDERATION } from '../videos/federation-internals.ts'

/** A view of a video. `viewer`: a keyed hash (UUID) of the viewer; `host`: the server that reported it, null for this one. */
export type VideoView = { videoId: number; viewer: string; host: string | null }

/**
 * Counts views, each viewer of a video once per `views.videos.view_expiration` and at most `federation.videos.max_views_per_host` per video
 * from one server in that time. `onCounted` runs in the same transaction with the views that were counted. Idempotent.
 */
export async function countViews(
  views: VideoView[],
  onCounted: (counted: VideoView[], tx: Transaction) => Promise<void> = async () => undefined
): Promise<void> {
  if (views.length === 0) return
  await transaction(async tx => {
    await acquireLock('COUNT_VIEWS', tx)
    const countedViews = await markViewers(await limitPerHost(views, tx), tx)
    const viewsByVideo = new Map<number, number>()
    for (const { videoId } of countedViews) viewsByVideo.set(videoId, (viewsByVideo.get(videoId) ?? 0) + 1)
    await runQuery(
      sql`
      UPDATE videos SET ${countersDueSql()}, views = views + given.more
        FROM unnest(${[...viewsByVideo.keys()]}::int[], ${[...viewsByVideo.values()]}::int[]) AS given (id, more)
        WHERE videos.id = given.id`,
      tx
    )
    await onCounted(countedViews, tx)
  })
}

/** Sets the view count of a remote video as its origin reported it; implausible jumps are ignored (docs/federation.md#view-counts). */
export async function setRemoteViewCount(videoId: number, views: number): Promise<void> {
  await runQuery(
    sql`UPDATE videos SET views = ${views} WHERE id = ${videoId} AND remote AND views <> ${views}
      AND ${views} <= views + ${VIDEO_FEDERATION.maxViewJump}`
  )
}

/** Deletes the marks of viewers and servers that are older than `views.videos.view_expiration`. */
export async function deleteExpiredViewMarks(): Promise<void> {
  await runQuery(sql`DELETE FROM view_marks WHERE counted_at < now() - ${expiration()}`)
  await runQuery(sql`DELETE FROM view_hosts WHERE since < now() - ${expiration()}`)
}

/** Drops the views that exceed the limit per video and server. */
async function limitPerHost(views: VideoView[], tx: Transaction): Promise<VideoView[]> {
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
    SELECT * FROM unnest(${reported.map(([first]) => first!.videoId)}::int[], ${reported.map(([first]) => first!.host)}::text[],
      ${reported.map(group => group.length)}::int[])
    ON CONFLICT (video_id, host) DO UPDATE SET
      views = CASE WHEN known.since < now() - ${expiration()} THEN excluded.views ELSE known.views + excluded.views END,
      since = CASE WHEN known.since < now() - ${expiration()} THEN now() ELSE known.since END
    RETURNING video_id, host, views::text`,
    tx
  )
  for (const { video_id, host, views: total } of rows) {
    const group = groups.get(`${video_id} ${host}`)!
    const remaining = config.federation.videos.max_views_per_host - (Number(total) - group.length)
    group.splice(Math.max(0, remaining))
  }
  return [...groups.values()].flat()
}

/** Marks viewers as counted; returns the views whose viewers had no valid mark yet. Views of videos that do not exist are dropped. */
async function markViewers(views: VideoView[], tx: Transaction): Promise<VideoView[]> {
  const viewsByKey = new Map(views.map(view => [`${view.videoId} ${view.viewer}`, view]))
  const distinctViews = [...viewsByKey.values()]
  const rows = await runQuery<{ video_id: number; viewer: string }>(
    sql`
    INSERT INTO view_marks (video_id, viewer)
    SELECT given.video_id, given.viewer
      FROM unnest(${distinctViews.map(view => view.videoId)}::int[], ${distinctViews.map(view => view.viewer)}::uuid[])
        AS given (video_id, viewer) JOIN videos ON videos.id = given.video_id
    ON CONFLICT (video_id, viewer) DO UPDATE SET counted_at = now() WHERE view_marks.counted_at < now() - ${expiration()}
    RETURNING video_id, viewer::text`,
    tx
  )
  return rows.map(row => viewsByKey.get(`${row.video_id} ${row.viewer}`)!)
}

const expiration = () => sqlInterval(config.views.videos.view_expiration)
