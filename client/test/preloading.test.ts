import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { eventually } from '../../server/test/instance.ts'
import { uploadVideo, waitForTranscoding } from '../../server/test/upload.ts'
import { openTestSite, type TestSite, type Visitor } from './site.ts'

const SECONDS = 120
let site: TestSite
let ada: Awaited<ReturnType<TestSite['user']>>
let video: { uuid: string; shortUUID: string }
/** The last byte of the first segment of each file, by its name. */
let firstSegments: Map<string, number>
/** A page of another site with five players below each other. */
let embedding: Server
beforeAll(async () => {
  site = await openTestSite({ transcoding: { preset: 'ultrafast', resolutions: { '240p': true } } })
  ada = await site.user('ada')
  video = await uploadVideo(site, ada, { name: 'Long' }, await makeFootageBytes({ seconds: SECONDS, size: '426x240' }))
  const { streamingPlaylists } = await waitForTranscoding(site, ada, video.uuid)
  firstSegments = new Map()
  for (const { playlistUrl } of streamingPlaylists[0].files) {
    const text = await (await fetch(playlistUrl)).text()
    const [, length, offset] = /#EXTINF.*\n#EXT-X-BYTERANGE:(\d+)@(\d+)/.exec(text)!
    firstSegments.set(/URI="([^"]+)"/.exec(text)![1]!, Number(offset) + Number(length) - 1)
  }
  embedding = createServer((_request, response) => {
    const frame = `<iframe src="${site.url}/videos/embed/${video.uuid}" width="640" height="360" allow="autoplay"></iframe>`
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html>${frame.repeat(5)}`)
  }).listen(0, '127.0.0.1')
}, 240_000)
afterAll(async () => {
  embedding?.close()
  await site?.stop()
})

type MediaRequest = { name: string; lastByte: number; bytes: number }
/** Opens a context that records what is loaded of videos: playlists and files, by their HLS names, without pictures. */
async function visit(options: BrowserContextOptions = {}): Promise<Visitor & { media: MediaRequest[] }> {
  const visitor = await site.visit(options)
  const media: MediaRequest[] = []
  visitor.context.on('response', response => {
    const { pathname } = new URL(response.url())
    if (!pathname.startsWith('/static/')) return
    const [, last = '0'] = /bytes=\d+-(\d+)/.exec(response.request().headers().range ?? '') ?? []
    const entry = { name: pathname.split('/').at(-1)!, lastByte: Number(last), bytes: Number(response.headers()['content-length'] ?? 0) }
    media.push(entry)
  })
  return { ...visitor, media }
}
const SETTLED = 2500
const playButton = (page: Page) => page.getByRole('button', { name: 'Play', exact: true }).first()
const settle = async (page: Page) => {
  await playButton(page).waitFor()
  await page.waitForTimeout(SETTLED)
}
const secondsAhead = async (page: Page) =>
  await page.evaluate(() => {
    const { buffered, currentTime } = document.querySelector('video')!
    return buffered.length === 0 ? 0 : buffered.end(buffered.length - 1) - currentTime
  })
const waitForPlayback = async (page: Page) =>
  await page.waitForFunction(() => {
    const media = document.querySelector('video')
    return media !== null && !media.paused && media.currentTime > 0.1
  })
/** Returns how far ahead is loaded once that does not grow any more. */
const settledAhead = async (page: Page) => {
  await page.waitForTimeout(SETTLED)
  return await secondsAhead(page)
}
const expectFirstSegmentsOnly = (media: MediaRequest[]) => {
  for (const { name, lastByte } of media)
    if (firstSegments.has(name)) expect([name, lastByte]).toEqual([name, Math.min(lastByte, firstSegments.get(name)!)])
}

test.each([{ returning: false }, { returning: true }])(
  'the watch page loads the first segment of video and audio, and 30 seconds when it plays (returning viewer: $returning)',
  async ({ returning }) => {
    const { page, context, media, pageErrors } = await visit()
    if (returning) await context.addInitScript(() => localStorage.setItem('bobine.bandwidth', '5000000'))
    await page.goto(`/w/${video.shortUUID}`)
    await settle(page)
    const files = new Set(media.map(({ name }) => name).filter(name => firstSegments.has(name)))
    expect(files.size).toBe(2)
    expectFirstSegmentsOnly(media)
    await playButton(page).click()
    await waitForPlayback(page)
    const ahead = await settledAhead(page)
    expect([ahead > 22, ahead < 36]).toEqual([true, true])
    await page.keyboard.press('k')
    await page.waitForTimeout(500)
    const loaded = media.length
    expect([await settledAhead(page), media.length]).toEqual([expect.any(Number), loaded])
    // A seek loads from there, and no further than that.
    await page.evaluate(() => (document.querySelector('video')!.currentTime = 70))
    await eventually(async () => (await secondsAhead(page)) > 20)
    expect(await settledAhead(page)).toBeLessThan(36)
    expect(pageErrors).toEqual([])
    await context.close()
  }
)

test('on an unsteady line a minute is loaded ahead', async () => {
  const { page, context } = await visit()
  await page.goto(`/w/${video.shortUUID}`)
  await settle(page)
  let slow = 2
  await page.route('**/*-fragmented.mp4', async route => {
    if (slow-- > 0) await new Promise(resolve => setTimeout(resolve, 3500))
    await route.continue()
  })
  await playButton(page).click()
  await waitForPlayback(page)
  await eventually(async () => (await secondsAhead(page)) > 45, 20, 'a minute ahead')
  expect(await settledAhead(page)).toBeLessThan(66)
  await context.close()
})

test('the data saver in the settings loads ten seconds ahead, and nothing before play the next time', async () => {
  const { page, context, media } = await visit()
  await page.goto(`/w/${video.shortUUID}`)
  await settle(page)
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('menuitemcheckbox', { name: 'Data saver' }).click()
  await page.keyboard.press('Escape')
  await playButton(page).click()
  await waitForPlayback(page)
  const ahead = await settledAhead(page)
  expect([ahead > 5, ahead < 15]).toEqual([true, true])

  await page.evaluate(() => localStorage.removeItem('bobine.bandwidth'))
  media.length = 0
  await page.reload()
  await settle(page)
  expect(media.filter(({ name }) => firstSegments.has(name))).toEqual([])
  await playButton(page).click()
  await waitForPlayback(page)
  await context.close()
})

test('with Save-Data only the poster is loaded', async () => {
  const { page, context, media } = await visit({ extraHTTPHeaders: { 'save-data': 'on' } })
  await context.addInitScript(() => Object.defineProperty(navigator, 'connection', { value: { saveData: true } }))
  for (const path of [`/w/${video.shortUUID}`, `/videos/embed/${video.uuid}`]) {
    const response = await page.goto(path)
    expect(response!.headers().vary).toContain('Save-Data')
    expect(await response!.text()).not.toContain('#EXTM3U')
    await settle(page)
    await page.mouse.move(200, 200)
    await page.waitForTimeout(500)
    expect(media).toEqual([])
  }
  await playButton(page).click()
  await waitForPlayback(page)
  expect(await settledAhead(page)).toBeLessThan(15)
  await context.close()
})

test('five players of another page cost nothing before play is pressed in one', async () => {
  const { page, context, media } = await visit()
  await page.goto(`http://127.0.0.1:${(embedding.address() as AddressInfo).port}/`)
  for (const frame of page.frames().slice(1)) await frame.getByRole('button', { name: 'Play', exact: true }).first().waitFor()
  await page.waitForTimeout(SETTLED)
  await page.mouse.wheel(0, 2000)
  await page.waitForTimeout(SETTLED)
  expect(media.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThan(60_000)
  expect(media.filter(({ name }) => firstSegments.has(name))).toEqual([])
  const frame = page.frames().at(-1)!
  const button = frame.getByRole('button', { name: 'Play', exact: true }).first()
  await button.hover()
  await eventually(async () => media.some(({ name }) => firstSegments.has(name)))
  await page.waitForTimeout(SETTLED)
  expectFirstSegmentsOnly(media)
  await button.click()
  await frame.waitForFunction(() => document.querySelector('video')!.currentTime > 0.1)
  await context.close()
})

test('a player that is embedded with autoplay loads at once', async () => {
  const { page, context, media } = await visit()
  await page.goto(`/videos/embed/${video.uuid}?autoplay=1&muted=1`)
  await waitForPlayback(page)
  expect(media.length).toBeGreaterThan(1)
  await context.close()
})
