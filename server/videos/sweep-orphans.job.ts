import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { config, storageFolder } from '../core/config.ts'
import { job } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { run, sql, type Sql } from '../core/sql.ts'

/** Where files may lie that no row names, as a crash between a file and its row leaves them. */
const PLACES: { folder: () => string, known: Sql }[] = [
  { folder: () => storageFolder('original_video_files'), known: sql`SELECT filename AS name FROM video_sources WHERE filename IS NOT NULL` },
  { folder: () => storageFolder('thumbnails'), known: sql`SELECT filename AS name FROM thumbnails WHERE kind = 'thumbnail'` },
  { folder: () => storageFolder('previews'), known: sql`SELECT filename AS name FROM thumbnails WHERE kind = 'preview'` },
  { folder: () => storageFolder('storyboards'), known: sql`SELECT filename AS name FROM storyboards` },
  { folder: () => storageFolder('captions'), known: sql`SELECT filename AS name FROM video_captions` },
  { folder: () => storageFolder('avatars'), known: sql`SELECT filename AS name FROM actor_images WHERE kind = 'avatar'` },
  { folder: () => storageFolder('banners'), known: sql`SELECT filename AS name FROM actor_images WHERE kind = 'banner'` },
  { folder: () => join(storageFolder('streaming_playlists'), 'hls'), known: sql`SELECT uuid::text AS name FROM videos` },
  { folder: () => storageFolder('tmp'), known: sql`SELECT '' AS name` }
]

/** Removes files that no row names once they are older than `jobs.orphan_age`. */
export const sweepOrphans = job({
  name: 'sweep-orphans',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.jobs.orphan_interval,
  run: async () => {
    let removed = 0
    for (const { folder, known } of PLACES) removed += await sweep(folder(), known)
    if (removed > 0) logger.info('Removed files that nothing names', { removed })
  }
})

async function sweep(folder: string, known: Sql): Promise<number> {
  const names = await readdir(folder).catch(() => [])
  // Files are read before rows: what appears in between is in the rows.
  const rows = new Set((await run<{ name: string }>(known)).map(row => row.name))
  let removed = 0
  for (const name of names) {
    if (rows.has(name)) continue
    const found = await stat(join(folder, name)).catch(() => null)
    if (!found || Date.now() - Math.max(found.mtimeMs, found.ctimeMs) < config.jobs.orphan_age) continue
    await rm(join(folder, name), { recursive: true, force: true })
    removed++
  }
  return removed
}
