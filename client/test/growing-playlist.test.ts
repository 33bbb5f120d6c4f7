import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../server/test/instance.ts'
import { uploadVideo } from '../../server/test/upload.ts'
import { readFile } from 'node:fs/promises'
import {
  expectNoPageErrors,
  expectVideoToPlay,
  makeTestVideo,
  logInThroughForm,
  openPlayerSettings,
  openTestSite,
  readVideoElement,
  type TestSite
} from './site.ts'

// Its video stream can be copied, so that the original quality is ready at once while the others are still being encoded.
let site: TestSite
let videoPath: string
beforeAll(async () => {
  site = await openTestSite({ transcoding: { preset: 'veryfast', threads: 1, resolutions: { '480p': false, '360p': false } } })
  videoPath = await makeTestVideo(site, 'sharp.mp4', { seconds: 120, keyframes: 2 })
})
afterAll(async () => await site.stop())
afterEach(async () => {
  const token = await site.login()
  for (const { id } of (await site.call('GET /users/me/videos', { token })).json.data) await site.call(`DELETE /videos/${id}`, { token })
})

test('further qualities appear in the menu without interrupting playback, and can be chosen', { timeout: 240_000 }, async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const wholeFiles: string[] = []
  page.on('response', response => {
    if (response.url().includes('-fragmented.mp4') && response.status() === 200) wholeFiles.push(response.url())
  })
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  await page.setInputFiles('input[type=file]', videoPath)
  const item = page.getByRole('article', { name: 'sharp.mp4' })
  await item.getByRole('button', { name: 'Play' }).first().click({ timeout: 60_000 })
  await expectVideoToPlay(page)
  // On "Auto" the player would switch to a quality that fits this small player as soon as there is one.
  await openPlayerSettings(page)
  await item.getByRole('menuitem', { name: /Quality/ }).click()
  await item.getByRole('menuitemradio', { name: '720p', exact: true }).click()
  await expect.poll(async () => (await readVideoElement(page)).height, { timeout: 60_000 }).toBe(720)
  await expectVideoToPlay(page)
  await page.locator('video').evaluate((video: HTMLVideoElement) => {
    const interruptions: string[] = []
    Object.assign(window, { interruptions })
    // A busy machine may decode too slowly; but the buffer must never run empty.
    const isBufferEmpty = () =>
      !Array.from(
        { length: video.buffered.length },
        (_, index) => video.buffered.start(index) <= video.currentTime && video.buffered.end(index) > video.currentTime + 0.5
      ).includes(true)
    for (const event of ['emptied', 'seeking', 'pause', 'error'] as const)
      video.addEventListener(event, () => interruptions.push(`${event} at ${video.currentTime}`))
    video.addEventListener('waiting', () => {
      if (isBufferEmpty()) interruptions.push(`nothing to play at ${video.currentTime}`)
    })
  })
  await openPlayerSettings(page)
  await item.getByRole('menuitem', { name: /Quality/ }).click()
  const qualities = item.getByRole('menuitemradio')
  await expect.poll(async () => await qualities.allTextContents(), { timeout: 120_000 }).toEqual(expect.arrayContaining(['720p', '240p']))
  expect((await readVideoElement(page)).height).toBe(720)
  expect(await page.evaluate(() => (window as unknown as { interruptions: string[] }).interruptions)).toEqual([])

  // Back to the start, where the small quality has already been encoded: further on the player would rightly wait for it.
  await page.locator('video').evaluate(async (video: HTMLVideoElement) => {
    video.currentTime = 0
    await new Promise(resolve => video.addEventListener('seeked', resolve, { once: true }))
  })
  // hls.js notices the seek with its next tick; before that it would replace only what follows the old time in the buffer.
  await expectVideoToPlay(page, 0.5)
  await item.getByRole('menuitemradio', { name: '240p', exact: true }).click()
  await expect.poll(async () => (await readVideoElement(page)).height, { timeout: 120_000 }).toBe(240)
  await expectVideoToPlay(page)
  expect(wholeFiles).toEqual([])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('playback that starts beyond what the smaller qualities have reached does not wait for them', { timeout: 240_000 }, async () => {
  const token = await site.login()
  const { json: me } = await site.call('GET /users/me', { token })
  const video = await uploadVideo(
    site,
    { token, channelId: me.videoChannels[0].id },
    { name: 'Long and sharp' },
    (await readFile(videoPath)) as Buffer<ArrayBuffer>
  )
  const listRenditions = async () =>
    (await site.call(`GET /videos/${video.id}/transcoding`, { token })).json.rungs as { resolution: number; state: string }[]
  await eventually(
    async () => (await listRenditions()).find(({ resolution }) => resolution === 240)?.state === 'growing',
    60,
    'the rendition of 240p'
  )

  const visitor = await site.visit()
  const { page } = visitor
  await page.addInitScript(() => localStorage.setItem('bobine.bandwidth', '100000'))
  await page.goto(`/w/${video.shortUUID}?start=100`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page)
  expect(await readVideoElement(page)).toMatchObject({ height: 720 })
  expect((await readVideoElement(page)).time).toBeGreaterThan(100)
  expect((await listRenditions()).find(({ resolution }) => resolution === 240)?.state).toBe('growing')
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Quality/ }).click()
  await page.getByRole('menuitem', { name: 'Quality more on the way' }).waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')
  await page.keyboard.press('1')
  await expect.poll(async () => (await readVideoElement(page)).time).toBeLessThan(30)
  await expectVideoToPlay(page)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
