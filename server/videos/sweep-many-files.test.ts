import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sequelize } from '../core/database.ts'
import { overrideInternals } from '../core/internals.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { ORPHANS, sweepOrphanFiles } from './sweep-orphan-files.job.ts'

/** Videos, each with a thumbnail, a preview, and a folder with two files; `scripts/soak orphans` sets it. */
const VIDEOS = Number(process.env.VIDEOS ?? 1500)
/** Files without a row among them, in each folder. */
const STRAYS = 25
const PATIENCE = 120_000 + 20 * VIDEOS

let site: TestInstance
beforeAll(async () => {
  // Runs are so far apart that each is one that counts.
  site = await startTestInstance({ jobs: { orphan_interval: '200 ms', orphan_age: '1 ms' }, checkPublishedMedia: false }, [])
  await runQuery(sql`
    INSERT INTO videos (uuid, url, channel_id, name, privacy, state, comments_policy, published_at, created_at, updated_at)
    SELECT md5(n::text)::uuid, 'https://here.example/v/' || n, (SELECT min(id) FROM channels), 'v', 1, 1, 1, now(), now(), now()
    FROM generate_series(1, ${VIDEOS}::int) n`)
  await runQuery(sql`
    INSERT INTO thumbnails (video_id, kind, filename, width, height, automatic, created_at, updated_at)
    SELECT id, kind, uuid || '.jpg', 1, 1, true, now(), now() FROM videos, unnest(ARRAY['thumbnail']) kind
    UNION ALL SELECT id, 'preview', uuid || '-preview.jpg', 1, 1, true, now(), now() FROM videos`)
  await runQuery(sql`
    INSERT INTO streaming_playlists (video_id, playlist_filename, created_at, updated_at) SELECT id, 'master.m3u8', now(), now() FROM videos`)
  await runQuery(sql`VACUUM ANALYZE videos, thumbnails, streaming_playlists`)
  const rows = await runQuery<{ uuid: string }>(sql`SELECT uuid::text AS uuid FROM videos`)
  const [thumbnails, previews, hls] = ['thumbnails', 'previews', 'streaming-playlists/hls'].map(name => join(site.folder, name)) as [
    string,
    string,
    string
  ]
  for (const folder of [thumbnails, previews, hls]) await mkdir(folder, { recursive: true })
  for (let start = 0; start < rows.length; start += 100)
    await Promise.all(
      rows.slice(start, start + 100).map(async ({ uuid }) => {
        await mkdir(join(hls, uuid))
        await Promise.all(
          [
            join(thumbnails, `${uuid}.jpg`),
            join(previews, `${uuid}-preview.jpg`),
            join(hls, uuid, 'master.m3u8'),
            join(hls, uuid, 'stray.mp4')
          ].map(async path => await writeFile(path, ''))
        )
      })
    )
  await writeStrays()
}, PATIENCE)
afterAll(async () => await site?.stop(), PATIENCE)

async function writeStrays(): Promise<void> {
  for (let number = 0; number < STRAYS; number++) {
    for (const folder of ['thumbnails', 'previews']) await writeFile(join(site.folder, folder, `stray-${number}.jpg`), '')
    await mkdir(join(site.folder, 'streaming-playlists/hls', `00000000-0000-0000-0000-0000000000${10 + number}`), { recursive: true })
  }
}

const run = async (signal = new AbortController().signal) => await sweepOrphanFiles.run({}, { signal, progress: () => undefined })
const count = async (folder: string) => (await readdir(join(site.folder, folder))).length
const countAll = async () => await Promise.all(['thumbnails', 'previews', 'streaming-playlists/hls'].map(count))
const countInFolders = async () => {
  let files = 0
  for (const uuid of await readdir(join(site.folder, 'streaming-playlists/hls')))
    files += await count(join('streaming-playlists/hls', uuid))
  return files
}

/** Runs as often as it takes to see all orphans twice. */
async function removeAll(): Promise<void> {
  for (let seen = 0; seen <= VIDEOS + 3 * STRAYS; seen += ORPHANS.maxCandidates) {
    await run()
    await sleep(250)
  }
  await run()
  expect(await countAll()).toEqual([VIDEOS, VIDEOS, VIDEOS])
}

test(
  'many files are looked up in batches, with memory and pauses that do not grow with their number',
  async () => {
    // A spy would keep the names of every batch, and be measured.
    const statements = { lists: 0, longest: 0, withoutNames: 0 }
    const send = sequelize.query.bind(sequelize) as (...given: unknown[]) => unknown
    Object.assign(sequelize, {
      query: async (text: string, options?: { bind?: unknown[] }) => {
        const lists = (options?.bind ?? []).filter(value => Array.isArray(value))
        statements.lists += lists.length
        statements.longest = Math.max(statements.longest, ...lists.map(list => list.length))
        if (!options?.bind?.length) statements.withoutNames++
        return await send(text, options)
      }
    })
    const delay = monitorEventLoopDelay({ resolution: 5 })
    const before = process.memoryUsage()
    let rss = before.rss
    const sampling = setInterval(() => (rss = Math.max(rss, process.memoryUsage.rss())), 20)
    delay.enable()
    const startedAt = performance.now()
    await run()
    const seconds = (performance.now() - startedAt) / 1000
    delay.disable()
    clearInterval(sampling)
    delete (sequelize as { query?: unknown }).query
    const growth = (rss - before.rss) / 2 ** 20
    process.stdout.write(
      `${VIDEOS} videos: ${seconds.toFixed(1)} s, ${growth.toFixed(0)} MiB more (RSS), longest pause ${(delay.max / 1e6).toFixed(0)} ms\n`
    )
    expect(statements.lists).toBeGreaterThanOrEqual(Math.floor((2 * VIDEOS) / ORPHANS.batch + VIDEOS / ORPHANS.folderBatch))
    expect(statements.longest).toBeLessThanOrEqual(ORPHANS.batch)
    // Nothing but the names that are looked for is ever asked for.
    expect(statements.withoutNames).toBe(0)
    expect(growth).toBeLessThan(150)
    // Other tests run at the same time.
    expect(delay.max / 1e6).toBeLessThan(2000)
    expect(await countAll()).toEqual([VIDEOS + STRAYS, VIDEOS + STRAYS, VIDEOS + STRAYS])
  },
  PATIENCE
)

test(
  'no more are remembered than fit, and all are removed in time',
  async () => {
    await removeAll()
    await writeStrays()
    overrideInternals(ORPHANS, { maxCandidates: 40 })
    const left: number[] = []
    try {
      for (let round = 0; round < 3; round++) {
        await run()
        left.push((await countAll()).reduce((sum, one) => sum + one, 0) - 3 * VIDEOS)
        await sleep(250)
      }
    } finally {
      overrideInternals(ORPHANS, { maxCandidates: 50_000 })
    }
    expect(left).toEqual([75, 35, 0])
  },
  PATIENCE
)

test(
  'a run that is aborted removes nothing more, and the next one goes on',
  async () => {
    await removeAll()
    const stopped = new AbortController()
    stopped.abort()
    await writeStrays()
    await sleep(250)
    await run(stopped.signal)
    expect(await countAll()).toEqual([VIDEOS + STRAYS, VIDEOS + STRAYS, VIDEOS + STRAYS])
    await removeAll()
    // What each video names is there, and nothing else.
    expect(await countInFolders()).toBe(VIDEOS)
  },
  PATIENCE
)
