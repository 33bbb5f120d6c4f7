import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectNoPageErrors, makeTestVideo, logInThroughForm, openTestSite, type TestSite, type Visitor } from './site.ts'

let site: TestSite
let visitor: Visitor

beforeAll(async () => {
  site = await openTestSite({ upload: { max_size: '3MB', max_duration: 20 }, transcoding: { preset: 'ultrafast' } })
  await site.user('poor', { videoQuota: 1000 })
  visitor = await site.visit()
  await logInThroughForm(visitor.page, 'root', site.rootPassword, '/upload')
})
afterAll(async () => await site.stop())

/** Chooses a file on the upload page and gives what the page says to it. */
async function refusalOf(name: string, bytes: Buffer | string): Promise<string> {
  const path = typeof bytes === 'string' ? bytes : join(site.films, name)
  if (typeof bytes !== 'string') await writeFile(path, bytes)
  await visitor.page.setInputFiles('input[type=file]', path)
  const alert = visitor.page.getByRole('article', { name }).getByRole('alert')
  await alert.waitFor({ timeout: 30_000 })
  return (await alert.textContent())!
}

test('a file of another kind', async () => {
  expect(await refusalOf('notes.txt', Buffer.from('no film'))).toMatch(/Files of this kind cannot be uploaded\. These can: .*\.mp4/)
})

test('a file that is too large', async () => {
  expect(await refusalOf('large.mp4', Buffer.alloc(4_000_000))).toBe('This file is larger than this site takes.')
})

test('a file that is no video, whatever its name says', async () => {
  expect(await refusalOf('broken.mp4', Buffer.from('this is not a film at all'.repeat(100)))).toBe(
    'This file cannot be read as a video. It may be damaged or incomplete.'
  )
})

test('a video that is too long', async () => {
  const path = await makeTestVideo(site, 'endless.mp4', { seconds: 21 })
  expect(await refusalOf('endless.mp4', path)).toBe('This video is longer than this site takes.')
})

test('a refused file leaves nothing behind, and others go on', async () => {
  const { page } = visitor
  await page.setInputFiles('input[type=file]', [await makeTestVideo(site, 'good.mp4', { seconds: 2 }), join(site.films, 'notes.txt')])
  await page
    .getByRole('article', { name: 'good.mp4' })
    .getByText(/Getting your video ready|It plays already|All qualities|waiting for its turn/)
    .first()
    .waitFor({ timeout: 30_000 })
  await page.getByRole('article', { name: 'notes.txt' }).getByRole('button', { name: 'Remove from this page' }).click()
  await expect.poll(async () => await page.getByRole('article', { name: 'notes.txt' }).count()).toBe(0)
  expect((await site.call('GET /users/me/uploads', { token: await site.login() })).json.data).toEqual([])
  expectNoPageErrors(visitor)
})

test('a full quota', async () => {
  const poor = await site.visit()
  await logInThroughForm(poor.page, 'poor', 'password1', '/upload')
  await poor.page.setInputFiles('input[type=file]', await makeTestVideo(site, 'good.mp4', { seconds: 2 }))
  await poor.page.getByText(/Your space is full: this file does not fit any more\./).waitFor()
  await poor.page.goto('/settings')
  await poor.page.getByText(/Your videos take .* of 1 kB/).waitFor()
  expectNoPageErrors(poor)
  await poor.context.close()
})
