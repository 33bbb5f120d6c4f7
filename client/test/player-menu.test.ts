import { afterAll, beforeAll, expect, test } from 'vitest'
import { encoded, upload } from '../../server/test/upload.ts'
import { footage } from '../../server/test/footage.ts'
import { expectNoFaults, expectToPlay, openSettings, openSite, picture, type Site } from './site.ts'

let site: Site
let video: { id: number, uuid: string, shortUUID: string }

beforeAll(async () => {
  site = await openSite({ transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }, storyboards: { enabled: false } })
  const ada = await site.user('ada')
  video = await upload(site, ada, { name: 'A film with a menu' }, await footage({ seconds: 30, size: '426x240' }))
  await encoded(site, ada, video.id)
}, 180_000)
afterAll(async () => await site.stop())

test('statistics tell what plays, by key and by menu, and go again', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectToPlay(page, 0.6)
  await page.keyboard.press('s')
  const stats = page.getByRole('region', { name: 'Statistics' })
  const figure = async (name: string) => await stats.locator('div').filter({ has: page.locator('dt').getByText(name, { exact: true }) }).locator('dd').textContent()
  await expect.poll(async () => await figure('Picture')).toBe('426 × 240')
  expect(await figure('Codecs')).toMatch(/^avc1\.\w+,mp4a\.40\.2$/)
  expect(await figure('Dropped frames')).toMatch(/^\d+ of \d+ \(\d+%\)$/)
  expect(await figure('From')).toBe(new URL(site.url).host)
  await expect.poll(async () => await figure('Loaded ahead')).toMatch(/^\d+(\.\d)? sec$/)
  await expect.poll(async () => await figure('Connection')).toMatch(/Mb/)
  await stats.getByRole('button', { name: 'Close' }).click()
  expect(await stats.count()).toBe(0)
  await openSettings(page)
  await page.getByRole('menuitem', { name: 'Statistics' }).click()
  await stats.waitFor()
  await page.keyboard.press('s')
  await expect.poll(async () => await stats.count()).toBe(0)
  expectNoFaults(visitor)
  await visitor.context.close()
})

test('several sound tracks are offered by language, and the choice is kept', async () => {
  const visitor = await site.visit()
  const { page, context } = visitor
  const asked: string[] = []
  await context.route(/master\.m3u8/, async route => {
    const text = await (await route.fetch()).text()
    const [line] = /#EXT-X-MEDIA:TYPE=AUDIO.*/.exec(text)!
    await route.fulfill({ contentType: 'application/vnd.apple.mpegurl', body: text.replace(line, ['en', 'fr', 'de'].map((language, index) => line.replace(/NAME="[^"]*",DEFAULT=YES/, `NAME="${index === 2 ? 'Kommentar' : language}",LANGUAGE="${language}",DEFAULT=${index === 0 ? 'YES' : 'NO'}`).replace(/URI="([^"]+)"/, `URI="$1?${language}"`)).join('\n')) })
  })
  page.on('request', request => { if (/\.m3u8\?(en|fr|de)$/.test(request.url())) asked.push(request.url().slice(-2)) })
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectToPlay(page, 0.6)
  expect(asked).toEqual(['en'])
  await openSettings(page)
  await page.getByRole('menuitem', { name: /Sound track.*English/ }).click()
  expect(await page.getByRole('menuitemradio').allTextContents()).toEqual(['English', 'French', 'GermanKommentar'])
  await page.getByRole('menuitemradio', { name: 'French' }).click()
  await expect.poll(() => asked).toEqual(['en', 'fr'])
  await expectToPlay(page, 0.6)
  await page.reload()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectToPlay(page, 0.6)
  await openSettings(page)
  await page.getByRole('menuitem', { name: /Sound track.*French/ }).waitFor()
  expectNoFaults(visitor)
  await context.close()
})

test('one sound track is nothing to choose', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectToPlay(page, 0.4)
  await openSettings(page)
  await page.getByRole('menuitem', { name: /Speed/ }).waitFor()
  expect(await page.getByRole('menuitem', { name: /Sound track/ }).count()).toBe(0)
  await visitor.context.close()
})

test('a film repeats, plays faster, grows wide and floats, as one likes', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}?start=28`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectToPlay(page, 0.2)
  await openSettings(page)
  await page.getByRole('menuitemcheckbox', { name: /Repeat/ }).click()
  await page.keyboard.press('Escape')
  await expect.poll(async () => (await picture(page)).time, { timeout: 20_000 }).toBeLessThan(20)
  await expectToPlay(page, 0.4)
  await openSettings(page)
  await page.getByRole('menuitem', { name: /Speed.*Normal/ }).click()
  await page.getByRole('menuitemradio', { name: '1.5×' }).click()
  const speed = async () => await page.locator('video').evaluate((media: HTMLVideoElement) => media.playbackRate)
  expect(await speed()).toBe(1.5)
  await page.keyboard.press('>')
  expect(await speed()).toBe(1.75)

  const width = async () => (await page.locator('.player').boundingBox())!.width
  const before = await width()
  await page.getByRole('button', { name: 'Wide view' }).click()
  expect(await width()).toBeGreaterThan(before)
  await page.keyboard.press('t')
  await expect.poll(width).toBe(before)
  await page.locator('.player').hover()
  await page.getByRole('button', { name: 'Full screen' }).click()
  await expect.poll(async () => await page.evaluate(() => document.fullscreenElement?.className)).toBe('player')
  await page.getByRole('button', { name: 'Leave full screen' }).click()
  await expect.poll(async () => await page.evaluate(() => document.fullscreenElement)).toBe(null)
  await page.getByRole('button', { name: 'Picture in picture' }).click()
  await expect.poll(async () => await page.evaluate(() => document.pictureInPictureElement?.nodeName)).toBe('VIDEO')
  await page.keyboard.press('i')
  await expect.poll(async () => await page.evaluate(() => document.pictureInPictureElement)).toBe(null)
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('Statistics on or off').waitFor()
  expectNoFaults(visitor)
  await visitor.context.close()
})

test('where the browser has no media sources it plays by itself, and where it cannot it says so', async () => {
  const visitor = await site.visit()
  const { page, context } = visitor
  await context.addInitScript(() => {
    for (const name of ['MediaSource', 'ManagedMediaSource', 'WebKitMediaSource']) delete (window as any)[name]
    HTMLMediaElement.prototype.canPlayType = type => type === 'application/vnd.apple.mpegurl' ? sessionStorage.getItem('answer') as CanPlayTypeResult ?? 'maybe' : ''
  })
  await page.goto(`/w/${video.shortUUID}`)
  await expect.poll(async () => await page.locator('video').evaluate((media: HTMLVideoElement) => new URL(media.src, location.href).pathname)).toMatch(/master\.m3u8$/)
  await page.getByRole('button', { name: 'Player settings' }).click()
  await page.getByRole('menuitem', { name: /Speed/ }).waitFor()
  expect(await page.getByRole('menuitem', { name: /Quality/ }).count()).toBe(0)
  await page.evaluate(() => sessionStorage.setItem('answer', ''))
  await page.reload()
  await page.getByRole('alert').getByText('Your browser cannot play this video.').waitFor()
  await page.evaluate(() => sessionStorage.setItem('answer', 'maybe'))
  await page.getByRole('button', { name: 'Try again' }).click()
  await expect.poll(async () => await page.getByRole('alert').count()).toBe(0)
  expectNoFaults(visitor)
  await context.close()
})
