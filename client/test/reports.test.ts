import { afterAll, beforeAll, expect, test } from 'vitest'
import { upload } from '../../server/test/upload.ts'
import { expectNoFaults, logIn, openSite, type Site } from './site.ts'

let site: Site
let video: { id: number, uuid: string, shortUUID: string }

beforeAll(async () => {
  site = await openSite({ transcoding: { preset: 'ultrafast' }, storyboards: { enabled: false } })
  const ada = await site.user('ada')
  await site.user('bob')
  video = await upload(site, ada, { name: 'Doubtful' })
  await site.call(`POST /videos/${video.uuid}/comment-threads`, { token: ada.token, body: { text: 'Very rude words' } })
}, 180_000)
afterAll(async () => await site.stop())

test('a video and a comment are reported, and a moderator decides', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('heading', { name: 'Doubtful' }).waitFor()
  expect(await page.getByRole('button', { name: 'Report', exact: true }).count()).toBe(0)
  await logIn(page, 'bob', 'password1', `/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Report', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Report “Doubtful”' })
  await dialog.getByText('The moderators of this site will read what you write.').waitFor()
  await dialog.getByRole('button', { name: 'Send the report' }).click()
  await dialog.getByRole('alert').getByText('Say in a few words what is wrong.').waitFor()
  await dialog.getByLabel('What is wrong?').fill('It is <b>not</b> what it says')
  await dialog.getByLabel('Spam or misleading').check()
  await dialog.getByRole('button', { name: 'Send the report' }).click()
  await page.getByText('Thank you: the moderators will look at it.').waitFor()
  expect(await page.getByRole('dialog').count()).toBe(0)
  await page.getByRole('button', { name: 'Report the comment by ada' }).click()
  await page.getByRole('dialog').getByLabel('What is wrong?').fill('Rude')
  await page.getByRole('dialog').getByRole('button', { name: 'Send the report' }).click()
  await expect.poll(async () => await page.getByRole('dialog').count()).toBe(0)
  await page.goto('/admin/reports')
  await page.getByRole('heading', { name: 'This page is for moderators' }).waitFor()

  await page.evaluate(() => localStorage.clear())
  await logIn(page, 'root', site.rootPassword)
  await page.getByRole('button', { name: /Your menu/ }).click()
  await page.getByRole('menuitem', { name: 'Reports' }).click()
  const reports = page.getByRole('listitem')
  const first = reports.filter({ hasText: 'It is <b>not</b> what it says' })
  await first.getByText('Reported by bob').waitFor()
  await first.getByText('Spam or misleading').waitFor()
  await reports.filter({ hasText: 'Very rude words' }).getByText('Rude', { exact: true }).waitFor()
  await first.getByRole('button', { name: /^Accept the report/ }).click()
  await expect.poll(async () => await first.count()).toBe(0)
  await reports.filter({ hasText: 'Very rude words' }).getByRole('button', { name: /^Delete the report/ }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('Nothing to see here.').waitFor()
  await page.getByRole('tab', { name: 'Accepted' }).click()
  await first.getByRole('link', { name: 'Video “Doubtful” by ada' }).click()
  await page.getByRole('heading', { name: 'Doubtful' }).waitFor()
  const token = await site.login()
  expect((await site.call('GET /abuses', { token })).json).toMatchObject({ total: 1, data: [{ state: { id: 3 }, predefinedReasons: ['spamOrMisleading'], reporterAccount: { name: 'bob' } }] })
  expectNoFaults(visitor)
  await visitor.context.close()
})
