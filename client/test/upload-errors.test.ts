import { execFile } from 'node:child_process'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../../server/core/config.ts'
import { renameSampleEntries } from '../../server/test/mp4-editing.ts'
import { expectNoPageErrors, makeTestVideo, logInThroughForm, openTestSite, type TestSite, type Visitor } from './site.ts'

const exec = promisify(execFile)
let site: TestSite
let visitor: Visitor

beforeAll(async () => {
  site = await openTestSite({ upload: { max_size: '3MB', max_duration: 20 }, transcoding: { preset: 'ultrafast' } })
  await site.user('poor', { videoQuota: 1000 })
  visitor = await site.visit()
  await logInThroughForm(visitor.page, 'root', site.rootPassword, '/upload')
})
afterAll(async () => await site.stop())

/** Chooses a file on the upload page and returns the error shown for it. */
async function uploadError(name: string, bytes: Buffer | string): Promise<string> {
  const path = typeof bytes === 'string' ? bytes : join(site.videosFolder, name)
  if (typeof bytes !== 'string') await writeFile(path, bytes)
  await visitor.page.setInputFiles('input[type=file]', path)
  const alert = visitor.page.getByRole('article', { name }).getByRole('alert')
  await alert.waitFor({ timeout: 30_000 })
  return (await alert.textContent())!
}

test('a file of an unsupported type is refused', async () => {
  expect(await uploadError('notes.txt', Buffer.from('no film'))).toMatch(/This file type isn’t supported\. Supported types: .*\.mp4/)
})

test('a file that is too large is refused', async () => {
  expect(await uploadError('large.mp4', Buffer.alloc(4_000_000))).toBe('This file is too large for this instance.')
})

test('a file that is not a video is refused, whatever its name', async () => {
  expect(await uploadError('broken.mp4', Buffer.alloc(2500, 7))).toBe(
    'This file can’t be read as a video. It may be damaged or incomplete.'
  )
  expect(await uploadError('words.mp4', Buffer.from('this is not a film at all'))).toBe('This is a text file, not a video.')
  expect(await uploadError('page.mp4', Buffer.from('<!doctype html><title>404</title>'))).toMatch(/^This is a web page, not a video\./)
  expect(await uploadError('list.mp4', Buffer.from('#EXTM3U\nhttp://127.0.0.1/\n'))).toMatch(/^This is a playlist that only points/)
  expect(await uploadError('archive.mp4', Buffer.from('504b030414000000', 'hex'))).toMatch(/^This is an archive, not a video\./)
})

test('an image is refused as such, an animated one with what to do', async () => {
  const image = sharp({ create: { width: 60, height: 40, channels: 3, background: 'red' } })
  expect(await uploadError('image.mp4', await image.jpeg().toBuffer())).toBe('This is an image, not a video.')
  await exec('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=s=64x48:r=5:d=1', join(site.videosFolder, 'moving.webp')])
  await rename(join(site.videosFolder, 'moving.webp'), join(site.videosFolder, 'moving.mp4'))
  expect(await uploadError('moving.mp4', join(site.videosFolder, 'moving.mp4'))).toBe(
    'This is an animated image (WebP or PNG). Convert it to MP4 or GIF first.'
  )
})

test('a file whose sound or picture cannot be decoded is refused', async () => {
  const file = await readFile(await makeTestVideo(site, 'decodable.mp4', { seconds: 1 }))
  for (const entry of ['mp4a', 'avc1'])
    expect(await uploadError(`odd-${entry}.mp4`, renameSampleEntries(file, entry, 'zzzz'))).toMatch(
      /^This server can’t decode the picture or the sound of this file/
    )
})

test('the file dialog offers every accepted name', async () => {
  const accepted = (await visitor.page.locator('input[type=file]').getAttribute('accept'))!.split(',')
  expect(accepted).toEqual(expect.arrayContaining(['video/*', '.vob', '.mod', '.dv', '.gif', '.m4b', '.mka']))
})

test('a video that is too long is refused', async () => {
  const path = await makeTestVideo(site, 'endless.mp4', { seconds: 21 })
  expect(await uploadError('endless.mp4', path)).toBe('This video is too long for this instance.')
})

test('a refused file leaves nothing on the server and does not stop other uploads', async () => {
  const { page } = visitor
  await page.setInputFiles('input[type=file]', [
    await makeTestVideo(site, 'good.mp4', { seconds: 2 }),
    join(site.videosFolder, 'notes.txt')
  ])
  await page
    .getByRole('article', { name: 'good.mp4' })
    .getByText(/Processing your video|Ready to watch|All qualities|waiting to be processed/)
    .first()
    .waitFor({ timeout: 30_000 })
  await page.getByRole('article', { name: 'notes.txt' }).getByRole('button', { name: 'Remove from list' }).click()
  await expect.poll(async () => await page.getByRole('article', { name: 'notes.txt' }).count()).toBe(0)
  expect((await site.call('GET /users/me/uploads', { token: await site.login() })).json.data).toEqual([])
  expectNoPageErrors(visitor)
})

test('a file beyond the quota is refused', async () => {
  const limitedVisitor = await site.visit()
  await logInThroughForm(limitedVisitor.page, 'poor', 'password1', '/upload')
  await limitedVisitor.page.setInputFiles('input[type=file]', await makeTestVideo(site, 'good.mp4', { seconds: 2 }))
  await limitedVisitor.page.getByText(/You don’t have enough storage left for this file\./).waitFor()
  await limitedVisitor.page.goto('/settings')
  await limitedVisitor.page.getByText(/Your videos use .* of 1 kB/).waitFor()
  expectNoPageErrors(limitedVisitor)
  await limitedVisitor.context.close()
})

test.each([
  ['en-GB', /You have too many unfinished uploads\./, /The server doesn’t have enough space for this file right now\./],
  ['fr-FR', /Vous avez trop de mises en ligne inachevées\./, /Le serveur n’a pas assez d’espace pour ce fichier en ce moment\./]
])('%s: too many uploads and a full disk are told', async (locale, tooMany, full) => {
  const { max_per_user, keep_free } = config.upload
  const other = await site.visit({ locale })
  await other.page.goto('/login?next=/upload')
  await other.page.locator('input[type=password]').fill(site.rootPassword)
  await other.page.locator('input:not([type=password])[autocomplete=username]').fill('root')
  await other.page.locator('main button[type=submit]').click()
  await other.page.locator('.bar-me').waitFor()
  const path = await makeTestVideo(site, `refused ${locale}.mp4`, { seconds: 1 })
  try {
    config.upload.max_per_user = 0
    await other.page.setInputFiles('input[type=file]', path)
    await other.page.getByText(tooMany).waitFor()
    config.upload.max_per_user = max_per_user
    config.upload.keep_free = Number.MAX_SAFE_INTEGER
    await other.page.setInputFiles('input[type=file]', await makeTestVideo(site, `unstored ${locale}.mp4`, { seconds: 1 }))
    await other.page.getByText(full).waitFor()
  } finally {
    Object.assign(config.upload, { max_per_user, keep_free })
  }
  expectNoPageErrors(other)
  await other.context.close()
})
