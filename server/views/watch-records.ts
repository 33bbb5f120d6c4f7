import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { acquireTextLocks } from '../core/locks.ts'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import type { WatchSession } from './watch-sessions.ts'

/** A session of watching that is over, as statistics need it; nobody knows whose it was. */
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

/** What a session that ended was; null where nothing was watched. */
export function toWatchRecord({ videoId, startedAt, endedAt, sections }: WatchSession): WatchRecord | null {
  const watched = sections.filter(({ start, end }) => end > start)
  const duration = watched.reduce((sum, { start, end }) => sum + end - start, 0)
  const uuid = randomUUID()
  return duration > 0
    ? {
        uuid,
        url: `${instanceOrigin()}/videos/local-viewer/${uuid}`,
        videoId,
        startedAt,
        endedAt,
        duration,
        sections: watched,
        country: null,
        region: null
      }
    : null
}

/** Keeps a watch of one of our videos; the same again changes nothing. */
export async function storeWatchRecord(watch: WatchRecord, inside?: Transaction): Promise<void> {
  const { uuid, url, videoId, startedAt, endedAt, duration, sections, country, region } = watch
  await runQuery(
    sql`
    INSERT INTO watches (uuid, url, video_id, started_at, ended_at, duration, sections, country, region)
    SELECT ${uuid}, ${url}, id, ${startedAt}, ${endedAt}, ${duration}, ${JSON.stringify(sections)}::jsonb, ${country}, ${region} FROM videos WHERE id = ${videoId} AND NOT remote
    ON CONFLICT DO NOTHING`,
    inside
  )
}

/**
 * Keeps what a server says was watched there of one of our videos; of one server no more in a time than views. False: it has said enough.
 */
export async function storeRemoteWatchRecord(watch: WatchRecord): Promise<boolean> {
  const { max_views_per_host } = config.federation.videos
  const { origin } = new URL(watch.url)
  return await transaction(async inside => {
    // One after the other, so that each is counted.
    await acquireTextLocks('VIEWERS_OF_ORIGIN', [`${origin} ${watch.videoId}`], inside)
    const [row] = await runQuery<{ watches: number }>(
      sql`
      SELECT count(*)::int AS watches FROM watches WHERE video_id = ${watch.videoId} AND starts_with(url, ${`${origin}/`}) AND created_at > now() - make_interval(secs => ${config.views.videos.view_expiration / 1000}::double precision)`,
      inside
    )
    if (row!.watches >= max_views_per_host) return false
    await storeWatchRecord(watch, inside)
    return true
  })
}
