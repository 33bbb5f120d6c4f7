import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { eventually } from '../../server/test/instance.ts'
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

let site: TestSite
// A slow preset on one thread: playback has priority on a busy machine, and there is time to look while renditions are being encoded.
beforeAll(async () => {
  site = await openTestSite({ transcoding: { preset: 'veryfast', threads: 1, resolutions: { '480p': false } } })
})
afterAll(async () => await site.stop())
afterEach(async () => {
  const token = await site.login()
  for (const { id } of (await site.call('GET /users/me/videos', { token })).json.data) await site.call(`DELETE /videos/${id}`, { token })
})

test('an uploaded video plays while its renditions are still being encoded', { timeout: 240_000 }, async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  await page.getByRole('heading', { name: 'Upload' }).waitFor()
  await page.setInputFiles('input[type=file]', await makeTestVideo(site, 'the_last man.mp4', { seconds: 14 }))
  const item = page.getByRole('article', { name: 'the_last man.mp4' })
  expect(await item.getByLabel('Title').inputValue()).toBe('the last man')

  await item.getByRole('button', { name: 'Play' }).first().click({ timeout: 60_000 })
  const playing = await expectVideoToPlay(page)
  const token = await site.login()
  const [video] = (await site.call('GET /users/me/videos', { token })).json.data
  expect((await site.call(`GET /videos/${video.id}/transcoding`, { token })).json.state).toBe('running')
  expect(video.privacy.id).toBe(3)
  expect(playing.duration).toBeLessThan(14)
  await expect.poll(async () => await item.locator('.encoding-figures').textContent()).toMatch(/\d+%/)

  await item.getByLabel('Title').fill('The last man on earth')
  await item.getByLabel('Description').fill('A film of **1964**.')
  await item.getByRole('button', { name: 'Publish' }).click()
  await item.getByText('Published.').waitFor()
  const before = await readVideoElement(page)
  await expectVideoToPlay(page)
  expect((await readVideoElement(page)).time).toBeGreaterThan(before.time)

  await eventually(
    async () => (await site.call(`GET /videos/${video.id}/transcoding`, { token })).json.state === 'done',
    180,
    'the encoding'
  )
  await item.getByText('All qualities are ready.').waitFor()
  await openPlayerSettings(page)
  await item.getByRole('menuitem', { name: /Quality/ }).click()
  const resolutions = (await site.call(`GET /videos/${video.id}`)).json.streamingPlaylists[0].files
    .map((file: { resolution: { id: number; label: string } }) => file.resolution)
    .filter(({ id }: { id: number }) => id > 0)
  expect(resolutions.length).toBeGreaterThan(2)
  for (const { label } of resolutions) await item.getByRole('menuitemradio', { name: label, exact: true }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('seeking beyond what is encoded waits for it, then continues there', { timeout: 240_000 }, async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  await page.setInputFiles('input[type=file]', await makeTestVideo(site, 'long.mp4', { seconds: 26 }))
  const item = page.getByRole('article', { name: 'long.mp4' })
  await item.getByRole('button', { name: 'Play' }).first().click({ timeout: 60_000 })
  await expectVideoToPlay(page, 0.3)
  const slider = item.getByRole('slider', { name: 'Position' })
  expect(Number(await slider.getAttribute('aria-valuemax'))).toBeGreaterThanOrEqual(25)
  await page.locator('.player').hover()
  const { width, height } = (await slider.boundingBox())!
  await slider.click({ position: { x: width * 0.9, y: height / 2 } })
  await item.getByText(/is still being processed/).waitFor()
  expect((await readVideoElement(page)).paused).toBe(true)
  await expect.poll(async () => (await readVideoElement(page)).time, { timeout: 180_000 }).toBeGreaterThanOrEqual(22)
  await expect.poll(async () => await item.getByText(/is still being processed/).count()).toBe(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
