import type { Route } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, openPlayerSettings, openTestSite, readVideoElement, type TestSite } from './site.ts'

let site: TestSite
let video: { id: number; uuid: string; shortUUID: string }
let ada: { token: string; channelId: number }

beforeAll(async () => {
  site = await openTestSite({
    storyboards: { enabled: true },
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': true, '480p': false, '720p': false, '1080p': false } }
  })
  ada = await site.user('ada')
  video = await uploadVideo(
    site,
    ada,
    { name: 'A film <b>to</b> "look" at', description: 'Look at https://example.com/<script>' },
    await makeFootageBytes({ seconds: 60, size: '640x360' })
  )
  await waitForTranscoding(site, ada, video.id)
}, 180_000)
afterAll(async () => await site.stop())

test('playback resumes where it was left, or starts over', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}?start=30`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.5)
  expect((await readVideoElement(page)).time).toBeGreaterThan(30)
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await page.getByText(/Resumed at 0:3\d\./).waitFor()
  await expectVideoToPlay(page, 0.6)
  expect((await readVideoElement(page)).time).toBeGreaterThan(30)
  await page.getByRole('button', { name: 'Start over' }).click()
  await expect.poll(async () => (await readVideoElement(page)).time).toBeLessThan(10)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a chosen quality is stored for the next video; "Auto" names the current quality', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.6)
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Quality.*Auto \(\d+p\)/ }).click()
  await page.getByRole('menuitemradio', { name: '240p', exact: true }).click()
  await expect.poll(async () => (await readVideoElement(page)).height, { timeout: 20_000 }).toBe(240)
  await page.reload()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => (await readVideoElement(page)).height, { timeout: 20_000 }).toBe(240)
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Quality.*240p/ }).click()
  await page.getByRole('menuitemradio', { name: /Auto/ }).click()
  await expect.poll(async () => (await readVideoElement(page)).height, { timeout: 30_000 }).toBe(360)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a quality that is chosen while the beginning stands still replaces what has been loaded', async () => {
  for (const quality of ['240p', '360p']) {
    const visitor = await site.visit()
    const { page } = visitor
    await page.goto(`/w/${video.shortUUID}`)
    await page.getByRole('button', { name: 'Play' }).first().click()
    await page.locator('video').waitFor()
    await page.locator('video').evaluate(async (element: HTMLVideoElement) => {
      while (element.currentTime < 0.1) await new Promise(requestAnimationFrame)
      element.pause()
      const isLoaded = () => element.buffered.length > 0 && element.buffered.end(0) > 25
      while (!isLoaded()) await new Promise(resolve => setTimeout(resolve, 50))
    })
    expect((await readVideoElement(page)).time).toBeLessThan(1.5)
    await openPlayerSettings(page)
    await page.getByRole('menuitem', { name: /Quality/ }).click()
    await page.getByRole('menuitemradio', { name: quality, exact: true }).click()
    await page.keyboard.press('Escape')
    await page.locator('video').evaluate((element: HTMLVideoElement) => element.play())
    await expect.poll(async () => (await readVideoElement(page)).time, { timeout: 20_000 }).toBeGreaterThan(4.5)
    expect((await readVideoElement(page)).height).toBe(Number.parseInt(quality))
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})

test('the seek bar previews frames and seeks', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  const slider = page.getByRole('slider', { name: 'Position' })
  const box = (await slider.boundingBox())!
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  await page.locator('.seek-time').getByText('0:30').waitFor()
  await expect
    .poll(
      async () =>
        await page
          .locator('.seek-frame')
          .evaluate(element => getComputedStyle(element).backgroundImage)
          .catch(() => '')
    )
    .toMatch(/lazy-static\/storyboards/)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width / 4, box.y + box.height / 2, { steps: 4 })
  await page.mouse.up()
  await expect.poll(async () => Math.round((await readVideoElement(page)).time)).toBe(15)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('touch: a tap in the middle pauses, a double tap at the side seeks', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().tap()
  await expectVideoToPlay(page, 0.6)
  const box = (await page.locator('.player').boundingBox())!
  const [left, middle, right] = [0.15, 0.5, 0.85].map(share => box.x + box.width * share) as [number, number, number]
  const y = box.y + box.height * 0.35
  await page.touchscreen.tap(middle, y)
  await expect.poll(async () => (await readVideoElement(page)).paused).toBe(true)
  const before = (await readVideoElement(page)).time
  await page.touchscreen.tap(right, y)
  await page.touchscreen.tap(right, y)
  await page.locator('.player-leap[data-side="end"]').getByText('+10 s').waitFor()
  await expect.poll(async () => Math.round((await readVideoElement(page)).time - before)).toBe(10)
  await page.touchscreen.tap(left, y)
  await page.touchscreen.tap(left, y)
  await expect.poll(async () => Math.abs((await readVideoElement(page)).time - before)).toBeLessThan(0.5)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a lost connection shows an error, and retrying continues at the same time', { timeout: 120_000 }, async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  // The second half of every file is held back until the connection is lost: a video this short would be buffered completely.
  const {
    streamingPlaylists: [playlist]
  } = (await site.call(`GET /videos/${video.id}`)).json
  const sizes = new Map<string, number>(
    playlist.files.map(({ fileUrl, size }: { fileUrl: string; size: number }) => [new URL(fileUrl).pathname, size])
  )
  const heldRoutes: Route[] = []
  let lost = false
  await context.route(/\/static\/streaming-playlists\//, async route => {
    const firstByte = Number(/^bytes=(\d+)/.exec(route.request().headers().range ?? '')?.[1] ?? 0)
    if (lost) await route.abort('connectionreset')
    else if (firstByte > (sizes.get(new URL(route.request().url()).pathname) ?? Infinity) / 2) heldRoutes.push(route)
    else await route.continue()
  })
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.6)
  await expect.poll(() => heldRoutes.length).toBeGreaterThan(0)
  lost = true
  for (const route of heldRoutes) await route.abort('connectionreset')
  await page.keyboard.press('8')
  await page.getByText('Connection lost.').waitFor({ timeout: 80_000 })
  await context.unroute(/\/static\/streaming-playlists\//)
  await page.getByRole('button', { name: 'Try again' }).click()
  await expectVideoToPlay(page, 0.6)
  expect((await readVideoElement(page)).time).toBeGreaterThan(40)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a server that answers the request for a range with the whole file shows the same frames', { timeout: 60_000 }, async () => {
  const frameAt = async (start: number, ignoresRange: boolean) => {
    const visitor = await site.visit()
    const { page } = visitor
    // Both in the same quality, whatever the connection.
    await page.addInitScript(() => localStorage.setItem('bobine.quality', '240'))
    let answers = 0
    if (ignoresRange)
      await page.route('**/*-fragmented.mp4*', async route => {
        const { range: _, ...headers } = await route.request().allHeaders()
        answers++
        await route.fulfill({ response: await route.fetch({ headers }) })
      })
    await page.goto(`/w/${video.shortUUID}?start=${start}`)
    await expect.poll(async () => await page.locator('video').evaluate((element: HTMLVideoElement) => element.readyState)).toBe(4)
    const pixels = await page.locator('video').evaluate(async (element: HTMLVideoElement, at) => {
      element.currentTime = at
      await new Promise(resolve => element.addEventListener('seeked', resolve, { once: true }))
      const canvas = new OffscreenCanvas(160, 90).getContext('2d')!
      canvas.drawImage(element, 0, 0, 160, 90)
      return [...canvas.getImageData(0, 0, 160, 90).data]
    }, start + 2)
    expectNoPageErrors(visitor)
    await page.unrouteAll({ behavior: 'wait' })
    await visitor.context.close()
    expect(answers > 0).toBe(ignoresRange)
    return pixels
  }
  const difference = (one: number[], other: number[]) =>
    one.reduce((sum, value, index) => sum + Math.abs(value - other[index]!), 0) / one.length
  const expected = await frameAt(30, false)
  expect(difference(await frameAt(30, true), expected)).toBeLessThan(1)
  // The frames of other times are others.
  expect(difference(await frameAt(0, false), expected)).toBeGreaterThan(3)
})

test('an error is shown if the video has been deleted', async () => {
  const deleted = await uploadVideo(site, ada, { name: 'Soon gone' })
  await waitForTranscoding(site, ada, deleted.id)
  const visitor = await site.visit()
  const { page } = visitor
  await page.route(/\.mp4/, async route => await route.fulfill({ status: 404, body: '' }))
  await page.goto(`/w/${deleted.shortUUID}`)
  await site.call(`DELETE /videos/${deleted.id}`, { token: ada.token })
  await page.getByText('This video isn’t available anymore.').waitFor({ timeout: 30_000 })
  await visitor.context.close()
})

test('titles and descriptions are never rendered as HTML', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('heading', { name: 'A film <b>to</b> "look" at' }).waitFor()
  const link = page.getByRole('link', { name: /example\.com/ })
  expect(await link.getAttribute('rel')).toContain('nofollow')
  await page.goto('/')
  await page.getByRole('link', { name: 'A film <b>to</b> "look" at' }).click()
  await link.waitFor()
  expect(await link.getAttribute('rel')).toContain('nofollow')
  expect(await page.locator('main script').count()).toBe(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
