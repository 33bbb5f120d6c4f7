import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectFolder } from '../../server/core/config.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { uploadVideo, waitForTranscoding } from '../../server/test/upload.ts'
import { openEmbeddingSite, type EmbeddingSite } from './embedding-site.ts'
import { expectNoPageErrors, expectVideoToPlay, logInThroughForm, openTestSite, type TestSite } from './site.ts'

const EMBED_API = join(projectFolder, 'node_modules/@peertube/embed-api/build/player.min.js')
type Ids = { id: number; uuid: string; shortUUID: string }

let site: TestSite
let embedder: EmbeddingSite
let videos: Ids[]
let open: Ids
let hidden: Ids

beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  const bytes = await makeFootageBytes({ seconds: 4, size: '426x240' })
  videos = []
  for (const name of ['First film', 'Second film']) videos.push(await uploadVideo(site, ada, { name }, bytes))
  const locked = await uploadVideo(site, ada, { name: 'Secret film', privacy: 3 }, bytes)
  for (const { id } of [...videos, locked]) await waitForTranscoding(site, ada, id)
  const create = async (privacy: number): Promise<Ids> => {
    const body = { displayName: 'Evenings', description: 'For *evenings*', privacy, videoChannelId: ada.channelId }
    return (await site.call('POST /video-playlists', { token: ada.token, body })).json.videoPlaylist
  }
  open = await create(1)
  hidden = await create(3)
  for (const { uuid } of [open, hidden])
    for (const [index, { id }] of [videos[0]!, locked, videos[1]!].entries())
      await site.call(`POST /video-playlists/${uuid}/videos`, {
        token: ada.token,
        body: { videoId: id, ...(index === 0 ? { startTimestamp: 1, stopTimestamp: 3 } : {}) }
      })
  embedder = await openEmbeddingSite(site, EMBED_API)
}, 180_000)
afterAll(async () => {
  await embedder?.stop()
  await site?.stop()
})

test('a playlist plays its videos in their order, from its start and stop times on, and skips what it may not show', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/videos/watch/playlist/${open.uuid}`)
  await page.getByRole('heading', { name: 'Evenings', level: 1 }).waitFor()
  expect(await page.getByText('For evenings').count()).toBe(1)
  expect(await page.getByRole('link', { name: 'Main ada channel' }).first().getAttribute('href')).toBe('/c/ada_channel')
  const list = page.locator('.watch-side li')
  await expect.poll(async () => await list.count()).toBe(3)
  expect(await list.nth(1).innerText()).toBe('Unavailable video')
  await page.getByRole('region', { name: /First film/ }).waitFor()
  expect(await list.nth(0).getAttribute('aria-current')).toBe('true')
  await page.getByRole('button', { name: 'Play', exact: true }).first().click()
  await page.getByRole('region', { name: /Second film/ }).waitFor()
  expect(new URL(page.url()).search).toBe('?playlistPosition=3')
  await expectVideoToPlay(page, 0.3)
  await list.nth(0).getByRole('link', { name: 'First film' }).click()
  await page.getByRole('region', { name: /First film/ }).waitFor()
  await expectVideoToPlay(page, 0.2)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a private playlist is for its owner; everybody else is asked to log in', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/p/${hidden.shortUUID}`)
  await page.getByRole('heading', { name: 'Log in to see this playlist' }).waitFor()
  expect(await page.locator(':root').textContent()).not.toContain('Evenings')
  await logInThroughForm(page, 'ada', 'password1', `/w/p/${hidden.shortUUID}?playlistPosition=2`)
  await page.getByRole('region', { name: /Secret film/ }).waitFor()
  await page.getByRole('heading', { name: 'Evenings', level: 1 }).waitFor()
  await page.goto('/w/p/9c9de5e8-0a1e-484a-b099-e80766180a6d')
  await page.getByRole('heading', { name: 'This playlist doesn’t exist' }).waitFor()
  await visitor.context.close()
})

test('@peertube/embed-api plays an embedded playlist, goes on and back in it', { timeout: 90_000 }, async () => {
  await embedder.show(`/video-playlists/embed/${open.uuid}?api=1&muted=1`)
  await embedder.frame.getByRole('navigation', { name: 'Evenings' }).getByText('1 / 3').waitFor()
  const result = await embedder.page.evaluate(async () => {
    const player = new (window as any).PeerTubePlayer(document.querySelector('iframe'))
    const until = async (test: () => Promise<boolean>) => {
      while (!(await test())) await new Promise(resolve => setTimeout(resolve, 100))
    }
    await player.ready
    const first = await player.getCurrentPosition()
    await player.playPreviousVideo()
    const stillFirst = await player.getCurrentPosition()
    await player.playNextVideo()
    await until(async () => (await player.getCurrentPosition()) === 3)
    await until(async () => await player.isPlaying())
    await player.playNextVideo()
    const last = await player.getCurrentPosition()
    await player.playPreviousVideo()
    await until(async () => (await player.getCurrentPosition()) === 1)
    return { first, stillFirst, last }
  })
  expect(result).toEqual({ first: 1, stillFirst: 1, last: 3 })
  // Where the first one stops the next one starts.
  await embedder.frame.getByText('3 / 3').waitFor()
})

test('an embedded playlist begins where its address says, and shows nothing of a private one', async () => {
  await embedder.show(`/video-playlists/embed/${open.shortUUID}?playlistPosition=2&muted=1`)
  await embedder.frame.getByText('3 / 3').waitFor()
  await embedder.frame.getByRole('button', { name: 'Previous video' }).click()
  await embedder.frame.getByText('1 / 3').waitFor()
  await embedder.show(`/video-playlists/embed/${hidden.shortUUID}`)
  await embedder.frame.getByRole('heading', { name: 'This playlist doesn’t exist' }).waitFor()
  expect(await embedder.frame.locator(':root').textContent()).not.toContain('Evenings')
})
