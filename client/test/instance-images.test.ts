import { randomBytes } from 'node:crypto'
import type { Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { uploadVideo, waitForTranscoding } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

const MAX_SIZE = 100_000
let site: TestSite
let video: { id: number; uuid: string; shortUUID: string }
beforeAll(async () => {
  site = await openTestSite({
    instance: { name: 'Reels & <more>' },
    upload: { avatar_max_size: MAX_SIZE },
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  video = await uploadVideo(site, ada, { name: 'A film' }, await makeFootageBytes({ seconds: 2, size: '426x240' }))
  await waitForTranscoding(site, ada, video.id)
}, 180_000)
afterAll(async () => await site?.stop())

const makeImageFile = async (width: number, height: number) => ({
  name: 'image.png',
  mimeType: 'image/png',
  buffer: await sharp({ create: { width, height, channels: 3, background: '#3060a0' } })
    .png()
    .toBuffer()
})
const readImages = async () => {
  const { avatars, banners } = (await site.call('GET /config/about')).json.instance
  return { avatars: avatars.length, banners: banners.length }
}
const isLoaded = async (page: Page, selector: string) =>
  await page.locator(selector).evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0)
const avatarField = (page: Page) => page.locator('.image-field').filter({ hasText: 'Displayed as a circle' })

test('an administrator chooses, replaces and removes the avatar and the banner of the instance', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/admin/settings')
  await page.getByRole('heading', { name: 'Avatar and banner' }).waitFor()
  expect(await page.getByRole('button', { name: /^Remove/ }).count()).toBe(0)
  expect(await page.locator('.bar-home .mark').count()).toBe(1)
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Choose a banner' }).first().focus()
  await page.keyboard.press('Enter')
  await (await chooser).setFiles(await makeImageFile(1920, 317))
  await page.getByRole('button', { name: 'Remove banner' }).waitFor()
  await expect.poll(async () => await isLoaded(page, 'img.image-fields-banner')).toBe(true)
  await page
    .getByLabel('Choose a picture')
    .last()
    .setInputFiles(await makeImageFile(200, 200))
  await page.getByRole('button', { name: 'Remove picture' }).waitFor()
  await expect.poll(async () => await isLoaded(page, '.bar-home img.avatar')).toBe(true)
  // Saving an image changes nothing in the form, and leaves what is written in it.
  expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true)
  await page.getByLabel('Short description').fill('Not saved yet')
  const first = await page.locator('.image-fields img.avatar').getAttribute('src')
  await page
    .getByLabel('Choose a picture')
    .last()
    .setInputFiles(await makeImageFile(300, 300))
  await expect.poll(async () => await page.locator('.image-fields img.avatar').getAttribute('src')).not.toBe(first)
  expect(await readImages()).toEqual({ avatars: 4, banners: 2 })
  expect(await page.getByLabel('Short description').inputValue()).toBe('Not saved yet')
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)

  const guest = await site.visit({ viewport: { width: 390, height: 844 } })
  await guest.page.goto('/about')
  await guest.page.getByRole('heading', { name: 'Reels & <more>', level: 1 }).waitFor()
  for (const selector of ['.about-banner', '.about-head img.avatar', '.bar-home img.avatar'])
    await expect.poll(async () => await isLoaded(guest.page, selector), { message: selector }).toBe(true)
  expect(await guest.page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
  await guest.page.goto(`/videos/embed/${video.uuid}`)
  await expect.poll(async () => await isLoaded(guest.page, '.embed-head img.avatar')).toBe(true)
  // The server draws the header as the client does.
  const { text } = await site.call('GET //', { headers: { accept: 'text/html' } })
  expect(text).toMatch(/<a class="bar-home" href="\/"><img class="avatar avatar-s" src="\/lazy-static\/avatars\/[^"]+" width="28"/)
  expectNoPageErrors(guest)
  await guest.context.close()

  await page.getByRole('button', { name: 'Remove banner' }).click()
  await expect.poll(readImages).toEqual({ avatars: 4, banners: 0 })
  await page.getByRole('button', { name: 'Remove picture' }).focus()
  await page.keyboard.press('Enter')
  await expect.poll(readImages).toEqual({ avatars: 0, banners: 0 })
  await expect.poll(async () => await page.getByRole('button', { name: /^Remove/ }).count()).toBe(0)
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Choose a picture')
  expect(await page.locator('.bar-home .mark').count()).toBe(1)
  await page.goto('/about')
  await page.locator('.about-head .mark').waitFor()
  expect(await page.locator('.about img').count()).toBe(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a file that is refused changes nothing, and the page says why', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/admin/settings')
  const input = page.getByLabel('Choose a picture').last()
  const alert = avatarField(page).getByRole('alert')
  const requests: string[] = []
  page.on('request', request => {
    if (request.url().includes('/pick')) requests.push(request.url())
  })
  await input.setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('<svg onload="alert(1)"/>') })
  await alert.getByText('This file isn’t a PNG, JPEG, WebP or GIF image').waitFor()
  await input.setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.alloc(0) })
  await expect.poll(() => requests.length).toBe(2)
  await alert.getByText('This file isn’t a PNG, JPEG, WebP or GIF image').waitFor()
  await input.setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: randomBytes(MAX_SIZE + 1) })
  await alert.getByText('This image is too large. The limit is 100 kB.').waitFor()
  expect(requests).toHaveLength(2)
  // The same where only the server knows its limit, and for a server that fails.
  await page.route('**/instance-avatar/pick', async route => await route.fulfill({ status: 413, body: 'too large' }))
  await input.setInputFiles(await makeImageFile(20, 20))
  await expect.poll(() => requests.length).toBe(3)
  await alert.getByText('This image is too large.').waitFor()
  await page.unroute('**/instance-avatar/pick')
  await page.route('**/instance-avatar/pick', async route => await route.abort())
  await input.setInputFiles(await makeImageFile(20, 20))
  await alert.getByText('Can’t reach the server').waitFor()
  await page.unroute('**/instance-avatar/pick')
  expect(await readImages()).toEqual({ avatars: 0, banners: 0 })
  await input.setInputFiles(await makeImageFile(20, 20))
  await page.getByRole('button', { name: 'Remove picture' }).waitFor()
  expect(await alert.count()).toBe(0)
  await page.getByRole('button', { name: 'Remove picture' }).click()
  await expect.poll(readImages).toEqual({ avatars: 0, banners: 0 })
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
