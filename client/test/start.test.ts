import type { Request } from 'playwright-core'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encoded, upload } from '../../server/test/upload.ts'
import { expectNoFaults, expectToPlay, film, openSite, type Site } from './site.ts'

let site: Site
let video: { id: number, uuid: string, shortUUID: string }
beforeAll(async () => {
  site = await openSite({ transcoding: { preset: 'ultrafast', resolutions: { '360p': false, '480p': false, '1080p': false } }, storyboards: { enabled: false } })
  const ada = await site.user('ada')
  const bytes = await readFile(await film(site, 'film.mp4')) as Buffer<ArrayBuffer>
  await encoded(site, ada, (await upload(site, ada, { name: 'Another film' })).id)
  video = await upload(site, ada, { name: 'A film that begins soon' }, bytes)
  await encoded(site, ada, video.id)
}, 180_000)
afterAll(async () => await site?.stop())

test('a watch page asks for little, for nothing twice, and for nothing that came with it', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const asked: Request[] = []
  page.on('request', request => { if (request.url().startsWith(site.url)) asked.push(request) })
  const warnings: string[] = []
  page.on('console', message => { if (message.type() === 'warning') warnings.push(message.text()) })
  await page.addInitScript(() => {
    Object.assign(window, { shifted: 0 })
    new PerformanceObserver(list => { for (const entry of list.getEntries()) (window as never as { shifted: number }).shifted += (entry as PerformanceEntry & { value: number }).value }).observe({ type: 'layout-shift', buffered: true })
  })
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectToPlay(page)

  const paths = asked.map(request => `${request.method()} ${new URL(request.url()).pathname}`)
  const plain = paths.filter(path => !path.endsWith('.mp4'))
  expect(plain.length).toBeLessThanOrEqual(30)
  // The playlists that were fetched ahead are those the player uses.
  const playlists = paths.filter(path => path.endsWith('.m3u8'))
  expect(playlists.slice(0, 3).map(path => path.replace(/.*-(\w+)\.m3u8$/, '$1')).sort()).toEqual(['0', '240', 'master'])
  expect(new Set(playlists).size).toBe(playlists.length)
  expect(paths.find(path => path.endsWith('.mp4') && !path.endsWith('-0-fragmented.mp4'))).toMatch(/-240-fragmented\.mp4$/)
  // A finished film is not looked at for further qualities.
  expect(asked.filter(request => request.url().endsWith('.m3u8') && request.headers().range)).toEqual([])
  const questions = plain.filter(path => path.includes('/api/')).map(path => path.replace(video.uuid, ':id'))
  expect([...new Set(questions)].sort()).toEqual(['GET /api/v1/videos/:id/comment-threads', 'POST /api/v1/videos/:id/views'])
  expect(warnings.filter(text => text.includes('preload'))).toEqual([])
  expect(await page.evaluate(() => (window as never as { shifted: number }).shifted)).toBeLessThanOrEqual(0.02)
  expectNoFaults(visitor)
  await visitor.context.close()
})

test('play pressed before the player\'s library is there plays once it is', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  let release = (): void => undefined
  const released = new Promise<void>(resolve => { release = resolve })
  await page.route('**/assets/hls-*', async route => {
    await released
    await route.continue()
  })
  await page.goto(`/w/${video.shortUUID}`, { waitUntil: 'commit' })
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expect.poll(async () => await page.locator('video').evaluate((film: HTMLVideoElement) => film.paused)).toBe(false)
  release()
  await expectToPlay(page)
  expectNoFaults(visitor)
  await visitor.context.close()
})

test('the page says what comes next before any script has run', async () => {
  const visitor = await site.visit({ javaScriptEnabled: false })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('heading', { name: 'More to watch' }).waitFor()
  expect(await page.locator('.watch-list').getByRole('link', { name: 'Another film' }).getAttribute('href')).toMatch(/^\/w\//)
  expect(await page.locator('.watch-list').getByRole('link', { name: 'A film that begins soon' }).count()).toBe(0)
  await visitor.context.close()
})

test('who has watched before begins with the quality the line bore', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.addInitScript(() => localStorage.setItem('bobine.bandwidth', '50000000'))
  const first = page.waitForRequest(request => /-[1-9]\d*-fragmented\.mp4$/.test(request.url()))
  await page.goto(`/w/${video.shortUUID}`)
  expect((await first).url()).toMatch(/-720-fragmented\.mp4$/)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectToPlay(page)
  expectNoFaults(visitor)
  await visitor.context.close()
})
