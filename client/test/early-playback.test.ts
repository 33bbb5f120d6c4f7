import type { Page, Request } from 'playwright-core'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import {
  expectNoPageErrors,
  expectVideoToPlay,
  makeTestVideo,
  openPlayerSettings,
  openTestSite,
  readVideoElement,
  type TestSite
} from './site.ts'

let site: TestSite
let video: { id: number; uuid: string; shortUUID: string }
beforeAll(async () => {
  site = await openTestSite({ transcoding: { preset: 'ultrafast', resolutions: { '360p': false, '480p': false, '1080p': false } } })
  const ada = await site.user('ada')
  const bytes = (await readFile(await makeTestVideo(site, 'film.mp4'))) as Buffer<ArrayBuffer>
  await waitForTranscoding(site, ada, (await uploadVideo(site, ada, { name: 'Another film' })).id)
  video = await uploadVideo(site, ada, { name: 'A film that begins soon' }, bytes)
  await waitForTranscoding(site, ada, video.id)
}, 180_000)
afterAll(async () => await site?.stop())

test.each([1, 6])(
  'a watch page makes few requests, none twice, and none for data it was delivered with, with the CPU slowed down %i times',
  async cpuSlowdown => {
    const visitor = await site.visit()
    const { page } = visitor
    await (await visitor.context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: cpuSlowdown })
    const requests: Request[] = []
    page.on('request', request => {
      if (request.url().startsWith(site.url)) requests.push(request)
    })
    const warnings: string[] = []
    page.on('console', message => {
      if (message.type() === 'warning') warnings.push(message.text())
    })
    await page.addInitScript(() => {
      Object.assign(window, { shifted: 0 })
      new PerformanceObserver(list => {
        for (const entry of list.getEntries())
          (window as never as { shifted: number }).shifted += (entry as PerformanceEntry & { value: number }).value
      }).observe({ type: 'layout-shift', buffered: true })
    })
    await page.goto(`/w/${video.shortUUID}`)
    await page.getByRole('button', { name: 'Play' }).first().click()
    await expectVideoToPlay(page)

    const paths = requests.map(request => `${request.method()} ${new URL(request.url()).pathname}`)
    const pathsWithoutMedia = paths.filter(path => !path.endsWith('.mp4'))
    expect(pathsWithoutMedia.length).toBeLessThanOrEqual(30)
    // The playlists of a finished video are embedded in the page; the first video and audio segments are requested once, before the player
    // exists.
    expect(paths.filter(path => /-(master|240|0)\.m3u8$/.test(path))).toEqual([])
    const media = requests
      .filter(request => request.url().endsWith('.mp4'))
      .map(request => `${/-(\d+)-fragmented/.exec(request.url())![1]} ${request.headers().range}`)
    expect(
      media
        .slice(0, 2)
        .map(one => one.replace(/\d+$/, ''))
        .sort()
    ).toEqual(['0 bytes=0-', '240 bytes=0-'])
    expect(media.filter((one, index) => media.indexOf(one) !== index)).toEqual([])
    expect(media.filter(one => / bytes=0-\d{1,3}$/.test(one) && /^(0|240) /.test(one))).toEqual([])
    // The playlists of a finished video are not polled for further qualities.
    expect(requests.filter(request => request.url().endsWith('.m3u8') && request.headers().range)).toEqual([])
    const apiCalls = pathsWithoutMedia.filter(path => path.includes('/api/')).map(path => path.replace(video.uuid, ':id'))
    expect([...new Set(apiCalls)].sort()).toEqual(['GET /api/v1/videos/:id/comment-threads', 'POST /api/v1/videos/:id/views'])
    expect(warnings.filter(text => text.includes('preload'))).toEqual([])
    expect(await page.evaluate(() => (window as never as { shifted: number }).shifted)).toBeLessThanOrEqual(0.02)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
)

const HLS_LIBRARY = '**/assets/hls-*'
const CLIENT_SCRIPT = '**/assets/site-*.js'

/** Blocks the requests matching a pattern until the returned function is called. */
async function blockRequests(page: Page, pattern: string): Promise<() => void> {
  let release = (): void => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  await page.route(pattern, async route => {
    await released
    await route.continue()
  })
  return release
}

test('playback starts before hls.js is loaded, which then continues it without interruption', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const release = await blockRequests(page, HLS_LIBRARY)
  await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => (await readVideoElement(page)).time).toBeGreaterThan(0.5)
  const bufferedUntil = await page.locator('video').evaluate((video: HTMLVideoElement) => video.buffered.end(0))
  expect(bufferedUntil).toBeLessThan(6)
  const sourceBefore = await page.locator('video').evaluate((video: HTMLVideoElement) => video.src)
  release()
  await expect.poll(async () => (await readVideoElement(page)).time, { timeout: 30_000 }).toBeGreaterThan(bufferedUntil + 0.5)
  const after = await page
    .locator('video')
    .evaluate((video: HTMLVideoElement) => ({ src: video.src, ranges: video.buffered.length, from: video.buffered.start(0) }))
  expect(after).toEqual({ src: sourceBefore, ranges: 1, from: expect.closeTo(0, 1) })
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Quality/ }).click()
  await page.getByRole('menuitemradio', { name: '720p', exact: true }).click()
  await expect.poll(async () => (await readVideoElement(page)).height, { timeout: 30_000 }).toBe(720)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('videos without audio and audio without video start early, too', async () => {
  const eve = await site.user('eve')
  const videoOnly = await uploadVideo(site, eve, { name: 'Silent' }, await makeFootageBytes({ seconds: 5, audio: null }))
  const audioOnly = await uploadVideo(
    site,
    eve,
    { name: 'Sound' },
    await makeFootageBytes({ seconds: 5, video: ['-vn'], extension: 'm4a' })
  )
  for (const { id, shortUUID } of [videoOnly, audioOnly]) {
    await waitForTranscoding(site, eve, id)
    const visitor = await site.visit()
    const release = await blockRequests(visitor.page, HLS_LIBRARY)
    await visitor.page.goto(`/w/${shortUUID}`)
    await visitor.page.getByRole('button', { name: 'Play' }).first().click()
    await expect.poll(async () => (await readVideoElement(visitor.page)).time).toBeGreaterThan(0.5)
    release()
    await expect
      .poll(async () => await visitor.page.locator('video').evaluate((video: HTMLVideoElement) => video.ended), { timeout: 30_000 })
      .toBe(true)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})

test('failed prefetches are requested again, and nothing is prefetched if a start time is given', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  let prefetches = 0
  await page.route('**/*-fragmented.mp4', async route => {
    if (route.request().resourceType() !== 'fetch') return await route.continue()
    prefetches++
    await route.fulfill(prefetches === 1 ? { status: 503 } : { status: 200, body: 'the wrong bytes' })
  })
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page)
  expect(prefetches).toBe(2)
  expectNoPageErrors(visitor)
  await visitor.context.close()

  const other = await site.visit()
  const prefetched: string[] = []
  other.page.on('request', request => {
    if (request.url().endsWith('.mp4') && request.resourceType() === 'fetch') prefetched.push(request.url())
  })
  await other.page.goto(`/w/${video.shortUUID}?start=6`)
  await other.page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(other.page)
  expect(await other.page.locator('video').evaluate((video: HTMLVideoElement) => video.currentTime)).toBeGreaterThanOrEqual(6)
  expect(prefetched).toEqual([])
  expectNoPageErrors(other)
  await other.context.close()
})

test('the large play button never pauses, even if the video has just started by itself', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.addInitScript(() => {
    const press = () => {
      const [element, button] = [
        document.querySelector('video'),
        document.querySelector<HTMLButtonElement>('.player-start:not([data-kept])')
      ]
      if (!element || !button) return requestAnimationFrame(press)
      // In one task, so that nothing is rendered between the start and the press. Browsers allow autoplay without audio.
      element.muted = true
      void element.play()
      button.click()
    }
    requestAnimationFrame(press)
  })
  await page.goto(`/w/${video.shortUUID}`)
  await expectVideoToPlay(page)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('pressing play before the client script is loaded starts playback once it is, by mouse and by keyboard', async () => {
  for (const press of [
    async (page: Page) => await page.mouse.down(),
    async (page: Page) => {
      await page.locator('.player-start').focus()
      await page.keyboard.press('Enter')
    }
  ]) {
    const visitor = await site.visit()
    const { page } = visitor
    // With a stored volume, playback waits for the player that applies it.
    await page.addInitScript(() => localStorage.setItem('bobine.volume', JSON.stringify({ volume: 0.9, muted: false })))
    const release = await blockRequests(page, CLIENT_SCRIPT)
    await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
    await page.locator('.player-start').hover()
    await press(page)
    await expect
      .poll(async () => await page.locator('.player-start').evaluate(button => getComputedStyle(button).animationName))
      .toBe('turn')
    expect(await page.locator('.player > .player-film').count()).toBe(0)
    release()
    await expectVideoToPlay(page)
    // Releasing the mouse button, now over the player, changes nothing.
    await page.mouse.up()
    await expectVideoToPlay(page)
    // A press counts once: the next video needs its own.
    expect(await page.evaluate(() => 'pressed' in document.documentElement.dataset)).toBe(false)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})

test('playback starts in the server-rendered page and continues in the player that takes over', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  // Without the client script, everything on the page is server-rendered.
  const release = await blockRequests(page, CLIENT_SCRIPT)
  await page.addInitScript(() => {
    Object.assign(window, { mediaEvents: [] })
    for (const type of ['play', 'pause', 'emptied'])
      addEventListener(
        type,
        () => {
          ;(window as never as { mediaEvents: string[] }).mediaEvents.push(type)
        },
        true
      )
  })
  await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
  await page.locator('.player-start').click()
  await expectVideoToPlay(page)
  expect(await page.locator('.player-start').count()).toBe(0)
  expect(await page.locator('.controls').count()).toBe(0)
  const element = await page.locator('video').elementHandle()
  const before = await element!.evaluate(video => (video as HTMLVideoElement).currentTime)
  release()
  await page.locator('.controls').waitFor({ state: 'attached' })
  await expectVideoToPlay(page)
  expect(await page.locator('video').evaluate((current, before) => current === before, element)).toBe(true)
  expect(await element!.evaluate(video => (video as HTMLVideoElement).currentTime)).toBeGreaterThan(before)
  expect(await page.evaluate(() => (window as never as { mediaEvents: string[] }).mediaEvents)).toEqual(['play'])
  expect(await page.locator('.player-start').count()).toBe(0)
  // The player knows that the video is playing.
  await page.keyboard.press('k')
  await expect.poll(async () => await element!.evaluate(video => (video as HTMLVideoElement).paused)).toBe(true)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('with a stored volume, nothing plays before the player that applies it is loaded', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  await page.evaluate(() => localStorage.setItem('bobine.volume', JSON.stringify({ volume: 0.3, muted: true })))
  const release = await blockRequests(page, CLIENT_SCRIPT)
  await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
  await page.locator('.player-start').click()
  await page.waitForTimeout(1500)
  expect(await page.locator('.player video').count()).toBe(0)
  release()
  await expectVideoToPlay(page)
  expect(await page.locator('video').evaluate((video: HTMLVideoElement) => [video.muted, video.volume])).toEqual([true, 0.3])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('without JavaScript the play button is a link to the file', async () => {
  const visitor = await site.visit({ javaScriptEnabled: false })
  await visitor.page.goto(`/w/${video.shortUUID}`)
  const link = visitor.page.locator('a.player-start')
  await link.waitFor()
  expect(await link.getAttribute('href')).toMatch(/^\/static\/streaming-playlists\/hls\/.*\.mp4$/)
  expect(await visitor.page.locator('button.player-start').isVisible()).toBe(false)
  expect(await visitor.page.locator('.watch-list img').first().isVisible()).toBe(true)
  await visitor.context.close()
})

test('the server-rendered page lists more videos', async () => {
  const visitor = await site.visit({ javaScriptEnabled: false })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('heading', { name: 'More videos' }).waitFor()
  expect(await page.locator('.watch-list').getByRole('link', { name: 'Another film' }).getAttribute('href')).toMatch(/^\/w\//)
  expect(await page.locator('.watch-list').getByRole('link', { name: 'A film that begins soon' }).count()).toBe(0)
  // The layout does not shift if the browser renders the player before it has parsed the list.
  const playerBox = async () => await page.locator('.player').boundingBox()
  const before = await playerBox()
  await page.locator('.watch-side').evaluate(list => list.remove())
  expect(await playerBox()).toEqual(before)
  await visitor.context.close()
})

test('playback starts with the quality that fits the stored bandwidth, even if play is pressed before hls.js is loaded', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.addInitScript(() => localStorage.setItem('bobine.bandwidth', '50000000'))
  const release = await blockRequests(page, HLS_LIBRARY)
  const firstSegment = page.waitForRequest(request => /-[1-9]\d*-fragmented\.mp4$/.test(request.url()))
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => await page.locator('video').evaluate((video: HTMLVideoElement) => video.paused)).toBe(false)
  release()
  expect((await firstSegment).url()).toMatch(/-720-fragmented\.mp4$/)
  await expectVideoToPlay(page)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
