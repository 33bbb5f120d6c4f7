import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { config, storageFolder } from '../core/config.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'

/** Folders that may contain files without a row, which a crash between writing both leaves, with the query of the names that have one. */
const FOLDERS: { folder: () => string; referenced: Sql }[] = [
  {
    folder: () => storageFolder('original_video_files'),
    referenced: sql`SELECT filename AS name FROM video_sources WHERE filename IS NOT NULL`
  },
  { folder: () => storageFolder('thumbnails'), referenced: sql`SELECT filename AS name FROM thumbnails WHERE kind = 'thumbnail'` },
  { folder: () => storageFolder('previews'), referenced: sql`SELECT filename AS name FROM thumbnails WHERE kind = 'preview'` },
  { folder: () => storageFolder('storyboards'), referenced: sql`SELECT filename AS name FROM storyboards` },
  {
    folder: () => storageFolder('captions'),
    referenced: sql`SELECT filename AS name FROM video_captions UNION ALL SELECT filename FROM additional_captions`
  },
  { folder: () => storageFolder('avatars'), referenced: sql`SELECT filename AS name FROM actor_images WHERE kind = 'avatar'` },
  { folder: () => storageFolder('banners'), referenced: sql`SELECT filename AS name FROM actor_images WHERE kind = 'banner'` },
  { folder: () => join(storageFolder('streaming_playlists'), 'hls'), referenced: sql`SELECT uuid::text AS name FROM videos` },
  { folder: () => storageFolder('tmp'), referenced: sql`SELECT '' AS name` }
]

/** Orphans that were old enough in the last run, by path, with the time when that was first seen (ms of the monotonic clock). */
let candidates = new Map<string, number>()
/** The same for the current run. */
let nextCandidates = new Map<string, number>()

/**
 * Removes files without a row that are older than `jobs.orphan_age` and were so in an earlier run already: a jump of the system clock
 * would otherwise make every file old at once.
 */
export const sweepOrphanFiles = defineJob({
  name: 'sweep-orphans',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.jobs.orphan_interval,
  run: async () => {
    let removed = 0
    nextCandidates = new Map()
    for (const { folder, referenced } of FOLDERS) removed += await sweepFolder(folder(), referenced)
    removed += await sweepHlsFolders()
    candidates = nextCandidates
    if (removed > 0) logger.info('Removed files that nothing names', { removed })
  }
})

/** Share of `jobs.orphan_interval` that has to pass between two sightings, as timers are not exact. */
const INTERVAL_TOLERANCE = 0.9
/** Videos per query. */
const BATCH_SIZE = 200

/** Removes the files of interrupted encodings and replaced renditions from the HLS folders of videos that are not being encoded. */
async function sweepHlsFolders(): Promise<number> {
  const hlsRoot = join(storageFolder('streaming_playlists'), 'hls')
  const uuids = await readdir(hlsRoot).catch(() => [])
  let removed = 0
  for (let start = 0; start < uuids.length; start += BATCH_SIZE) {
    const folders = await Promise.all(
      uuids.slice(start, start + BATCH_SIZE).map(async uuid => ({ uuid, names: await readdir(join(hlsRoot, uuid)).catch(() => []) }))
    )
    const rows = await runQuery<{ uuid: string; names: string[] }>(sql`
      SELECT v.uuid::text AS uuid, array_agg(named.name) AS names FROM videos v
      JOIN LATERAL (
        SELECT unnest(ARRAY[p.playlist_filename, p.segments_sha256_filename]) AS name FROM streaming_playlists p WHERE p.video_id = v.id
        UNION ALL SELECT unnest(ARRAY[f.filename, f.playlist_filename]) FROM video_files f
          JOIN streaming_playlists p ON p.id = f.streaming_playlist_id WHERE p.video_id = v.id
      ) named ON named.name IS NOT NULL
      WHERE v.uuid::text = ANY(${folders.map(({ uuid }) => uuid)})
        AND NOT EXISTS (SELECT FROM transcodings t WHERE t.video_id = v.id AND t.state IN ('waiting', 'running'))
      GROUP BY v.uuid`)
    const referenced = new Map(rows.map(row => [row.uuid, new Set(row.names)]))
    for (const { uuid, names } of folders)
      if (referenced.has(uuid)) removed += await removeOrphans(join(hlsRoot, uuid), names, referenced.get(uuid)!)
  }
  return removed
}

async function sweepFolder(folder: string, referenced: Sql): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  // Files are listed before rows are read, so that a file written in between is found in the rows.
  return await removeOrphans(folder, names, new Set((await runQuery<{ name: string }>(referenced)).map(row => row.name)))
}

/** Removes those of the named files of a folder that are not referenced and old enough; returns how many. */
async function removeOrphans(folder: string, names: string[], referenced: Set<string>): Promise<number> {
  let removed = 0
  for (const name of names) {
    if (referenced.has(name)) continue
    const stats = await stat(join(folder, name)).catch(() => null)
    if (!stats || Date.now() - Math.max(stats.mtimeMs, stats.ctimeMs) < config.jobs.orphan_age) continue
    const path = join(folder, name)
    const since = candidates.get(path) ?? performance.now()
    nextCandidates.set(path, since)
    if (performance.now() - since < config.jobs.orphan_interval * INTERVAL_TOLERANCE) continue
    await rm(path, { recursive: true, force: true })
    removed++
  }
  return removed
}
