import { randomBytes } from 'node:crypto'
import { appendFile, stat } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectNoPageErrors, makeTestVideo, logInThroughForm, openTestSite, type TestSite } from './site.ts'

const CHUNK_SIZE = 256 * 1024
let site: TestSite
let videoPath: string
let fileSize: number

beforeAll(async () => {
  site = await openTestSite({
    client: { videos: { resumable_upload: { max_chunk_size: CHUNK_SIZE } } },
    transcoding: { preset: 'ultrafast' }
  })
  videoPath = await makeTestVideo(site, 'my film.mp4', { seconds: 4 })
  // A `free` box, ignored by every player, makes the file large enough to interrupt its upload.
  await appendFile(videoPath, Buffer.concat([Buffer.from([0, 0x30, 0, 0]), Buffer.from('free'), randomBytes(0x300000 - 8)]))
  fileSize = (await stat(videoPath)).size
})
afterAll(async () => await site.stop())

/**
 * Records the Content-Range headers a page sends. After `stopAfter` chunks further ones are aborted (a delayed one would be sent when its
 * page closes).
 */
async function recordChunks(page: Page, stopAfter = Infinity): Promise<string[]> {
  const ranges: string[] = []
  await page.route(/upload-resumable\?/, async route => {
    const range = route.request().headers()['content-range'] ?? ''
    const isChunk = /^bytes \d/.test(range)
    if (isChunk && ranges.filter(sent => /^bytes \d/.test(sent)).length >= stopAfter) return await route.abort()
    if (route.request().method() === 'PUT') ranges.push(range)
    await route.continue()
  })
  return ranges
}

const firstByteOf = (ranges: string[]) => Number(/^bytes (\d+)/.exec(ranges.find(range => /^bytes \d/.test(range)) ?? '')?.[1])

test('an upload resumes where it stopped after the tab was closed', async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  const sent = await recordChunks(page, 4)
  await page.setInputFiles('input[type=file]', videoPath)
  await page.getByLabel('Title').fill('A title of my own')
  await expect.poll(() => sent.length).toBe(5)
  expect(sent[0]).toBe(`bytes */${fileSize}`)
  expect(
    Math.max(...sent.slice(1).map(range => Number(/-(\d+)\//.exec(range)![1]) - Number(/ (\d+)-/.exec(range)![1]) + 1))
  ).toBeLessThanOrEqual(CHUNK_SIZE)
  await page.close({ runBeforeUnload: false })

  const newTab = await context.newPage()
  await newTab.goto('/upload')
  await newTab.getByRole('heading', { name: 'Unfinished uploads' }).waitFor()
  await newTab.getByText(/% of .* uploaded/).waitFor()
  const remaining = await recordChunks(newTab)
  await newTab.setInputFiles('input[type=file]', videoPath)
  expect(await newTab.getByLabel('Title').inputValue()).toBe('A title of my own')
  await newTab
    .getByRole('article', { name: 'my film.mp4' })
    .getByText(/Processing your video|Ready to watch|All qualities are ready|waiting to be processed/)
    .first()
    .waitFor({ timeout: 60_000 })
  // The upload resumes after everything received: the fourth chunk was being sent when the tab was closed, and the fifth may have been
  // started; whatever the server received of them counts.
  expect(firstByteOf(remaining)).toBeGreaterThanOrEqual(3 * CHUNK_SIZE)
  expect(firstByteOf(remaining)).toBeLessThanOrEqual(5 * CHUNK_SIZE)
  await expect.poll(async () => await newTab.getByRole('heading', { name: 'Unfinished uploads' }).count()).toBe(0)
  await newTab.getByRole('button', { name: 'Publish' }).click()
  await newTab.getByText('Published.').waitFor()
  await expect
    .poll(async () => (await site.call('GET /videos')).json.data.map(({ name }: { name: string }) => name), { timeout: 30_000 })
    .toEqual(['A title of my own'])
  expectNoPageErrors(visitor)
  await context.close()
})

test('an upload can be resumed in another browser, since the server lists it', async () => {
  const first = await site.visit()
  await logInThroughForm(first.page, 'root', site.rootPassword, '/upload')
  const sent = await recordChunks(first.page, 2)
  await first.page.setInputFiles('input[type=file]', videoPath)
  await expect.poll(() => sent.length).toBe(3)
  await first.context.close()
  const receivedBytes = async () =>
    (await site.call('GET /users/me/uploads', { token: await site.login() })).json.data[0].received as number
  await expect.poll(receivedBytes).toBeGreaterThanOrEqual(CHUNK_SIZE)

  const second = await site.visit()
  await logInThroughForm(second.page, 'root', site.rootPassword, '/upload')
  await second.page.getByRole('heading', { name: 'Unfinished uploads' }).waitFor()
  const remaining = await recordChunks(second.page)
  const receivedBefore = await receivedBytes()
  await second.page.setInputFiles('input[type=file]', videoPath)
  await second.page.getByRole('button', { name: 'Publish' }).click()
  await second.page.getByText('Published.').waitFor({ timeout: 60_000 })
  expect(firstByteOf(remaining)).toBe(receivedBefore)
  expectNoPageErrors(second)
  await second.context.close()
})

test('an upload survives a lost connection and a lost response to its last chunk', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  let chunks = 0
  let lost = false
  await page.route(/upload-resumable\?/, async route => {
    const [, last] = /^bytes \d+-(\d+)\//.exec(route.request().headers()['content-range'] ?? '') ?? []
    if (last === undefined) return await route.continue()
    if (++chunks === 3) return await route.abort('connectionreset')
    if (Number(last) === fileSize - 1 && !lost) {
      lost = true
      await route.fetch()
      return await route.abort('connectionreset')
    }
    await route.continue()
  })
  const before = (await site.call('GET /users/me/videos', { token: await site.login() })).json.total
  await page.setInputFiles('input[type=file]', videoPath)
  await page.getByText(/No connection\. .* uploaded/).waitFor()
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Published.').waitFor({ timeout: 60_000 })
  expect(lost).toBe(true)
  expect((await site.call('GET /users/me/videos', { token: await site.login() })).json.total).toBe(before + 1)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('an upload goes on after the site was unavailable for long', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  let refused = 0
  await page.route(/upload-resumable\?/, async route => {
    if (route.request().method() !== 'PUT' || refused >= 12) return await route.continue()
    refused++
    await route.fulfill({
      status: 503,
      headers: { 'Retry-After': '1', 'Content-Type': 'application/problem+json' },
      body: JSON.stringify({ status: 503, code: 'database_unavailable', detail: 'This site is briefly unavailable.' })
    })
  })
  await page.setInputFiles('input[type=file]', videoPath)
  await page
    .getByRole('article', { name: 'my film.mp4' })
    .getByText(/Processing your video|Ready to watch|All qualities are ready|waiting to be processed/)
    .first()
    .waitFor({ timeout: 60_000 })
  expect(refused).toBe(12)
  await visitor.context.close()
})

test('an upload is paused, resumed and discarded', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  await page.route(/upload-resumable\?/, async route => {
    await new Promise(resolve => setTimeout(resolve, 300))
    await route.continue().catch(() => null)
  })
  await page.setInputFiles('input[type=file]', videoPath)
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText(/Paused at/).waitFor()
  const unfinished = (await site.call('GET /users/me/uploads', { token: await site.login() })).json.data
  expect(unfinished).toHaveLength(1)
  await page.getByRole('button', { name: 'Resume' }).click()
  await page
    .getByText(/left|%/)
    .first()
    .waitFor()
  await page.getByRole('button', { name: 'Cancel this upload' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Discard upload' }).click()
  await expect.poll(async () => await page.getByRole('article').count()).toBe(0)
  await expect.poll(async () => (await site.call('GET /users/me/uploads', { token: await site.login() })).json.data).toHaveLength(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
