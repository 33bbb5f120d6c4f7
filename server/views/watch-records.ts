import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { acquireTextLocks } from '../core/locks.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import type { WatchSession } from './watch-sessions.ts'

/** An ended watch session, for statistics, without the identity of the viewer; `duration` and `sections` in seconds. */
export type WatchRecord = {
  uuid: string
  url: string
  videoId: number
  startedAt: Date
  endedAt: Date
  duration: number
  sections: { start: number; end: number }[]
  country: string | null
  region: string | null
}

/** Returns the record of an ended session; null if nothing was watched. */
export function toWatchRecord({ videoId, startedAt, endedAt, sections }: WatchSession): WatchRecord | null {
  const watchedSections = sections.filter(({ start, end }) => end > start)
  const duration = watchedSections.reduce((sum, { start, end }) => sum + end - start, 0)
  const uuid = randomUUID()
  return duration > 0
    ? {
        uuid,
        url: `${instanceOrigin()}/videos/local-viewer/${uuid}`,
        videoId,
        startedAt,
        endedAt,
        duration,
        sections: watchedSections,
        country: null,
        region: null
      }
    : null
}

/** Stores a record for a local video; does nothing for a remote video or a record that exists already. */
export async function storeWatchRecord(watch: WatchRecord, tx?: Transaction): Promise<void> {
  const { uuid, url, videoId, startedAt, endedAt, duration, sections, country, region } = watch
  await runQuery(
    sql`
    INSERT INTO watches (uuid, url, video_id, started_at, ended_at, duration, sections, country, region)
    SELECT ${uuid}, ${url}, id, ${startedAt}, ${endedAt}, ${duration}, ${JSON.stringify(sections)}::jsonb, ${country}, ${region} FROM videos
      WHERE id = ${videoId} AND NOT remote
    ON CONFLICT DO NOTHING`,
    tx
  )
}

/**
 * Stores a record that another server reported for a local video; returns false if the server has reached
 * `federation.videos.max_views_per_host` for the video within `views.videos.view_expiration`.
 */
export async function storeRemoteWatchRecord(watch: WatchRecord): Promise<boolean> {
  const { max_views_per_host } = config.federation.videos
  const { origin } = new URL(watch.url)
  return await transaction(async tx => {
    // Serialized per origin and video, so that concurrent reports cannot exceed the limit.
    await acquireTextLocks('VIEWERS_OF_ORIGIN', [`${origin} ${watch.videoId}`], tx)
    const [row] = await runQuery<{ watches: number }>(
      sql`
      SELECT count(*)::int AS watches FROM watches WHERE video_id = ${watch.videoId} AND starts_with(url, ${`${origin}/`})
        AND created_at > now() - ${sqlInterval(config.views.videos.view_expiration)}`,
      tx
    )
    if (row!.watches >= max_views_per_host) return false
    await storeWatchRecord(watch, tx)
    return true
  })
}
