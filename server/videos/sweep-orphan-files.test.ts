import { readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'
import { sweepOrphanFiles } from './sweep-orphan-files.job.ts'

let site: TestInstance
let film: { id: number; uuid: string }
let folder: string
beforeAll(async () => {
  site = await startTestInstance({ storyboards: { enabled: true }, jobs: { orphan_interval: '300 ms', orphan_age: '300 ms' } }, [
    'web',
    'worker'
  ])
  const alice = await site.user('alice')
  film = await uploadVideo(site, alice)
  await waitForTranscoding(site, alice, film.uuid)
  folder = join(site.folder, 'streaming-playlists/hls', film.uuid)
})
afterAll(() => site?.stop())

const left = async () => await readdir(folder)

test('what an attempt that was killed left beside the renditions goes, and they stay, with all that belongs to the video', async () => {
  const own = await left()
  const all = async () =>
    await Promise.all(['thumbnails', 'previews', 'storyboards'].map(async name => await readdir(join(site.folder, name))))
  const pictures = await all()
  expect(pictures.map(names => names.length)).toEqual([1, 1, 1])
  await writeFile(join(folder, 'killed-240-fragmented.mp4'), 'x')
  await writeFile(join(site.folder, 'thumbnails/nobodys.jpg'), 'x')
  await expect.poll(left, { timeout: 10_000 }).toEqual(own)
  await expect.poll(all, { timeout: 10_000 }).toEqual(pictures)
  // Longer than any turn.
  await sleep(1500)
  expect(await left()).toEqual(own)
})

test('while a video is encoded everything in its folder stays', async () => {
  await runQuery(sql`UPDATE transcodings SET state = 'waiting', not_before = now() + interval '30 minutes' WHERE video_id = ${film.id}`)
  await writeFile(join(folder, 'coming-240-fragmented.mp4'), 'x')
  await sleep(1500)
  expect(await left()).toContain('coming-240-fragmented.mp4')
  await runQuery(sql`UPDATE transcodings SET state = 'done' WHERE video_id = ${film.id}`)
  await expect.poll(left, { timeout: 10_000 }).not.toContain('coming-240-fragmented.mp4')
})

test('a clock that jumps ahead makes nothing old at once', async () => {
  config.jobs.orphan_age = 24 * 3_600_000
  await writeFile(join(folder, 'young.mp4'), 'x')
  await sleep(1000)
  const right = Date.now
  Date.now = () => right() + 3 * 24 * 3_600_000
  try {
    config.jobs.orphan_interval = 3_600_000
    for (let turn = 0; turn < 3; turn++) await sweepOrphanFiles.run({}, { signal: new AbortController().signal, progress: () => undefined })
    expect(await left()).toContain('young.mp4')
    // Old for a turn, too.
    config.jobs.orphan_interval = 300
    await sleep(400)
    await sweepOrphanFiles.run({}, { signal: new AbortController().signal, progress: () => undefined })
    expect(await left()).not.toContain('young.mp4')
  } finally {
    Date.now = right
  }
})
