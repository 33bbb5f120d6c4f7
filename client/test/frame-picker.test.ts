import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
let videoPath: string
beforeAll(async () => {
  site = await openTestSite({ transcoding: { resolutions: { '360p': false, '480p': false, '720p': false, '1080p': false } } })
  await site.user('ada')
  videoPath = join(site.videosFolder, 'red then blue.mp4')
  // Each half has a colour of its own.
  const colours = ['red', 'blue'].flatMap(colour => ['-f', 'lavfi', '-i', `color=${colour}:size=426x240:rate=25:duration=4`])
  await promisify(execFile)('ffmpeg', [
    '-v',
    'error',
    ...colours,
    '-filter_complex',
    'concat=n=2',
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-pix_fmt',
    'yuv420p',
    videoPath
  ])
}, 120_000)
afterAll(async () => await site?.stop())

/** Returns which of the two colours the thumbnail of a video has. */
async function thumbnailColour(uuid: string, token: string): Promise<'red' | 'blue'> {
  const { json } = await site.call(`GET /videos/${uuid}`, { token })
  const {
    channels: [red, , blue]
  } = await sharp(Buffer.from(await (await fetch(site.url + json.previewPath)).arrayBuffer())).stats()
  return red!.mean > blue!.mean ? 'red' : 'blue'
}

/** Opens the dialog, moves to the first or last frame with the keyboard, and picks it. */
async function pickFrame(page: Page, key: 'Home' | 'End'): Promise<void> {
  await page.getByRole('button', { name: 'Choose a frame' }).click()
  const slider = page.getByRole('slider', { name: 'Time in the video' })
  await page.getByRole('button', { name: 'Use this frame' }).and(page.locator(':enabled')).waitFor()
  await slider.focus()
  await page.keyboard.press(key)
  await page.getByRole('button', { name: 'Use this frame' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

test.each([390, 1280])('a frame of the video becomes its thumbnail, on the upload page and on the edit page, at %i pixels', async width => {
  const visitor = await site.visit({ viewport: { width, height: 844 } })
  const { page } = visitor
  const token = await site.login('ada', 'password1')
  await logInThroughForm(page, 'ada', 'password1', '/upload')
  await page.setInputFiles('input[type=file]', videoPath)
  await pickFrame(page, 'End')
  await page.getByText('Thumbnail saved.').waitFor()
  const rightEdges = await page.locator('.upload-item button').evaluateAll(all => all.map(button => button.getBoundingClientRect().right))
  expect(Math.max(...rightEdges)).toBeLessThanOrEqual(width)
  const { json } = await site.call('GET /users/me/videos', { token })
  const [{ uuid, shortUUID }] = json.data
  expect(await thumbnailColour(uuid, token)).toBe('blue')
  // The video is still private: its files are accessible to its owner only.
  await page.goto(`/my/videos/${shortUUID}`)
  await pickFrame(page, 'Home')
  expect(await thumbnailColour(uuid, token)).toBe('blue')
  await page.getByText('Unsaved changes').waitFor()
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.', { exact: true }).waitFor()
  expect(await thumbnailColour(uuid, token)).toBe('red')
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('an error is shown if the video cannot be loaded; an image file can still be chosen', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const token = await site.login('ada', 'password1')
  const [{ shortUUID, uuid }] = (await site.call('GET /users/me/videos', { token })).json.data
  const before = await thumbnailColour(uuid, token)
  await logInThroughForm(page, 'ada', 'password1', `/my/videos/${shortUUID}`)
  await page.route(/\/\d+\.mp4/, async route => await route.fulfill({ status: 404 }))
  await page.getByRole('button', { name: 'Choose a frame' }).click()
  await page.getByText('The video can’t be loaded right now.').waitFor()
  expect(await page.getByRole('button', { name: 'Use this frame' }).isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Cancel' }).click()
  expect(await page.locator('button').filter({ hasText: 'Choose an image' }).isVisible()).toBe(true)
  expect(await thumbnailColour(uuid, token)).toBe(before)
  await visitor.context.close()
})
