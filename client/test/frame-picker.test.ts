import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
let path: string
beforeAll(async () => {
  site = await openTestSite({ transcoding: { resolutions: { '360p': false, '480p': false, '720p': false, '1080p': false } } })
  await site.user('ada')
  path = join(site.films, 'red then blue.mp4')
  // A colour of its own in each half.
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
    path
  ])
}, 120_000)
afterAll(async () => await site?.stop())

/** Which of the two colours the picture of a video has. */
async function colourOf(uuid: string, token: string): Promise<'red' | 'blue'> {
  const { json } = await site.call(`GET /videos/${uuid}`, { token })
  const {
    channels: [red, , blue]
  } = await sharp(Buffer.from(await (await fetch(site.url + json.previewPath)).arrayBuffer())).stats()
  return red!.mean > blue!.mean ? 'red' : 'blue'
}

/** Opens the dialog, goes to the first or last frame with the keyboard, and takes it. */
async function take(page: Page, key: 'Home' | 'End'): Promise<void> {
  await page.getByRole('button', { name: 'Choose a frame' }).click()
  const place = page.getByRole('slider', { name: 'Place in the video' })
  await page.getByRole('button', { name: 'Use this frame' }).and(page.locator(':enabled')).waitFor()
  await place.focus()
  await page.keyboard.press(key)
  await page.getByRole('button', { name: 'Use this frame' }).click()
  await page.getByRole('dialog').waitFor({ state: 'detached' })
}

test.each([390, 1280])(
  'a frame of the film becomes its picture, where it is uploaded and where it is edited, at %i pixels',
  async width => {
    const visitor = await site.visit({ viewport: { width, height: 844 } })
    const { page } = visitor
    const token = await site.login('ada', 'password1')
    await logInThroughForm(page, 'ada', 'password1', '/upload')
    await page.setInputFiles('input[type=file]', path)
    await take(page, 'End')
    await page.getByText('The picture is saved.').waitFor()
    const { json } = await site.call('GET /users/me/videos', { token })
    const [{ uuid, shortUUID }] = json.data
    expect(await colourOf(uuid, token)).toBe('blue')
    // Still private: its files open for its owner only.
    await page.goto(`/my/videos/${shortUUID}`)
    await take(page, 'Home')
    expect(await colourOf(uuid, token)).toBe('blue')
    await page.getByText('Not saved yet').waitFor()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.', { exact: true }).waitFor()
    expect(await colourOf(uuid, token)).toBe('red')
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
)

test('a film that does not come says so, and nothing is taken; without a frame there is still a file to choose', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const token = await site.login('ada', 'password1')
  const [{ shortUUID, uuid }] = (await site.call('GET /users/me/videos', { token })).json.data
  const before = await colourOf(uuid, token)
  await logInThroughForm(page, 'ada', 'password1', `/my/videos/${shortUUID}`)
  await page.route(/\/\d+\.mp4/, async route => await route.fulfill({ status: 404 }))
  await page.getByRole('button', { name: 'Choose a frame' }).click()
  await page.getByText('The video cannot be shown right now.').waitFor()
  expect(await page.getByRole('button', { name: 'Use this frame' }).isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Cancel' }).click()
  expect(await page.locator('button').filter({ hasText: 'Choose a picture' }).isVisible()).toBe(true)
  expect(await colourOf(uuid, token)).toBe(before)
  await visitor.context.close()
})
