import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'

/**
 * Origins (scheme, host and port) of the files of remote videos. `atOnce`: those that a player may connect to while nobody has pressed play, as
 * whoever chose this instance chose them with it; `afterPlay`: the others, which would learn of every visitor.
 */
export type MediaOrigins = { atOnce: string[]; afterPlay: string[] }

/** The largest number of origins of a page, which are sent in its Content-Security-Policy. */
const MAX_ORIGINS = 50

/**
 * Finds the origins of the files of those of the videos that are remote (docs/federation.md#remote-media). Those of
 * the server of the video, of copies that it accepted, and of the hosts in `federation.videos.media_hosts` are connected to at once.
 */
export async function findMediaOrigins(uuids: string[]): Promise<MediaOrigins> {
  const videos = await runQuery<{ url: string; copies: string[]; files: (string | null)[] }>(sql`
    SELECT v.url, ARRAY(SELECT r.base_url FROM redundancies r WHERE r.video_id = v.id AND (r.expires_at IS NULL OR r.expires_at > now())) AS copies,
      ARRAY(SELECT unnest(ARRAY[rp.url, rp.segments_sha256_url]) FROM remote_playlists rp WHERE rp.video_id = v.id
        UNION SELECT rf.url FROM remote_files rf WHERE rf.video_id = v.id) AS files
    FROM videos v WHERE v.remote AND v.uuid = ANY(${uuids}::uuid[])`)
  const atOnce = new Set<string>()
  const afterPlay = new Set<string>()
  for (const { url, copies, files } of videos) {
    const known = new Set([url, ...copies].map(one => new URL(one).host))
    for (const file of [...files.filter(one => one !== null), ...copies]) {
      const { origin, host } = new URL(file)
      const isKnown = known.has(host) || isHostAllowed(host)
      ;(isKnown ? atOnce : afterPlay).add(origin)
    }
  }
  return { atOnce: [...atOnce].slice(0, MAX_ORIGINS), afterPlay: [...afterPlay].slice(0, MAX_ORIGINS) }
}

function isHostAllowed(host: string): boolean {
  const allowed = config.federation.videos.media_hosts
  return allowed.includes('*') || allowed.includes(host)
}
