import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes, makeMultiAudioFootage } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, openPlayerSettings, openTestSite, readVideoElement, type TestSite } from './site.ts'

let site: TestSite
let video: { id: number; uuid: string; shortUUID: string }

beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  video = await uploadVideo(site, ada, { name: 'A film with a menu' }, await makeFootageBytes({ seconds: 30, size: '426x240' }))
  await waitForTranscoding(site, ada, video.id)
}, 180_000)
afterAll(async () => await site.stop())

test('statistics are shown and hidden by keyboard and by menu', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.6)
  await page.keyboard.press('s')
  const stats = page.getByRole('region', { name: 'Statistics' })
  const readFigure = async (name: string) =>
    await stats
      .locator('div')
      .filter({ has: page.locator('dt').getByText(name, { exact: true }) })
      .locator('dd')
      .textContent()
  await expect.poll(async () => await readFigure('Resolution')).toBe('426 × 240')
  await expect.poll(async () => await readFigure('Codecs')).toMatch(/^avc1\.\w+,mp4a\.40\.2$/)
  expect(await readFigure('Dropped frames')).toMatch(/^\d+ of \d+ \(\d+%\)$/)
  expect(await readFigure('Host')).toBe(new URL(site.url).host)
  await expect.poll(async () => await readFigure('Buffer')).toMatch(/^\d+(\.\d)? sec$/)
  await expect.poll(async () => await readFigure('Connection speed')).toMatch(/Mb/)
  await stats.getByRole('button', { name: 'Close' }).click()
  expect(await stats.count()).toBe(0)
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: 'Statistics' }).click()
  await stats.waitFor()
  await page.keyboard.press('s')
  await expect.poll(async () => await stats.count()).toBe(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('several audio tracks are listed by language, and the choice is stored', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const eve = await site.user('eve')
  const { id, shortUUID } = await uploadVideo(site, eve, { name: 'A film in two languages' }, await makeMultiAudioFootage(20))
  const { playlistUrl } = (await waitForTranscoding(site, eve, id)).streamingPlaylists[0]
  const master = await (await fetch(playlistUrl)).text()
  const [french, english] = [...master.matchAll(/TYPE=AUDIO.*URI="([^"]+)"/g)].map(([, name]) => name!.replace('.m3u8', '-fragmented.mp4'))
  const requestedTracks = new Set<string>()
  page.on('request', request => {
    if (request.url().endsWith('-0-fragmented.mp4')) requestedTracks.add(request.url().split('/').at(-1)!)
  })
  await page.goto(`/w/${shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.6)
  expect([...requestedTracks]).toEqual([french])
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Audio track.*French/ }).click()
  expect(await page.getByRole('menuitemradio').allTextContents()).toEqual(['FrenchVersion originale', 'English', 'Audio'])
  await page.getByRole('menuitemradio', { name: 'English' }).click()
  await expect.poll(() => [...requestedTracks]).toEqual([french, english])
  await expectVideoToPlay(page, 0.6)
  requestedTracks.clear()
  await page.reload()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.6)
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Audio track.*English/ }).waitFor()
  expect([...requestedTracks]).toContain(english)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a single audio track is not offered as a choice', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.4)
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Speed/ }).waitFor()
  expect(await page.getByRole('menuitem', { name: /Audio track/ }).count()).toBe(0)
  await visitor.context.close()
})

test('loop, playback speed, theatre mode, full screen and picture-in-picture work', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}?start=28`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.2)
  await openPlayerSettings(page)
  await page.getByRole('menuitemcheckbox', { name: /Loop/ }).click()
  await page.keyboard.press('Escape')
  await expect.poll(async () => (await readVideoElement(page)).time, { timeout: 20_000 }).toBeLessThan(20)
  await expectVideoToPlay(page, 0.4)
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Speed.*Normal/ }).click()
  await page.getByRole('menuitemradio', { name: '1.5×' }).click()
  const readSpeed = async () => await page.locator('video').evaluate((element: HTMLVideoElement) => element.playbackRate)
  expect(await readSpeed()).toBe(1.5)
  await page.keyboard.press('>')
  expect(await readSpeed()).toBe(1.75)

  const playerWidth = async () => (await page.locator('.player').boundingBox())!.width
  const before = await playerWidth()
  await page.getByRole('button', { name: 'Theatre mode' }).click()
  expect(await playerWidth()).toBeGreaterThan(before)
  await page.keyboard.press('t')
  await expect.poll(playerWidth).toBe(before)
  await page.locator('.player').hover()
  await page.getByRole('button', { name: 'Full screen' }).click()
  await expect.poll(async () => await page.evaluate(() => document.fullscreenElement?.className)).toBe('player')
  await page.getByRole('button', { name: 'Exit full screen' }).click()
  await expect.poll(async () => await page.evaluate(() => document.fullscreenElement)).toBe(null)
  await page.getByRole('button', { name: 'Picture-in-picture' }).click()
  await expect.poll(async () => await page.evaluate(() => document.pictureInPictureElement?.nodeName)).toBe('VIDEO')
  await page.keyboard.press('i')
  await expect.poll(async () => await page.evaluate(() => document.pictureInPictureElement)).toBe(null)
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('Show or hide statistics').waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('without Media Source Extensions the browser plays HLS or the file itself, and an error is shown if it cannot', async () => {
  const visitor = await site.visit()
  const { page, context } = visitor
  await context.addInitScript(() => {
    for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']) delete (window as any)[name]
    HTMLMediaElement.prototype.canPlayType = type =>
      type === 'application/vnd.apple.mpegurl' ? ((sessionStorage.getItem('answer') as CanPlayTypeResult) ?? 'maybe') : ''
  })
  await page.goto(`/w/${video.shortUUID}`)
  await expect
    .poll(async () => await page.locator('video').evaluate((element: HTMLVideoElement) => new URL(element.src, location.href).pathname))
    .toMatch(/master\.m3u8$/)
  await page.getByRole('button', { name: 'Player settings' }).click()
  await page.getByRole('menuitem', { name: /Speed/ }).waitFor()
  expect(await page.getByRole('menuitem', { name: /Quality/ }).count()).toBe(0)
  // Without HLS support it plays the progressive file, in which seeking works.
  await page.evaluate(() => sessionStorage.setItem('answer', ''))
  await page.reload()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page)
  expect(await page.locator('video').evaluate((element: HTMLVideoElement) => new URL(element.src, location.href).pathname)).toMatch(
    /\/240\.mp4$/
  )
  await page.keyboard.press('5')
  await expect.poll(async () => (await readVideoElement(page)).time).toBeGreaterThan(3)
  await expectVideoToPlay(page, 0.5)
  let missing = true
  await context.route('**/240.mp4', async route => await (missing ? route.fulfill({ status: 404 }) : route.continue()))
  await page.reload()
  await page.getByRole('alert').getByText('Your browser can’t play this video.').waitFor()
  missing = false
  await page.getByRole('button', { name: 'Try again' }).click()
  await expectVideoToPlay(page)
  expect(await page.getByRole('alert').count()).toBe(0)
  expectNoPageErrors(visitor)
  await context.close()
})
