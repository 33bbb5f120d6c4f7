import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, logInThroughForm, openTestSite, type TestSite } from './site.ts'

const COUNT = 13
let site: TestSite
let ada: { token: string; channelId: number }

beforeAll(async () => {
  site = await openTestSite({
    pagination: { count: 6 },
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  ada = await site.user('ada')
  const bytes = await makeFootageBytes({ seconds: 2, size: '320x180' })
  for (let index = 1; index <= COUNT; index++)
    await uploadVideo(site, ada, { name: `Film number ${index}`, description: `Text **${index}**` }, bytes)
  for (const { id } of (await site.call('GET /users/me/videos?count=50', { token: ada.token })).json.data)
    await waitForTranscoding(site, ada, id)
}, 240_000)
afterAll(async () => await site.stop())

const titleOf = (index: number) => ({ name: `Film number ${index}`, exact: true })

test('the home page is readable without JavaScript', async () => {
  const visitor = await site.visit({ javaScriptEnabled: false })
  const { page } = visitor
  await page.goto('/')
  expect(await page.locator('.card-title').allTextContents()).toEqual([13, 12, 11, 10, 9, 8].map(index => `Film number ${index}`))
  expect(
    await page
      .locator('.card img')
      .first()
      .evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0)
  ).toBe(true)
  await page.getByRole('link', titleOf(13)).click()
  await page.getByRole('heading', titleOf(13)).waitFor()
  expect(await page.locator('a.player-start').getAttribute('href')).toMatch(/^\/static\/streaming-playlists\/hls\/.*\.mp4$/)
  expect(await page.locator('.prose strong').textContent()).toBe('13')
  await page.getByRole('link', { name: /ada/ }).first().click()
  expect(await page.locator('.card').count()).toBe(6)
  await visitor.context.close()
})

test('the first render of a page makes no API request for data it was delivered with', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const requests: string[] = []
  page.on('request', request => {
    if (request.url().includes('/api/')) requests.push(new URL(request.url()).pathname)
  })
  await page.goto('/')
  await page.getByRole('button', { name: 'Menu' }).waitFor()
  await page.getByRole('link', titleOf(13)).waitFor()
  expect(requests.filter(path => path !== '/api/v1/videos')).toEqual([])
  const { shortUUID } = (await site.call('GET /videos?count=1')).json.data[0]
  requests.length = 0
  await page.goto(`/w/${shortUUID}`)
  await page.getByRole('button', { name: 'Player settings' }).waitFor()
  expect(requests.filter(path => !/\/(videos|comment-threads)$/.test(path))).toEqual([])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('on a slow machine the list loads to its end with one request per page', async () => {
  const visitor = await site.visit()
  const { page, context } = visitor
  const requests: string[] = []
  page.on('request', request => {
    if (/\/api\/v1\/videos\?/.test(request.url())) requests.push(new URL(request.url()).searchParams.get('start')!)
  })
  await (await context.newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: 8 })
  await page.goto('/')
  await expect
    .poll(async () => {
      await page.mouse.wheel(0, 2000)
      return await page.locator('.card').count()
    })
    .toBe(COUNT)
  await page.waitForTimeout(1500)
  expect(requests).toEqual(['6', '12'])
  expectNoPageErrors(visitor)
  await context.close()
})

test('the list loads more while scrolling, and going back restores the scroll position', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 700 } })
  const { page } = visitor
  await page.goto('/')
  const cards = page.locator('.card')
  await cards.first().waitFor()
  for (let index = 0; index < 12 && (await cards.count()) < COUNT; index++) {
    await page.mouse.wheel(0, 1500)
    await page.waitForTimeout(150)
  }
  expect(await page.locator('.card-title').allTextContents()).toEqual(
    Array.from({ length: COUNT }, (_, index) => `Film number ${COUNT - index}`)
  )
  const link = page.getByRole('link', titleOf(3))
  await link.scrollIntoViewIfNeeded()
  const before = await page.evaluate(() => scrollY)
  expect(before).toBeGreaterThan(1000)
  await link.click()
  await page.getByRole('heading', titleOf(3)).waitFor()
  await expect.poll(async () => await page.evaluate(() => scrollY)).toBe(0)
  await page.goBack()
  await link.waitFor()
  await expect.poll(async () => Math.abs((await page.evaluate(() => scrollY)) - before)).toBeLessThan(5)
  expect(await cards.count()).toBe(COUNT)
  await page.goForward()
  await page.getByRole('heading', titleOf(3)).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('following links from video to video: the next one plays by itself, its description and title are shown', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  await page.getByRole('link', titleOf(13)).click()
  await expectVideoToPlay(page, 0.5)
  await expect.poll(async () => await page.locator('.watch-about strong').textContent()).toBe('13')
  await page.locator('.watch-side').getByRole('link', titleOf(12)).click()
  await page.getByRole('heading', titleOf(12)).waitFor()
  await expectVideoToPlay(page, 0.5)
  await expect.poll(async () => await page.locator('.watch-about strong').textContent()).toBe('12')
  expect(await page.title()).toBe('Film number 12 · Bobine')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('own videos are searched, edited and deleted', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  await page.getByRole('button', { name: 'Show more' }).click()
  await expect.poll(async () => await page.locator('.shelf > li').count()).toBe(12)
  await page.getByLabel('Search your videos').fill('number 7')
  await expect.poll(async () => await page.locator('.shelf > li').count()).toBe(1)
  await page.getByRole('link', { name: 'Edit Film number 7' }).click()
  await page.getByLabel('Title').fill('Film number seven')
  await page.getByLabel('Category').selectOption({ label: 'Films' })
  await page.getByLabel('Language').selectOption({ label: 'French' })
  await page.getByLabel('Tags').fill('one, two, one')
  await page.getByLabel('Visibility').selectOption({ label: 'Password protected' })
  await page.getByLabel('Passwords').fill('first\nsecond\n')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  const {
    json: [video]
  } = { json: (await site.call('GET /users/me/videos?search=seven', { token: ada.token })).json.data }
  const details = (await site.call(`GET /videos/${video.uuid}`, { token: ada.token })).json
  expect(details).toMatchObject({
    name: 'Film number seven',
    category: { id: 2 },
    language: { id: 'fr' },
    tags: ['one', 'two'],
    privacy: { id: 5 }
  })
  expect((await site.call(`GET /videos/${video.uuid}`, { headers: { 'x-peertube-video-password': 'second' } })).status).toBe(200)
  await page.getByLabel('Tags').fill('x')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Up to 5 tags, 2 to 30 characters each.').waitFor()
  await page.getByLabel('Tags').fill('fine')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect.poll(async () => await page.getByText('Unsaved changes').count()).toBe(0)

  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('“Film number seven” has been deleted.').waitFor()
  expect((await site.call(`GET /videos/${video.uuid}`)).status).toBe(404)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('missing pages answer 404 and say what is missing', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  for (const [path, heading] of [
    ['/w/9c9de5e8-0a1e-484a-b099-e80766180a6d', 'This video doesn’t exist'],
    ['/w/nonsense', 'This video doesn’t exist'],
    ['/c/nobody', 'This channel doesn’t exist'],
    ['/a/nobody', 'This account doesn’t exist'],
    ['/nothing/here', 'This page doesn’t exist']
  ]) {
    expect((await page.goto(path!))!.status(), path).toBe(404)
    await page.getByRole('heading', { name: heading }).waitFor()
  }
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
