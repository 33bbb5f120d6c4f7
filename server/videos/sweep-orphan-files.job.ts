import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { config, storageFolder } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'

/** Where files may lie that no row names, as a crash between a file and its row leaves them. */
const PLACES: { folder: () => string; known: Sql }[] = [
  {
    folder: () => storageFolder('original_video_files'),
    known: sql`SELECT filename AS name FROM video_sources WHERE filename IS NOT NULL`
  },
  { folder: () => storageFolder('thumbnails'), known: sql`SELECT filename AS name FROM thumbnails WHERE kind = 'thumbnail'` },
  { folder: () => storageFolder('previews'), known: sql`SELECT filename AS name FROM thumbnails WHERE kind = 'preview'` },
  { folder: () => storageFolder('storyboards'), known: sql`SELECT filename AS name FROM storyboards` },
  { folder: () => storageFolder('captions'), known: sql`SELECT filename AS name FROM video_captions` },
  { folder: () => storageFolder('avatars'), known: sql`SELECT filename AS name FROM actor_images WHERE kind = 'avatar'` },
  { folder: () => storageFolder('banners'), known: sql`SELECT filename AS name FROM actor_images WHERE kind = 'banner'` },
  { folder: () => join(storageFolder('streaming_playlists'), 'hls'), known: sql`SELECT uuid::text AS name FROM videos` },
  { folder: () => storageFolder('tmp'), known: sql`SELECT '' AS name` }
]

/** Files that were old enough, with when that was first seen (ms of this process, which no clock that jumps makes longer). */
let seen = new Map<string, number>()
let seeing = new Map<string, number>()

/**
 * Removes files that no row names once they are older than `jobs.orphan_age`, and were so a turn before: a clock that jumped makes
 * everything old.
 */
export const sweepOrphanFiles = defineJob({
  name: 'sweep-orphans',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.jobs.orphan_interval,
  run: async () => {
    let removed = 0
    seeing = new Map()
    for (const { folder, known } of PLACES) removed += await sweep(folder(), known)
    removed += await sweepFilms()
    seen = seeing
    if (removed > 0) logger.info('Removed files that nothing names', { removed })
  }
})

/** Turns are not exact. */
const MOST = 0.9
/** Films whose folders are read before their rows are asked for. */
const BATCH = 200

/** What attempts that were killed and renditions that were replaced left in the folders of videos; not of those that are being encoded. */
async function sweepFilms(): Promise<number> {
  const place = join(storageFolder('streaming_playlists'), 'hls')
  const films = await readdir(place).catch(() => [])
  let removed = 0
  for (let at = 0; at < films.length; at += BATCH) {
    const folders = await Promise.all(
      films.slice(at, at + BATCH).map(async uuid => ({ uuid, names: await readdir(join(place, uuid)).catch(() => []) }))
    )
    const rows = await runQuery<{ uuid: string; names: string[] }>(sql`
      SELECT v.uuid::text AS uuid, array_agg(named.name) AS names FROM videos v
      JOIN LATERAL (
        SELECT unnest(ARRAY[p.playlist_filename, p.segments_sha256_filename]) AS name FROM streaming_playlists p WHERE p.video_id = v.id
        UNION ALL SELECT unnest(ARRAY[f.filename, f.playlist_filename]) FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id WHERE p.video_id = v.id
      ) named ON named.name IS NOT NULL
      WHERE v.uuid::text = ANY(${folders.map(({ uuid }) => uuid)}) AND NOT EXISTS (SELECT FROM transcodings t WHERE t.video_id = v.id AND t.state IN ('waiting', 'running'))
      GROUP BY v.uuid`)
    const known = new Map(rows.map(row => [row.uuid, new Set(row.names)]))
    for (const { uuid, names } of folders) if (known.has(uuid)) removed += await remove(join(place, uuid), names, known.get(uuid)!)
  }
  return removed
}

async function sweep(folder: string, known: Sql): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  // Files are read before rows: what appears in between is in the rows.
  return await remove(folder, names, new Set((await runQuery<{ name: string }>(known)).map(row => row.name)))
}

/** Removes those of a folder that are not known, if they are old enough. */
async function remove(folder: string, names: string[], rows: Set<string>): Promise<number> {
  let removed = 0
  for (const name of names) {
    if (rows.has(name)) continue
    const found = await stat(join(folder, name)).catch(() => null)
    if (!found || Date.now() - Math.max(found.mtimeMs, found.ctimeMs) < config.jobs.orphan_age) continue
    const path = join(folder, name)
    const since = seen.get(path) ?? performance.now()
    seeing.set(path, since)
    if (performance.now() - since < config.jobs.orphan_interval * MOST) continue
    await rm(path, { recursive: true, force: true })
    removed++
  }
  return removed
}
