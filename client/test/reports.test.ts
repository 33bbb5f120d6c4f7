import { afterAll, beforeAll, expect, test } from 'vitest'
import { uploadVideo } from '../../server/test/upload.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
let video: { id: number; uuid: string; shortUUID: string }

beforeAll(async () => {
  site = await openTestSite({ transcoding: { preset: 'ultrafast' } })
  const ada = await site.user('ada')
  await site.user('bob')
  video = await uploadVideo(site, ada, { name: 'Doubtful' })
  await site.call(`POST /videos/${video.uuid}/comment-threads`, { token: ada.token, body: { text: 'Very rude words' } })
}, 180_000)
afterAll(async () => await site.stop())

test('a video, a comment and an account are reported; a moderator decides and talks with the reporter', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('heading', { name: 'Doubtful' }).waitFor()
  expect(await page.getByRole('button', { name: 'Report', exact: true }).count()).toBe(0)
  await logInThroughForm(page, 'bob', 'password1', `/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Report', exact: true }).click()
  const dialog = page.getByRole('dialog', { name: 'Report “Doubtful”' })
  await dialog.getByText('The moderators of this instance will review your report.').waitFor()
  await dialog.getByRole('button', { name: 'Send report' }).click()
  await dialog.getByRole('alert').getByText('Please describe the problem.').waitFor()
  await dialog.getByLabel('Describe the problem').fill('It is <b>not</b> what it says')
  await dialog.getByLabel('Spam or misleading').check()
  let sent = 0
  await page.route(/\/api\/v1\/abuses$/, async route => {
    sent++
    // Long enough for a second submission.
    await new Promise(resolve => setTimeout(resolve, 500))
    await route.continue()
  })
  for (let time = 0; time < 2; time++) await dialog.getByLabel('Spam or misleading').press('Enter')
  await page.getByText('Thank you. The moderators will review your report.').waitFor()
  expect(sent).toBe(1)
  await page.unrouteAll()
  expect(await page.getByRole('dialog').count()).toBe(0)
  await page.getByRole('button', { name: 'Report comment by ada' }).click()
  await page.getByRole('dialog').getByLabel('Describe the problem').fill('Rude')
  await page.getByRole('dialog').getByRole('button', { name: 'Send report' }).click()
  await expect.poll(async () => await page.getByRole('dialog').count()).toBe(0)
  await page.goto('/a/ada')
  await page.getByRole('button', { name: 'Report', exact: true }).click()
  await page.getByRole('dialog', { name: 'Report “ada”' }).getByLabel('Describe the problem').fill('Both of them')
  await page.getByRole('dialog').getByRole('button', { name: 'Send report' }).click()
  await expect.poll(async () => await page.getByRole('dialog').count()).toBe(0)
  await page.goto('/admin/reports')
  await page.getByRole('heading', { name: 'Only moderators can view this page' }).waitFor()

  await page.evaluate(() => localStorage.clear())
  await logInThroughForm(page, 'root', site.rootPassword)
  await page.getByRole('button', { name: /Account menu/ }).click()
  await page.getByRole('menuitem', { name: 'Reports' }).click()
  const reports = page.getByRole('listitem')
  const first = reports.filter({ hasText: 'It is <b>not</b> what it says' })
  await first.getByText('Reported by bob').waitFor()
  await first.getByText('Spam or misleading').waitFor()
  await reports.filter({ hasText: 'Very rude words' }).getByText('Rude', { exact: true }).waitFor()
  await reports.filter({ hasText: 'Both of them' }).getByRole('link', { name: 'Account ada' }).waitFor()
  await page.getByRole('button', { name: 'Reject report: Account ada' }).click()
  await page.getByText('Decision saved.').waitFor()
  await first.getByRole('button', { name: /^Accept report/ }).click()
  await expect.poll(async () => await first.count()).toBe(0)
  await reports
    .filter({ hasText: 'Very rude words' })
    .getByRole('button', { name: /^Delete report/ })
    .click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('No reports.').waitFor()
  await page.getByRole('tab', { name: 'Accepted' }).click()
  await first.getByRole('link', { name: 'Video “Doubtful” by ada' }).click()
  await page.getByRole('heading', { name: 'Doubtful' }).waitFor()
  // The moderator and the reporter exchange messages.
  await page.goto('/admin/reports?tab=accepted')
  await first.getByRole('button', { name: /^0 messages/ }).click()
  await first.getByLabel('Your message').fill('What is it <i>then</i>?')
  await first.getByRole('button', { name: 'Send' }).click()
  await first.getByText('What is it <i>then</i>?').waitFor()
  expect(await page.getByRole('listitem').filter({ hasText: 'Both of them' }).count()).toBe(0)
  await page.evaluate(() => localStorage.clear())
  await logInThroughForm(page, 'bob', 'password1', '/settings')
  await page.getByRole('link', { name: 'My reports' }).click()
  const ownReport = page.getByRole('listitem').filter({ hasText: 'It is <b>not</b> what it says' })
  await ownReport.getByText('Accepted', { exact: true }).waitFor()
  await ownReport.getByRole('button', { name: /^1 message/ }).click()
  await ownReport.getByText('What is it <i>then</i>?').waitFor()
  expect(await ownReport.getByRole('button', { name: 'Delete message by root' }).count()).toBe(0)
  await ownReport.getByLabel('Your message').fill('A lecture')
  await ownReport.getByRole('button', { name: 'Send' }).click()
  await ownReport.getByText('A lecture').waitFor()
  await ownReport.getByLabel('Your message').fill('Sorry')
  await ownReport.getByRole('button', { name: 'Send' }).click()
  await ownReport.getByRole('listitem').filter({ hasText: 'Sorry' }).getByRole('button', { name: 'Delete message by bob' }).click()
  await page.getByText('Message deleted.').waitFor()
  await expect.poll(async () => await ownReport.getByText('Sorry', { exact: true }).count()).toBe(0)
  const token = await site.login()
  const [{ id }] = (await site.call('GET /abuses?state=3', { token })).json.data
  expect(
    (await site.call(`GET /abuses/${id}/messages`, { token })).json.data.map(
      ({ message, byModerator }: { message: string; byModerator: boolean }) => [message, byModerator]
    )
  ).toEqual([
    ['What is it <i>then</i>?', true],
    ['A lecture', false]
  ])
  expect((await site.call('GET /abuses', { token })).json).toMatchObject({
    total: 2,
    data: [
      { state: { id: 2 }, flaggedAccount: { name: 'ada' } },
      { state: { id: 3 }, predefinedReasons: ['spamOrMisleading'], reporterAccount: { name: 'bob' } }
    ]
  })
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
