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

const title = (index: number) => ({ name: `Film number ${index}`, exact: true })

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
  await page.getByRole('link', title(13)).click()
  await page.getByRole('heading', title(13)).waitFor()
  expect(await page.locator('video[controls] source').first().getAttribute('src')).toMatch(
    /^\/static\/streaming-playlists\/hls\/.*master\.m3u8$/
  )
  expect(await page.locator('.prose strong').textContent()).toBe('13')
  await page.getByRole('link', { name: /ada/ }).first().click()
  expect(await page.locator('.card').count()).toBe(6)
  await visitor.context.close()
})

test('the first drawing of a page asks the API for nothing it came with', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const asked: string[] = []
  page.on('request', request => {
    if (request.url().includes('/api/')) asked.push(new URL(request.url()).pathname)
  })
  await page.goto('/')
  await page.getByRole('button', { name: 'Menu' }).waitFor()
  await page.getByRole('link', title(13)).waitFor()
  expect(asked.filter(path => path !== '/api/v1/videos')).toEqual([])
  const { shortUUID } = (await site.call('GET /videos?count=1')).json.data[0]
  asked.length = 0
  await page.goto(`/w/${shortUUID}`)
  await page.getByRole('button', { name: 'Player settings' }).waitFor()
  expect(asked.filter(path => !/\/(videos|comment-threads)$/.test(path))).toEqual([])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('on a slow machine, too, the list comes to its end, and then rests', async () => {
  const visitor = await site.visit()
  const { page, context } = visitor
  const asked: string[] = []
  page.on('request', request => {
    if (/\/api\/v1\/videos\?/.test(request.url())) asked.push(new URL(request.url()).searchParams.get('start')!)
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
  expect(asked).toEqual(['6', '12'])
  expectNoPageErrors(visitor)
  await context.close()
})

test('the list goes on as one scrolls, and back finds it where it was left', async () => {
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
  const link = page.getByRole('link', title(3))
  await link.scrollIntoViewIfNeeded()
  const before = await page.evaluate(() => scrollY)
  expect(before).toBeGreaterThan(1000)
  await link.click()
  await page.getByRole('heading', title(3)).waitFor()
  await expect.poll(async () => await page.evaluate(() => scrollY)).toBe(0)
  await page.goBack()
  await link.waitFor()
  await expect.poll(async () => Math.abs((await page.evaluate(() => scrollY)) - before)).toBeLessThan(5)
  expect(await cards.count()).toBe(COUNT)
  await page.goForward()
  await page.getByRole('heading', title(3)).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('one goes from video to video: the next one plays by itself, the description follows, the place is kept', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  await page.getByRole('link', title(13)).click()
  await expectVideoToPlay(page, 0.5)
  await expect.poll(async () => await page.locator('.watch-about strong').textContent()).toBe('13')
  await page.locator('.watch-side').getByRole('link', title(12)).click()
  await page.getByRole('heading', title(12)).waitFor()
  await expectVideoToPlay(page, 0.5)
  await expect.poll(async () => await page.locator('.watch-about strong').textContent()).toBe('12')
  expect(await page.title()).toBe('Film number 12 · Bobine')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('the own videos are found, edited and deleted', async () => {
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
  await page.getByLabel('Who can watch').selectOption({ label: 'With a password' })
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
  await page.getByText('At most 5 tags, each of 2 to 30 characters.').waitFor()
  await page.getByLabel('Tags').fill('fine')
  await page.getByRole('button', { name: 'Save' }).click()
  await expect.poll(async () => await page.getByText('Not saved yet').count()).toBe(0)

  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('“Film number seven” is deleted.').waitFor()
  expect((await site.call(`GET /videos/${video.uuid}`)).status).toBe(404)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('what does not exist says so, with its status', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  for (const [path, words] of [
    ['/w/9c9de5e8-0a1e-484a-b099-e80766180a6d', 'This video does not exist'],
    ['/w/nonsense', 'This video does not exist'],
    ['/c/nobody', 'This channel does not exist'],
    ['/a/nobody', 'There is nobody of that name'],
    ['/nothing/here', 'This page does not exist']
  ]) {
    expect((await page.goto(path!))!.status(), path).toBe(404)
    await page.getByRole('heading', { name: words }).waitFor()
  }
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
