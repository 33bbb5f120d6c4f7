import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'
import { sweepOrphanFiles } from './sweep-orphan-files.job.ts'

let site: TestInstance
let video: { id: number; uuid: string }
let folder: string
beforeAll(async () => {
  site = await startTestInstance({ storyboards: { enabled: true }, jobs: { orphan_interval: '300 ms' } }, ['web', 'worker'])
  const alice = await site.user('alice')
  video = await uploadVideo(site, alice)
  await waitForTranscoding(site, alice, video.uuid)
  // Not before: an upload on a slow machine takes longer.
  config.jobs.orphan_age = 300
  folder = join(site.folder, 'streaming-playlists/hls', video.uuid)
})
afterAll(() => site?.stop())

const listFolder = async () => await readdir(folder)

test('files without a row are removed, the renditions and images of a video are kept', async () => {
  const ownFiles = await listFolder()
  const listImages = async () =>
    await Promise.all(['thumbnails', 'previews', 'storyboards'].map(async name => await readdir(join(site.folder, name))))
  const images = await listImages()
  expect(images.map(names => names.length)).toEqual([1, 1, 1])
  await writeFile(join(folder, 'killed-240-fragmented.mp4'), 'x')
  await writeFile(join(site.folder, 'thumbnails/nobodys.jpg'), 'x')
  await expect.poll(listFolder, { timeout: 10_000 }).toEqual(ownFiles)
  await expect.poll(listImages, { timeout: 10_000 }).toEqual(images)
  // Longer than the interval of the job.
  await sleep(1500)
  expect(await listFolder()).toEqual(ownFiles)
})

test('subtitles of every kind are kept', async () => {
  const names = ['full', 'forced', 'hearing-impaired'].map(name => `${name}.vtt`)
  await runQuery(sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${video.id}, 'en', 'full.vtt')`)
  await runQuery(sql`INSERT INTO additional_captions (video_id, language, kind, filename) VALUES
    (${video.id}, 'en', 'forced', 'forced.vtt'), (${video.id}, 'en', 'hearing_impaired', 'hearing-impaired.vtt')`)
  const captions = join(site.folder, 'captions')
  await mkdir(captions, { recursive: true })
  for (const name of [...names, 'nobodys.vtt']) await writeFile(join(captions, name), 'WEBVTT\n')
  await expect.poll(async () => (await readdir(captions)).sort(), { timeout: 10_000 }).toEqual(names.sort())
})

test('nothing is removed from the folder of a video that is being encoded', async () => {
  await runQuery(sql`UPDATE transcodings SET state = 'waiting', not_before = now() + interval '30 minutes' WHERE video_id = ${video.id}`)
  await writeFile(join(folder, 'coming-240-fragmented.mp4'), 'x')
  await sleep(1500)
  expect(await listFolder()).toContain('coming-240-fragmented.mp4')
  await runQuery(sql`UPDATE transcodings SET state = 'done' WHERE video_id = ${video.id}`)
  await expect.poll(listFolder, { timeout: 10_000 }).not.toContain('coming-240-fragmented.mp4')
})

test('a jump of the system clock does not make files old at once', async () => {
  config.jobs.orphan_age = 24 * 3_600_000
  await writeFile(join(folder, 'young.mp4'), 'x')
  await sleep(1000)
  const realNow = Date.now
  Date.now = () => realNow() + 3 * 24 * 3_600_000
  try {
    config.jobs.orphan_interval = 3_600_000
    for (let run = 0; run < 3; run++) await sweepOrphanFiles.run({}, { signal: new AbortController().signal, progress: () => undefined })
    expect(await listFolder()).toContain('young.mp4')
    // Now it is also old in two runs that are an interval apart.
    config.jobs.orphan_interval = 300
    await sleep(400)
    await sweepOrphanFiles.run({}, { signal: new AbortController().signal, progress: () => undefined })
    expect(await listFolder()).not.toContain('young.mp4')
  } finally {
    Date.now = realNow
  }
})
