import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { seedVideo } from '../../server/test/seed-video.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
beforeAll(async () => {
  site = await openTestSite({})
  const [ada, bob] = [await site.user('ada'), await site.user('bob')]
  await site.user('judge', { role: 1 })
  const video = await seedVideo({ channelId: ada.channelId })
  const post = async (token: string, text: string) =>
    await site.call(`POST /videos/${video.uuid}/comment-threads`, { token, body: { text } })
  await post(ada.token, 'A kind word')
  for (const text of ['Buy this', 'Buy <b>that</b>', 'Nothing to sell']) await post(bob.token, text)
  await runQuery(sql`
    WITH actor AS (INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
        VALUES ('Person', 'https://far.example/u/eve', 'eve', 'far.example', 'https://far.example/inbox', now(), now()) RETURNING id),
      account AS (INSERT INTO accounts (actor_id, name, created_at, updated_at) SELECT id, 'Eve', now(), now() FROM actor RETURNING id)
    INSERT INTO comments (url, video_id, account_id, text, remote, created_at, updated_at)
      SELECT 'https://far.example/1', ${video.id}, id, '<p>From afar</p>', true, now(), now() FROM account`)
}, 180_000)
afterAll(async () => await site?.stop())

test('a moderator finds comments, deletes one, and all of an author, on a phone and with the keyboard', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce', viewport: { width: 390, height: 844 } })
  const { page } = visitor
  await logInThroughForm(page, 'bob', 'password1', '/admin/comments')
  await page.getByRole('heading', { name: 'Only moderators can view this page' }).waitFor()
  await page.evaluate(() => localStorage.clear())
  await logInThroughForm(page, 'judge', 'password1', '/admin/reports')
  await page.getByRole('link', { name: 'Comments' }).click()
  const comments = page
    .getByRole('main')
    .getByRole('listitem')
    .filter({ has: page.getByRole('button') })
  await expect.poll(async () => await comments.count()).toBe(5)
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  await page.getByLabel('From', { exact: true }).selectOption('remote')
  await expect.poll(async () => await comments.allInnerTexts().then(texts => texts.length)).toBe(1)
  await comments.filter({ hasText: 'From afar' }).getByRole('link', { name: 'eve@far.example' }).waitFor()
  await page.getByLabel('From', { exact: true }).selectOption('local')
  await expect.poll(async () => await comments.count()).toBe(4)
  await page.getByRole('searchbox', { name: 'Search text, author or video' }).fill('buy')
  await expect.poll(async () => await comments.count()).toBe(2)
  await comments.filter({ hasText: 'Buy this' }).getByRole('button', { name: 'Delete comment by bob' }).focus()
  await page.keyboard.press('Enter')
  await page.getByRole('dialog', { name: 'Delete this comment?' }).getByRole('button', { name: 'Delete' }).press('Enter')
  await page.getByText('Comment deleted.').waitFor()
  await expect.poll(async () => await comments.count()).toBe(1)
  await page.getByRole('button', { name: 'Delete all comments by bob' }).press('Enter')
  const dialog = page.getByRole('dialog', { name: 'Delete all comments by bob?' })
  await dialog.getByRole('button', { name: 'Cancel' }).press('Enter')
  expect(await comments.count()).toBe(1)
  await page.getByRole('button', { name: 'Delete all comments by bob' }).press('Enter')
  await dialog.getByRole('button', { name: 'Delete all' }).press('Enter')
  await page.getByText('No comments.').waitFor()
  await page.getByRole('searchbox', { name: 'Search text, author or video' }).fill('')
  await expect.poll(async () => await comments.count()).toBe(1)
  await comments.filter({ hasText: 'A kind word' }).waitFor()
  expectNoPageErrors(visitor)
})
