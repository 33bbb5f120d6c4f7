import { z } from 'zod'
import { queryAs, sql } from '../core/sql.ts'

const number = z.coerce.number()
const StorageAndEncodingsRow = z.object({
  version: z.string(),
  bytes: number,
  renditions: number,
  originals: number,
  uploads: number,
  waiting: number,
  running: number,
  failed: number,
  failedLately: number,
  late: number
})

/**
 * Sums up stored bytes and counts encodings by state; `late` are those waiting for longer than `lateAfter` ms, `failedLately` those that
 * failed within `lately` ms.
 */
export async function countStorageAndEncodings(lateAfter: number, lately: number): Promise<z.output<typeof StorageAndEncodingsRow>> {
  const [row] = await queryAs(
    StorageAndEncodingsRow,
    sql`
    SELECT split_part(current_setting('server_version'), ' ', 1) AS version, pg_database_size(current_database()) AS bytes,
      (SELECT coalesce(sum(file.size), 0) FROM video_files file
        JOIN streaming_playlists playlist ON playlist.id = file.streaming_playlist_id
        JOIN videos video ON video.id = playlist.video_id WHERE NOT video.remote) AS renditions,
      (SELECT coalesce(sum(size), 0) FROM video_sources WHERE filename IS NOT NULL) AS originals,
      (SELECT coalesce(sum(size), 0) FROM uploads WHERE video_id IS NULL) AS uploads, encodings.*
    FROM (SELECT count(*) FILTER (WHERE state = 'waiting') AS waiting, count(*) FILTER (WHERE state = 'running') AS running,
        count(*) FILTER (WHERE state = 'failed') AS failed,
        count(*) FILTER (WHERE state = 'failed' AND updated_at > now() - ${lately} * interval '1 millisecond') AS "failedLately",
        count(*) FILTER (WHERE state = 'waiting' AND updated_at < now() - ${lateAfter} * interval '1 millisecond') AS late
      FROM transcodings) encodings`
  )
  return row!
}

/** Returns the hosts that refuse to show so many of their videos at once that none of them was hidden (videos/forbidden-videos.ts). */
export async function listHostsRefusingVideos(): Promise<string[]> {
  const rows = await queryAs(
    z.object({ host: z.string() }),
    sql`SELECT DISTINCT actor.host FROM videos video JOIN channels channel ON channel.id = video.channel_id
      JOIN actors actor ON actor.id = channel.actor_id
      WHERE video.forbidden_since IS NOT NULL AND video.forbidden_privacy IS NULL AND video.gone_at IS NULL ORDER BY actor.host`
  )
  return rows.map(({ host }) => host)
}
