import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from './instance.ts'
import { checkPublishedVideos, findTemporaryFiles, keepUploadedFiles, type CheckedInstance, type UploadedFiles } from './published-media.ts'
import { uploadVideo, waitForTranscoding } from './upload.ts'

let site: TestInstance
let uploaded: UploadedFiles
let instance: Omit<CheckedInstance, 'checked'>
let stopped = false
let video: { id: number; uuid: string }

beforeAll(async () => {
  // What is broken here on purpose is looked at by the tests themselves.
  site = await startTestInstance({ storyboards: { enabled: true }, checkPublishedMedia: false })
  uploaded = await keepUploadedFiles(site.folder)
  const alice = await site.user('alice')
  video = await uploadVideo(site, alice)
  await waitForTranscoding(site, alice, video.uuid)
  const { host, port, username } = inject('postgres')
  const [row] = await runQuery<{ name: string }>(sql`SELECT current_database() AS name`)
  instance = {
    url: site.url,
    storyboards: true,
    storage: site.folder,
    database: { host, port, user: username, database: row!.name },
    uploaded: uploaded.folder
  }
})
afterAll(async () => {
  await uploaded?.stop()
  if (!stopped) await site?.stop()
})

/** What is found, as if nothing had been checked before. */
async function findings(checked?: string): Promise<string> {
  return (await checkPublishedVideos({ ...instance, checked: checked ?? (await mkdtemp(join(site.folder, 'checked-'))) })).join('\n')
}
const hls = () => join(site.folder, 'streaming-playlists/hls', video.uuid)

/** Replaces a stored image while `act` runs. */
async function withImage(kind: 'thumbnail' | 'preview' | 'storyboard', act: () => Promise<void>): Promise<void> {
  const folder = join(site.folder, `${kind}s`)
  const [name] = await readdir(folder)
  const path = join(folder, name!)
  await rename(path, `${site.folder}/kept.jpg`)
  const { width, height } = await sharp(`${site.folder}/kept.jpg`).metadata()
  await sharp({ create: { width, height, channels: 3, background: 'black' } })
    .jpeg()
    .toFile(path)
  await act()
  await rename(`${site.folder}/kept.jpg`, path)
}

test('nothing is wrong with a published video, whose upload was kept', async () => {
  expect(await readdir(uploaded.folder)).toHaveLength(1)
  expect(await readdir(join(site.folder, 'original-video-files'))).toEqual([])
  expect(await findings()).toBe('')
  expect(await findTemporaryFiles(site.folder)).toEqual([])
})

test.each(['thumbnail', 'preview'] as const)('a %s that is black', async kind => {
  await withImage(kind, async () => expect(await findings()).toMatch(`${kind}: shows nothing, unlike the source`))
})

test('a storyboard that is black', async () => {
  await withImage('storyboard', async () => expect(await findings()).toMatch('storyboard: sprite 0 shows nothing of the source'))
})

test('a storyboard that is missing', async () => {
  const [row] = await runQuery<{ filename: string }>(sql`SELECT filename FROM storyboards`)
  await runQuery(sql`CREATE TABLE kept_storyboards AS SELECT * FROM storyboards`)
  await runQuery(sql`DELETE FROM storyboards`)
  expect((await findings()).split('\n').sort()).toEqual([
    `storyboards/${row!.filename} belongs to no row`,
    `video ${video.id} (A film): it has no storyboard`
  ])
  await runQuery(sql`INSERT INTO storyboards SELECT * FROM kept_storyboards`)
  await runQuery(sql`DROP TABLE kept_storyboards`)
  expect(await findings()).toBe('')
})

test('a rendition without a sound of its own, as compared with the upload', async () => {
  const name = (await readdir(hls())).find(file => file.endsWith('-0-fragmented.mp4'))!
  await rename(join(hls(), name), `${site.folder}/kept.mp4`)
  await writeFile(join(hls(), name), '')
  expect(await findings()).toMatch(/sound .*has no tracks/)
  await rename(`${site.folder}/kept.mp4`, join(hls(), name))
})

test('the same upload with the same renditions is decoded once', async () => {
  const checked = await mkdtemp(join(site.folder, 'checked-'))
  expect(await findings(checked)).toBe('')
  await withImage('thumbnail', async () => {
    expect(await findings(checked)).toBe('')
    expect(await readdir(checked)).toHaveLength(1)
  })
})

test('captions and chapters that are wrong', async () => {
  await mkdir(join(site.folder, 'captions'), { recursive: true })
  await writeFile(join(site.folder, 'captions/late.vtt'), 'WEBVTT\n\n01:00.000 --> 01:01.000\nHello\n')
  await runQuery(sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${video.id}, 'en', 'late.vtt')`)
  await runQuery(sql`INSERT INTO video_chapters (video_id, timecode, title) VALUES (${video.id}, 3, 'Late')`)
  expect(await findings()).toMatch(/caption en: a cue from 60 to 61 s is not within/)
  expect(await findings()).toMatch(/a chapter begins at 3 s, after the end/)
  await runQuery(sql`DELETE FROM video_captions`)
  await runQuery(sql`DELETE FROM video_chapters`)
  expect(await findings()).toBe('captions/late.vtt belongs to no row')
  await rm(join(site.folder, 'captions/late.vtt'))
})

test('files without a row', async () => {
  const stray = ['thumbnails/nobodys.jpg', 'original-video-files/nobodys.mp4', `streaming-playlists/hls/${video.uuid}/left.ts`]
  for (const path of stray) await writeFile(join(site.folder, path), 'x')
  expect((await findings()).split('\n').sort()).toEqual(stray.map(path => `${path} belongs to no row`).sort())
  for (const path of stray) await rm(join(site.folder, path))
  await writeFile(join(site.folder, 'tmp/left.jpg'), 'x')
  expect(await findTemporaryFiles(site.folder)).toEqual(['tmp/left.jpg is left'])
  await rm(join(site.folder, 'tmp/left.jpg'))
})

test('a master playlist that lacks a rendition, and a length that is not that of the file', async () => {
  const [master] = await runQuery<{ name: string }>(sql`SELECT playlist_filename AS name FROM streaming_playlists`)
  await rename(join(hls(), master!.name), `${site.folder}/master.m3u8`)
  await writeFile(join(hls(), master!.name), '#EXTM3U\n')
  await runQuery(sql`UPDATE videos SET duration = duration + 5`)
  expect(await findings()).toMatch(/the master playlist lacks 180/)
  expect(await findings()).toMatch(/its row says 7 s, the probe 2/)
  await runQuery(sql`UPDATE videos SET duration = duration - 5`)
  await rename(`${site.folder}/master.m3u8`, join(hls(), master!.name))
  expect(await findings()).toBe('')
})

test('an instance that has something wrong does not stop without a word', async () => {
  await site.stop()
  stopped = true
  const other = await startTestInstance()
  await mkdir(join(other.folder, 'thumbnails'), { recursive: true })
  await writeFile(join(other.folder, 'thumbnails/nobodys.jpg'), 'x')
  await expect(other.stop()).rejects.toThrow(/What this instance published is wrong:\n- thumbnails\/nobodys\.jpg belongs to no row/)
})
