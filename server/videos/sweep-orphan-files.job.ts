import { opendir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { config, storageFolder } from '../core/config.ts'
import { defineInternals } from '../core/internals.ts'
import { defineJob } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'

/** Internals of the sweep of files, which holds no more than this in memory, however many files there are. */
export const ORPHANS = defineInternals('orphans', {
  /** Files that are looked up at once. */
  batch: 1000,
  /** Folders of videos that are looked up at once, with the files inside. */
  folderBatch: 200,
  /** Orphans remembered for the next run; the others have their turn when these are gone. */
  maxCandidates: 50_000
})

/**
 * Folders that may contain files without a row, which a crash between writing both leaves, with the query that returns which of some names have
 * one; null: none has.
 */
const FOLDERS: { folder: () => string; referenced: ((names: string[]) => Sql) | null }[] = [
  {
    folder: () => storageFolder('original_video_files'),
    referenced: names => sql`SELECT filename AS name FROM video_sources WHERE filename = ANY(${names})`
  },
  {
    folder: () => storageFolder('thumbnails'),
    referenced: names => sql`SELECT filename AS name FROM thumbnails WHERE filename = ANY(${names}) AND kind = 'thumbnail'`
  },
  {
    folder: () => storageFolder('previews'),
    referenced: names => sql`SELECT filename AS name FROM thumbnails WHERE filename = ANY(${names}) AND kind = 'preview'`
  },
  {
    folder: () => storageFolder('storyboards'),
    referenced: names => sql`SELECT filename AS name FROM storyboards WHERE filename = ANY(${names})`
  },
  {
    folder: () => storageFolder('captions'),
    referenced: names => sql`
      SELECT filename AS name FROM video_captions WHERE filename = ANY(${names})
      UNION ALL SELECT filename FROM additional_captions WHERE filename = ANY(${names})`
  },
  {
    folder: () => storageFolder('avatars'),
    referenced: names => sql`SELECT filename AS name FROM actor_images WHERE filename = ANY(${names}) AND kind = 'avatar'`
  },
  {
    folder: () => storageFolder('banners'),
    referenced: names => sql`SELECT filename AS name FROM actor_images WHERE filename = ANY(${names}) AND kind = 'banner'`
  },
  { folder: () => storageFolder('tmp'), referenced: null }
]

/** Orphans that were old enough in the last run, by path, with the time when that was first seen (ms of the monotonic clock). */
let candidates = new Map<string, number>()
/** The same for the current run. */
let nextCandidates = new Map<string, number>()
/** The last file of the current run that could not be removed. */
let failure: { path: string; reason: string } | null = null

/**
 * Removes files without a row that are older than `jobs.orphan_age` and were so in an earlier run already: a jump of the system clock
 * would otherwise make every file old at once. A run that is aborted leaves the rest to a later one.
 */
export const sweepOrphanFiles = defineJob({
  name: 'sweep-orphans',
  queue: 'maintenance',
  payload: z.object({}),
  every: () => config.jobs.orphan_interval,
  run: async (_, { signal }) => {
    let removed = 0
    nextCandidates = new Map()
    failure = null
    for (const { folder, referenced } of FOLDERS) removed += await sweepFolder(folder(), referenced, signal)
    removed += await sweepHlsFolders(signal)
    if (!signal.aborted) candidates = nextCandidates
    if (failure) logger.warn('Files that nothing names cannot be removed', failure)
    if (removed > 0) logger.info('Removed files that nothing names', { removed })
  }
})

/** Share of `jobs.orphan_interval` that has to pass between two sightings, as timers are not exact. */
const INTERVAL_TOLERANCE = 0.9

async function sweepFolder(folder: string, referenced: ((names: string[]) => Sql) | null, signal: AbortSignal): Promise<number> {
  let removed = 0
  for await (const names of listInBatches(folder, ORPHANS.batch)) {
    if (signal.aborted) break
    // Files are listed before rows are read, so that a file written in between is found in the rows.
    const rows = referenced ? await runQuery<{ name: string }>(referenced(names)) : []
    removed += await removeOrphans(folder, names, new Set(rows.map(row => row.name)))
  }
  return removed
}

/**
 * Removes the HLS folders of videos that do not exist, and the files of interrupted encodings and replaced renditions from those of videos that
 * are not being encoded.
 */
async function sweepHlsFolders(signal: AbortSignal): Promise<number> {
  const hlsRoot = join(storageFolder('streaming_playlists'), 'hls')
  let removed = 0
  for await (const names of listInBatches(hlsRoot, ORPHANS.folderBatch)) {
    if (signal.aborted) break
    const folders = new Map(
      await Promise.all(
        names.filter(name => UUID.test(name)).map(async uuid => [uuid, await readdir(join(hlsRoot, uuid)).catch(() => [])] as const)
      )
    )
    const rows = await runQuery<{ uuid: string; names: string[] | null }>(sql`
      SELECT v.uuid::text AS uuid, CASE WHEN NOT EXISTS (SELECT FROM transcodings t WHERE t.video_id = v.id AND t.state IN ('waiting', 'running'))
        THEN (SELECT array_agg(named.name) FROM (
          SELECT unnest(ARRAY[p.playlist_filename, p.segments_sha256_filename]) AS name FROM streaming_playlists p WHERE p.video_id = v.id
          UNION ALL SELECT unnest(ARRAY[f.filename, f.playlist_filename]) FROM video_files f
            JOIN streaming_playlists p ON p.id = f.streaming_playlist_id WHERE p.video_id = v.id
        ) named WHERE named.name IS NOT NULL) END AS names
      FROM videos v WHERE v.uuid = ANY(${[...folders.keys()]}::uuid[])`)
    removed += await removeOrphans(hlsRoot, names, new Set(rows.map(row => row.uuid)))
    for (const { uuid, names: referenced } of rows)
      if (referenced) removed += await removeOrphans(join(hlsRoot, uuid), folders.get(uuid) ?? [], new Set(referenced))
  }
  return removed
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/

/** Reads the names in a folder so many at a time; a folder that cannot be read has none. */
async function* listInBatches(folder: string, size: number): AsyncGenerator<string[]> {
  const directory = await opendir(folder, { bufferSize: size }).catch(() => null)
  if (!directory) return
  let names: string[] = []
  for await (const { name } of directory) {
    names.push(name)
    if (names.length < size) continue
    yield names
    names = []
  }
  if (names.length > 0) yield names
}

/** Removes those of the named files of a folder that are not referenced and old enough; returns how many. */
async function removeOrphans(folder: string, names: string[], referenced: Set<string>): Promise<number> {
  let removed = 0
  for (const name of names) {
    if (referenced.has(name)) continue
    const path = join(folder, name)
    const isFull = nextCandidates.size >= ORPHANS.maxCandidates
    if (isFull && !candidates.has(path)) continue
    const stats = await stat(path).catch(() => null)
    if (!stats || Date.now() - Math.max(stats.mtimeMs, stats.ctimeMs) < config.jobs.orphan_age) continue
    const since = candidates.get(path) ?? performance.now()
    if (performance.now() - since >= config.jobs.orphan_interval * INTERVAL_TOLERANCE) {
      try {
        await rm(path, { recursive: true, force: true })
        removed++
      } catch (error) {
        // It keeps no other from being removed.
        failure = { path, reason: (error as Error).message }
      }
    } else if (!isFull) nextCandidates.set(path, since)
  }
  return removed
}
