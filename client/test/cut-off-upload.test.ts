import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFootageFile } from '../../server/test/footage.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
beforeAll(async () => {
  site = await openTestSite({ transcoding: { preset: 'ultrafast' } })
})
afterAll(async () => await site.stop())

/** Writes a video whose metadata state eight seconds and whose last 40 % are missing. */
async function writeCutOffVideo(name: string): Promise<string> {
  const video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '25', '-movflags', '+faststart']
  const bytes = await readFile(await makeFootageFile(join(site.videosFolder, 'whole.mp4'), { seconds: 8, size: '320x180', video }))
  await writeFile(join(site.videosFolder, name), bytes.subarray(0, bytes.length * 0.6))
  return join(site.videosFolder, name)
}

test('the owner learns that the uploaded file ends early, everywhere but on the public page', { timeout: 180_000 }, async () => {
  const sentence = /The uploaded file ends early: only the first 0:0[345] could be read\. If the original is longer, upload it again\./
  const owner = await site.visit()
  const { page } = owner
  await logInThroughForm(page, 'root', site.rootPassword, '/upload')
  await page.setInputFiles('input[type=file]', await writeCutOffVideo('cut.mp4'))
  const item = page.getByRole('article', { name: 'cut.mp4' })
  await item.getByText(sentence).waitFor()
  await item.getByRole('button', { name: 'Publish' }).click()
  await item.getByText('Published.').waitFor()
  await item.getByText('All qualities are ready.').waitFor()
  expect(await item.getByText(sentence).count()).toBe(1)

  const [video] = (await site.call('GET /users/me/videos', { token: await site.login() })).json.data
  await page.goto('/my/videos')
  await page.getByRole('listitem').filter({ hasText: video.name }).getByText(sentence).waitFor()
  await page.goto(`/my/videos/${video.shortUUID}`)
  await page.getByText(sentence).waitFor()
  expectNoPageErrors(owner)

  const visitor = await site.visit()
  await visitor.page.goto(`/w/${video.shortUUID}`)
  await visitor.page.getByRole('heading', { name: video.name }).waitFor()
  await visitor.page.waitForLoadState('networkidle')
  expect(await visitor.page.content()).not.toMatch(/ends early|truncatedAt/)
  await visitor.page.goto(`/my/videos/${video.shortUUID}`)
  await visitor.page.waitForLoadState('networkidle')
  expect(await visitor.page.getByText(sentence).count()).toBe(0)
  expectNoPageErrors(visitor)
})

test('in French, and nothing is said of a whole file', { timeout: 180_000 }, async () => {
  const owner = await site.visit({ locale: 'fr-FR' })
  const { page } = owner
  await page.goto('/login?next=/upload')
  await page.locator('input[type=password]').fill(site.rootPassword)
  await page.locator('input:not([type=password])[autocomplete=username]').fill('root')
  await page.locator('main button[type=submit]').click()
  await page.locator('.bar-me').waitFor()
  await page.setInputFiles('input[type=file]', [await writeCutOffVideo('coupe.mp4'), join(site.videosFolder, 'whole.mp4')])
  await page
    .getByRole('article', { name: 'coupe.mp4' })
    .getByText(/Le fichier mis en ligne est incomplet\s: seul le début a pu être lu, jusqu’à 0:0[345]\./)
    .waitFor()
  const whole = page.getByRole('article', { name: 'whole.mp4' })
  await whole.getByText(/Toutes les qualités/).waitFor()
  expect(await whole.getByText(/est incomplet/).count()).toBe(0)
  expectNoPageErrors(owner)
})
