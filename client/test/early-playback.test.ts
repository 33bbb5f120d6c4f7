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
  'a watch page asks for little, for nothing twice, and for nothing that came with it, on a machine %i times slower',
  async slower => {
    const visitor = await site.visit()
    const { page } = visitor
    await (await visitor.context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: slower })
    const asked: Request[] = []
    page.on('request', request => {
      if (request.url().startsWith(site.url)) asked.push(request)
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

    const paths = asked.map(request => `${request.method()} ${new URL(request.url()).pathname}`)
    const plain = paths.filter(path => !path.endsWith('.mp4'))
    expect(plain.length).toBeLessThanOrEqual(30)
    // The playlists of a finished film come with the page; the first picture and sound are under way before there is a player, and asked
    // for once.
    expect(paths.filter(path => /-(master|240|0)\.m3u8$/.test(path))).toEqual([])
    const media = asked
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
    // A finished film is not looked at for further qualities.
    expect(asked.filter(request => request.url().endsWith('.m3u8') && request.headers().range)).toEqual([])
    const questions = plain.filter(path => path.includes('/api/')).map(path => path.replace(video.uuid, ':id'))
    expect([...new Set(questions)].sort()).toEqual(['GET /api/v1/videos/:id/comment-threads', 'POST /api/v1/videos/:id/views'])
    expect(warnings.filter(text => text.includes('preload'))).toEqual([])
    expect(await page.evaluate(() => (window as never as { shifted: number }).shifted)).toBeLessThanOrEqual(0.02)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
)

const LIBRARY = '**/assets/hls-*'
const CLIENT = '**/assets/site-*.js'

/** Keeps a part of the scripts back until it is released. */
async function hold(page: Page, part: string): Promise<() => void> {
  let release = (): void => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  await page.route(part, async route => {
    await released
    await route.continue()
  })
  return release
}

test("a film begins before the player's library is there, which then goes on with it without a break", async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const release = await hold(page, LIBRARY)
  await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => (await readVideoElement(page)).time).toBeGreaterThan(0.5)
  const ahead = await page.locator('video').evaluate((film: HTMLVideoElement) => film.buffered.end(0))
  expect(ahead).toBeLessThan(6)
  const opened = await page.locator('video').evaluate((film: HTMLVideoElement) => film.src)
  release()
  await expect.poll(async () => (await readVideoElement(page)).time, { timeout: 30_000 }).toBeGreaterThan(ahead + 0.5)
  const after = await page
    .locator('video')
    .evaluate((film: HTMLVideoElement) => ({ src: film.src, ranges: film.buffered.length, from: film.buffered.start(0) }))
  expect(after).toEqual({ src: opened, ranges: 1, from: expect.closeTo(0, 1) })
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Quality/ }).click()
  await page.getByRole('menuitemradio', { name: '720p', exact: true }).click()
  await expect.poll(async () => (await readVideoElement(page)).height, { timeout: 30_000 }).toBe(720)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('films without sound and sound without a film begin so, too', async () => {
  const ada = await site.user('eve')
  const silent = await uploadVideo(site, ada, { name: 'Silent' }, await makeFootageBytes({ seconds: 5, audio: null }))
  const sound = await uploadVideo(site, ada, { name: 'Sound' }, await makeFootageBytes({ seconds: 5, video: ['-vn'], extension: 'm4a' }))
  for (const { id, shortUUID } of [silent, sound]) {
    await waitForTranscoding(site, ada, id)
    const visitor = await site.visit()
    const release = await hold(visitor.page, LIBRARY)
    await visitor.page.goto(`/w/${shortUUID}`)
    await visitor.page.getByRole('button', { name: 'Play' }).first().click()
    await expect.poll(async () => (await readVideoElement(visitor.page)).time).toBeGreaterThan(0.5)
    release()
    await expect
      .poll(async () => await visitor.page.locator('video').evaluate((film: HTMLVideoElement) => film.ended), { timeout: 30_000 })
      .toBe(true)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})

test('what could not be fetched ahead is asked for again, and nothing is where a place is wished', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  let refused = 0
  await page.route('**/*-fragmented.mp4', async route => {
    if (route.request().resourceType() !== 'fetch') return await route.continue()
    refused++
    await route.fulfill(refused === 1 ? { status: 503 } : { status: 200, body: 'the wrong bytes' })
  })
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page)
  expect(refused).toBe(2)
  expectNoPageErrors(visitor)
  await visitor.context.close()

  const other = await site.visit()
  const begun: string[] = []
  other.page.on('request', request => {
    if (request.url().endsWith('.mp4') && request.resourceType() === 'fetch') begun.push(request.url())
  })
  await other.page.goto(`/w/${video.shortUUID}?start=6`)
  await other.page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(other.page)
  expect(await other.page.locator('video').evaluate((film: HTMLVideoElement) => film.currentTime)).toBeGreaterThanOrEqual(6)
  expect(begun).toEqual([])
  expectNoPageErrors(other)
  await other.context.close()
})

test('the large button only ever plays, also when the film has just begun by itself', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.addInitScript(() => {
    const press = () => {
      const [film, button] = [document.querySelector('video'), document.querySelector<HTMLButtonElement>('.player-start:not([data-kept])')]
      if (!film || !button) return requestAnimationFrame(press)
      // In one go: nothing is drawn between the film's start and the press. Without sound a browser lets it begin.
      film.muted = true
      void film.play()
      button.click()
    }
    requestAnimationFrame(press)
  })
  await page.goto(`/w/${video.shortUUID}`)
  await expectVideoToPlay(page)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('play pressed before any of the client is there is kept for it, by mouse and by key', async () => {
  for (const press of [
    async (page: Page) => await page.mouse.down(),
    async (page: Page) => {
      await page.locator('.player-start').focus()
      await page.keyboard.press('Enter')
    }
  ]) {
    const visitor = await site.visit()
    const { page } = visitor
    // Who has set a loudness waits for the player that knows it.
    await page.addInitScript(() => localStorage.setItem('bobine.volume', JSON.stringify({ volume: 0.9, muted: false })))
    const release = await hold(page, CLIENT)
    await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
    await page.locator('.player-start').hover()
    await press(page)
    await expect
      .poll(async () => await page.locator('.player-start').evaluate(button => getComputedStyle(button).animationName))
      .toBe('turn')
    expect(await page.locator('.player > .player-film').count()).toBe(0)
    release()
    await expectVideoToPlay(page)
    // The end of the press, on what stands there now, changes nothing.
    await page.mouse.up()
    await expectVideoToPlay(page)
    // A press counts once: the next film waits for its own.
    expect(await page.evaluate(() => 'pressed' in document.documentElement.dataset)).toBe(false)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})

test('a film begins in the page the server wrote, and goes on in the player that takes it over', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  // The client stays away: what is there can only be what the server wrote.
  const release = await hold(page, CLIENT)
  await page.addInitScript(() => {
    Object.assign(window, { heard: [] })
    for (const type of ['play', 'pause', 'emptied'])
      addEventListener(
        type,
        () => {
          ;(window as never as { heard: string[] }).heard.push(type)
        },
        true
      )
  })
  await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
  await page.locator('.player-start').click()
  await expectVideoToPlay(page)
  expect(await page.locator('.player-start').count()).toBe(0)
  expect(await page.locator('.controls').count()).toBe(0)
  const film = await page.locator('video').elementHandle()
  const before = await film!.evaluate(one => (one as HTMLVideoElement).currentTime)
  release()
  await page.locator('.controls').waitFor({ state: 'attached' })
  await expectVideoToPlay(page)
  expect(await page.locator('video').evaluate((one, film) => one === film, film)).toBe(true)
  expect(await film!.evaluate(one => (one as HTMLVideoElement).currentTime)).toBeGreaterThan(before)
  expect(await page.evaluate(() => (window as never as { heard: string[] }).heard)).toEqual(['play'])
  expect(await page.locator('.player-start').count()).toBe(0)
  // The player knows that it plays, and goes on to the end.
  await page.keyboard.press('k')
  await expect.poll(async () => await film!.evaluate(one => (one as HTMLVideoElement).paused)).toBe(true)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('whoever has set a loudness hears nothing before the player that knows it is there', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  await page.evaluate(() => localStorage.setItem('bobine.volume', JSON.stringify({ volume: 0.3, muted: true })))
  const release = await hold(page, CLIENT)
  await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
  await page.locator('.player-start').click()
  await page.waitForTimeout(1500)
  expect(await page.locator('.player video').count()).toBe(0)
  release()
  await expectVideoToPlay(page)
  expect(await page.locator('video').evaluate((one: HTMLVideoElement) => [one.muted, one.volume])).toEqual([true, 0.3])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('without scripts there is no button that does nothing', async () => {
  const visitor = await site.visit({ javaScriptEnabled: false })
  await visitor.page.goto(`/w/${video.shortUUID}`)
  await visitor.page.locator('video[controls]').waitFor()
  expect(await visitor.page.locator('.player-start').isVisible()).toBe(false)
  expect(await visitor.page.locator('.watch-list img').first().isVisible()).toBe(true)
  await visitor.context.close()
})

test('the page says what comes next before any script has run', async () => {
  const visitor = await site.visit({ javaScriptEnabled: false })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('heading', { name: 'More to watch' }).waitFor()
  expect(await page.locator('.watch-list').getByRole('link', { name: 'Another film' }).getAttribute('href')).toMatch(/^\/w\//)
  expect(await page.locator('.watch-list').getByRole('link', { name: 'A film that begins soon' }).count()).toBe(0)
  // Nothing jumps where a browser draws the film before it has read so far.
  const place = async () => await page.locator('.player').boundingBox()
  const before = await place()
  await page.locator('.watch-side').evaluate(list => list.remove())
  expect(await place()).toEqual(before)
  await visitor.context.close()
})

test('who has watched before begins with the quality the line bore, also when play is pressed before the library is there', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.addInitScript(() => localStorage.setItem('bobine.bandwidth', '50000000'))
  const release = await hold(page, LIBRARY)
  const first = page.waitForRequest(request => /-[1-9]\d*-fragmented\.mp4$/.test(request.url()))
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => await page.locator('video').evaluate((film: HTMLVideoElement) => film.paused)).toBe(false)
  release()
  expect((await first).url()).toMatch(/-720-fragmented\.mp4$/)
  await expectVideoToPlay(page)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
