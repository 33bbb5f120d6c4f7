import { randomBytes } from 'node:crypto'
import { appendFile, stat } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectNoPageErrors, makeTestVideo, logInThroughForm, openTestSite, type TestSite } from './site.ts'

const PIECE = 256 * 1024
let site: TestSite
let path: string
let size: number

beforeAll(async () => {
  site = await openTestSite({ client: { videos: { resumable_upload: { max_chunk_size: PIECE } } }, transcoding: { preset: 'ultrafast' } })
  path = await makeTestVideo(site, 'my film.mp4', { seconds: 4 })
  // Bytes after the last box are ignored by every player, and give the upload a length worth interrupting.
  await appendFile(path, Buffer.concat([Buffer.from([0, 0x30, 0, 0]), Buffer.from('free'), randomBytes(0x300000 - 8)]))
  size = (await stat(path)).size
})
afterAll(async () => await site.stop())

/**
 * Notes the ranges a page sends; after `stopAfter` pieces no further one gets through (one that only waited would go out when its page
 * closes).
 */
async function watchPieces(page: Page, stopAfter = Infinity): Promise<string[]> {
  const ranges: string[] = []
  await page.route(/upload-resumable\?/, async route => {
    const range = route.request().headers()['content-range'] ?? ''
    const isPiece = /^bytes \d/.test(range)
    if (isPiece && ranges.filter(one => /^bytes \d/.test(one)).length >= stopAfter) return await route.abort()
    if (route.request().method() === 'PUT') ranges.push(range)
    await route.continue()
  })
  return ranges
}

const firstByte = (ranges: string[]) => Number(/^bytes (\d+)/.exec(ranges.find(range => /^bytes \d/.test(range)) ?? '')?.[1])

test('an upload goes on where it stopped after the tab was closed', async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  const sent = await watchPieces(page, 4)
  await page.setInputFiles('input[type=file]', path)
  await page.getByLabel('Title').fill('A title of my own')
  await expect.poll(() => sent.length).toBe(5)
  expect(sent[0]).toBe(`bytes */${size}`)
  expect(
    Math.max(...sent.slice(1).map(range => Number(/-(\d+)\//.exec(range)![1]) - Number(/ (\d+)-/.exec(range)![1]) + 1))
  ).toBeLessThanOrEqual(PIECE)
  await page.close({ runBeforeUnload: false })

  const again = await context.newPage()
  await again.goto('/upload')
  await again.getByRole('heading', { name: 'Not finished yet' }).waitFor()
  await again.getByText(/% of .* has arrived/).waitFor()
  const rest = await watchPieces(again)
  await again.setInputFiles('input[type=file]', path)
  expect(await again.getByLabel('Title').inputValue()).toBe('A title of my own')
  await again
    .getByRole('article', { name: 'my film.mp4' })
    .getByText(/Getting your video ready|It plays already|All qualities are ready|waiting for its turn/)
    .first()
    .waitFor({ timeout: 60_000 })
  // After all that had arrived: the fourth piece was on its way when the tab was closed, and the fifth may go out with that; what came of
  // them is kept.
  expect(firstByte(rest)).toBeGreaterThanOrEqual(3 * PIECE)
  expect(firstByte(rest)).toBeLessThanOrEqual(5 * PIECE)
  await expect.poll(async () => await again.getByRole('heading', { name: 'Not finished yet' }).count()).toBe(0)
  await again.getByRole('button', { name: 'Publish' }).click()
  await again.getByText('Published.').waitFor()
  await expect
    .poll(async () => (await site.call('GET /videos')).json.data.map(({ name }: { name: string }) => name), { timeout: 30_000 })
    .toEqual(['A title of my own'])
  expectNoPageErrors(visitor)
  await context.close()
})

test('another browser of the same person goes on, too: the server knows the upload', async () => {
  const first = await site.visit()
  await logInThroughForm(first.page, 'root', site.rootPassword, '/upload')
  const sent = await watchPieces(first.page, 2)
  await first.page.setInputFiles('input[type=file]', path)
  await expect.poll(() => sent.length).toBe(3)
  await first.context.close()
  const received = async () => (await site.call('GET /users/me/uploads', { token: await site.login() })).json.data[0].received as number
  await expect.poll(received).toBeGreaterThanOrEqual(PIECE)

  const second = await site.visit()
  await logInThroughForm(second.page, 'root', site.rootPassword, '/upload')
  await second.page.getByRole('heading', { name: 'Not finished yet' }).waitFor()
  const rest = await watchPieces(second.page)
  const arrived = await received()
  await second.page.setInputFiles('input[type=file]', path)
  await second.page.getByRole('button', { name: 'Publish' }).click()
  await second.page.getByText('Published.').waitFor({ timeout: 60_000 })
  expect(firstByte(rest)).toBe(arrived)
  expectNoPageErrors(second)
  await second.context.close()
})

test('a lost connection is waited out, and the answer to the last piece may get lost', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  let pieces = 0
  let lost = false
  await page.route(/upload-resumable\?/, async route => {
    const [, last] = /^bytes \d+-(\d+)\//.exec(route.request().headers()['content-range'] ?? '') ?? []
    if (last === undefined) return await route.continue()
    if (++pieces === 3) return await route.abort('connectionreset')
    if (Number(last) === size - 1 && !lost) {
      lost = true
      await route.fetch()
      return await route.abort('connectionreset')
    }
    await route.continue()
  })
  const before = (await site.call('GET /users/me/videos', { token: await site.login() })).json.total
  await page.setInputFiles('input[type=file]', path)
  await page.getByText(/No connection\. .* has arrived/).waitFor()
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('Published.').waitFor({ timeout: 60_000 })
  expect(lost).toBe(true)
  expect((await site.call('GET /users/me/videos', { token: await site.login() })).json.total).toBe(before + 1)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('an upload is paused, goes on, and is given up', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  await page.route(/upload-resumable\?/, async route => {
    await new Promise(resolve => setTimeout(resolve, 300))
    await route.continue().catch(() => null)
  })
  await page.setInputFiles('input[type=file]', path)
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText(/Paused at/).waitFor()
  const half = (await site.call('GET /users/me/uploads', { token: await site.login() })).json.data
  expect(half).toHaveLength(1)
  await page.getByRole('button', { name: 'Go on' }).click()
  await page
    .getByText(/left|%/)
    .first()
    .waitFor()
  await page.getByRole('button', { name: 'Cancel this upload' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel upload' }).click()
  await expect.poll(async () => await page.getByRole('article').count()).toBe(0)
  await expect.poll(async () => (await site.call('GET /users/me/uploads', { token: await site.login() })).json.data).toHaveLength(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
