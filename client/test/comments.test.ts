import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite, type Visitor } from './site.ts'

type VideoIds = { id: number; uuid: string; shortUUID: string }
type User = Awaited<ReturnType<TestSite['user']>>

let site: TestSite
let ada: User
let bob: User
let openVideo: VideoIds
let moderatedVideo: VideoIds
let closedVideo: VideoIds
let busyVideo: VideoIds
let lockedVideo: VideoIds
beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  ada = await site.user('ada')
  bob = await site.user('bob')
  const bytes = await makeFootageBytes({ seconds: 2, size: '426x240' })
  openVideo = await uploadVideo(site, ada, { name: 'A film to talk about' }, bytes)
  moderatedVideo = await uploadVideo(site, ada, { name: 'A film with care', commentsPolicy: 3 }, bytes)
  closedVideo = await uploadVideo(site, ada, { name: 'A film in silence', commentsPolicy: 2 }, bytes)
  busyVideo = await uploadVideo(site, ada, { name: 'A film of the town' }, bytes)
  lockedVideo = await uploadVideo(site, ada, { name: 'A locked film', privacy: 5, videoPasswords: ['secret'] }, bytes)
  for (const { id } of [openVideo, moderatedVideo, closedVideo, busyVideo, lockedVideo]) await waitForTranscoding(site, ada, id)
}, 180_000)
afterAll(async () => await site?.stop())

const postComment = async (video: VideoIds, user: User, text: string, parent?: number): Promise<number> =>
  (
    await site.call(`POST /videos/${video.uuid}/${parent === undefined ? 'comment-threads' : `comments/${parent}`}`, {
      token: user.token,
      body: { text }
    })
  ).json.comment.id
const listThreads = async (video: VideoIds) => (await site.call(`GET /videos/${video.uuid}/comment-threads`)).json
const toast = (page: Page, text: string) => page.getByRole('status').getByText(text)
const commentBy = (page: Page, name: string) => page.getByRole('article', { name: `Comment by ${name}` })
const openVideoAs = async (name: string | null, video: VideoIds): Promise<Visitor> => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  if (name) await logInThroughForm(visitor.page, name, 'password1', `/w/${video.shortUUID}`)
  else await visitor.page.goto(`/w/${video.shortUUID}`)
  await visitor.page.getByRole('heading', { name: /comment/i }).waitFor()
  return visitor
}
const closeVisitors = async (...visitors: Visitor[]) => {
  for (const visitor of visitors) {
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
}

test('a user comments, the owner replies, both delete their comments; HTML in comments is never executed', async () => {
  const writer = await openVideoAs('bob', openVideo)
  const { page } = writer
  await page.getByText('No comments yet.').waitFor()
  await page.getByLabel('Your comment').fill('A **fine** film <img src=x onerror=alert(1)> [here](javascript:alert(1))')
  await page.getByRole('button', { name: 'Comment', exact: true }).click()
  await toast(page, 'Comment posted.').waitFor()
  await page.getByRole('heading', { name: '1 comment' }).waitFor()
  expect(await commentBy(page, 'bob').locator('.prose').innerHTML()).toBe(
    '<p>A <strong>fine</strong> film &lt;img src=x onerror=alert(1)&gt; [here](javascript:alert(1))</p>'
  )
  expect(await page.getByLabel('Your comment').inputValue()).toBe('')

  const owner = await openVideoAs('ada', openVideo)
  await owner.page.getByRole('button', { name: 'Reply to bob' }).click()
  await owner.page.getByLabel('Your reply to bob').fill('Thank you')
  await commentBy(owner.page, 'bob').getByRole('button', { name: 'Reply', exact: true }).click()
  await commentBy(owner.page, 'ada').getByText('Author').waitFor()
  await expect.poll(async () => await owner.page.evaluate(() => document.activeElement!.getAttribute('aria-label'))).toBe('Comment by ada')
  await owner.page.getByRole('heading', { name: '2 comments' }).waitFor()

  await page.reload()
  await page.getByRole('button', { name: 'Show 1 reply' }).click()
  await commentBy(page, 'ada').getByText('Thank you').waitFor()
  expect(await page.getByRole('button', { name: 'Delete comment by ada' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Delete comment by bob' }).click()
  await page.getByRole('dialog', { name: 'Delete this comment?' }).getByRole('button', { name: 'Delete' }).click()
  await page.getByText('This comment was deleted.').waitFor()
  await page.getByRole('heading', { name: '1 comment' }).waitFor()
  expect(await listThreads(openVideo)).toMatchObject({ totalNotDeletedComments: 1, data: [{ isDeleted: true, text: '' }] })

  await owner.page.reload()
  await owner.page.getByRole('button', { name: 'Show 1 reply' }).click()
  await owner.page.getByRole('button', { name: 'Delete comment by ada' }).click()
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await owner.page.getByText('No comments yet.').waitFor()
  expect(await owner.page.evaluate(() => document.activeElement!.id)).toBe('comments-title')
  await closeVisitors(writer, owner)
})

test('keyboard: a comment is posted, a reply is cancelled, a reply is sent', async () => {
  const parent = await postComment(openVideo, ada, 'What do you think?')
  const visitor = await openVideoAs('bob', openVideo)
  const { page } = visitor
  const focusedName = async () =>
    await page.evaluate(() => {
      const { activeElement: element } = document
      return (
        element?.getAttribute('aria-label') ?? (element as HTMLTextAreaElement | null)?.labels?.[0]?.textContent ?? element?.textContent
      )
    })
  const tabTo = async (name: string) => {
    for (let index = 0; index < 40 && (await focusedName()) !== name; index++) await page.keyboard.press('Tab')
    expect(await focusedName()).toBe(name)
  }
  await commentBy(page, 'ada').waitFor()
  await page.locator('#comments-title').focus()
  await tabTo('Your comment')
  await page.keyboard.type('jkl 123 typed by hand')
  await page.keyboard.press('Control+Enter')
  await toast(page, 'Comment posted.').waitFor()
  expect(await focusedName()).toBe('Your comment')
  await tabTo('Reply to ada')
  await page.keyboard.press('Enter')
  await expect.poll(focusedName).toBe('Your reply to ada')
  await page.keyboard.press('Escape')
  await expect.poll(focusedName).toBe('Reply to ada')
  await page.keyboard.press('Enter')
  await expect.poll(focusedName).toBe('Your reply to ada')
  await page.keyboard.type('A great deal')
  await tabTo('Reply')
  await page.keyboard.press('Enter')
  await expect.poll(focusedName).toBe('Comment by bob')
  await page.getByRole('button', { name: 'Hide replies' }).waitFor()
  const tree = (await site.call(`GET /videos/${openVideo.uuid}/comment-threads/${parent}`)).json
  expect(tree.children.map((one: any) => one.comment.text)).toEqual(['A great deal'])
  expect((await listThreads(openVideo)).data[0].text).toBe('jkl 123 typed by hand')
  await closeVisitors(visitor)
})

test('a held comment is visible to its author and the owner of the video only, until the owner approves it', async () => {
  const writer = await openVideoAs('bob', moderatedVideo)
  await writer.page.getByLabel('Your comment').fill('May I?')
  await writer.page.getByText('are reviewed before they appear').waitFor()
  await writer.page.getByRole('button', { name: 'Comment', exact: true }).click()
  await toast(writer.page, 'Your comment is awaiting review.').waitFor()
  await commentBy(writer.page, 'bob').getByText('Held for review: visible only to you').waitFor()
  expect(await writer.page.getByRole('button', { name: /Approve|Reply/ }).count()).toBe(0)
  const guest = await openVideoAs(null, moderatedVideo)
  await guest.page.getByText('No comments yet.').waitFor()

  const owner = await openVideoAs('ada', moderatedVideo)
  await commentBy(owner.page, 'bob').getByText('not visible to others yet').waitFor()
  await owner.page.getByRole('button', { name: 'Approve comment by bob' }).click()
  await toast(owner.page, 'Comment approved.').waitFor()
  expect(await owner.page.getByText('Held for review').count()).toBe(0)
  await guest.page.reload()
  await commentBy(guest.page, 'bob').getByText('May I?').waitFor()
  await closeVisitors(writer, guest, owner)
})

test('guests read comments and are linked to the login page; no form where comments are turned off', async () => {
  const guest = await openVideoAs(null, openVideo)
  await commentBy(guest.page, 'ada').waitFor()
  expect(await guest.page.getByRole('button', { name: /Reply to|Delete comment/ }).count()).toBe(0)
  expect(await guest.page.locator('.comments-guest a').getAttribute('href')).toBe(
    `/login?next=${encodeURIComponent(`/w/${openVideo.shortUUID}`)}`
  )
  const visitor = await openVideoAs('bob', closedVideo)
  await visitor.page.getByText('Comments are turned off.').waitFor()
  expect(await visitor.page.getByLabel('Your comment').count()).toBe(0)
  await closeVisitors(guest, visitor)
})

test('the password of a video unlocks its comments, too', async () => {
  await postComment(lockedVideo, ada, 'Only for friends')
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'bob', 'password1', `/w/${lockedVideo.shortUUID}`)
  await page.getByLabel('Video password').fill('secret')
  const refused: string[] = []
  page.on('response', answer => {
    if (answer.status() === 403) refused.push(answer.url())
  })
  await page.getByRole('button', { name: 'Watch' }).click()
  await commentBy(page, 'ada').getByText('Only for friends').waitFor()
  await page.getByRole('button', { name: 'Reply to ada' }).click()
  await page.getByLabel('Your reply to ada').fill('Like me')
  await page.keyboard.press('Control+Enter')
  await commentBy(page, 'bob').getByText('Like me').waitFor()
  await page.getByRole('button', { name: 'Like: 0', exact: true }).click()
  await expect.poll(async () => (await site.call(`GET /videos/${lockedVideo.uuid}`, { token: ada.token })).json.likes).toBe(1)
  expect(refused).toEqual([])
  await closeVisitors(visitor)
})

test('comments are paged and sorted; moderators may delete any; a refused comment shows an error and keeps its text', async () => {
  const ids: number[] = []
  for (let index = 1; index <= 20; index++) ids.push(await postComment(busyVideo, bob, `Number ${index}`))
  await postComment(busyVideo, ada, 'I agree', ids[6])
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, `/w/${busyVideo.shortUUID}`)
  const first = page.locator('.comments-list > li').first()
  await page.getByRole('heading', { name: '21 comments' }).waitFor()
  await expect.poll(async () => await page.locator('.comments-list > li').count()).toBe(15)
  await first.getByText('Number 20').waitFor()
  await page.getByRole('button', { name: 'Show more comments' }).click()
  await expect.poll(async () => await page.locator('.comments-list > li').count()).toBe(20)
  expect(await page.getByRole('button', { name: 'Show more comments' }).count()).toBe(0)
  await page.getByLabel('Sort comments').selectOption({ label: 'Oldest first' })
  await first.getByText('Number 1', { exact: true }).waitFor()
  await page.getByLabel('Sort comments').selectOption({ label: 'Most replies first' })
  await first.getByText('Number 7').waitFor()
  await page.getByLabel('Sort comments').selectOption({ label: 'Newest first' })
  await first.getByText('Number 20').waitFor()
  await first.getByRole('button', { name: 'Delete comment by bob' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await first.getByText('Number 19').waitFor()
  expect((await site.call(`GET /videos/${busyVideo.uuid}/comment-threads/${ids[19]}`)).json.comment.isDeleted).toBe(true)

  await site.call(`PUT /videos/${busyVideo.uuid}`, { token: ada.token, body: { commentsPolicy: 2 } })
  await page.getByLabel('Your comment').fill('One more')
  await page.getByRole('button', { name: 'Comment', exact: true }).click()
  await page.getByRole('alert').getByText('Comments are turned off.').waitFor()
  expect(await page.getByLabel('Your comment').inputValue()).toBe('One more')
  await closeVisitors(visitor)
})

test('a comment of other software is folded behind its warning, with links and pictures', async () => {
  const id = await postComment(openVideo, bob, 'The end of the film')
  await runQuery(sql`UPDATE comments SET note_summary = 'Spoiler' WHERE id = ${id}`)
  await runQuery(sql`INSERT INTO comment_attachments (comment_id, position, url, media_type, name, filename)
    VALUES (${id}, 0, 'https://far.example/cat.png', 'image/png', 'A cat', 'cat.png'), (${id}, 1, 'https://far.example/a.pdf', NULL, NULL, NULL)`)
  const reader = await openVideoAs(null, openVideo)
  const comment = commentBy(reader.page, 'bob').filter({ hasText: 'Spoiler' })
  await comment.getByText('Warning: Spoiler').waitFor()
  expect(await comment.getByText('The end of the film').isVisible()).toBe(false)
  await comment.getByText('Warning: Spoiler').click()
  await comment.getByText('The end of the film').waitFor()
  const attachments = comment.getByRole('list', { name: 'Attachments' }).getByRole('link')
  expect(await attachments.evaluateAll(links => links.map(link => link.getAttribute('href')))).toEqual([
    'https://far.example/cat.png',
    'https://far.example/a.pdf'
  ])
  expect(await comment.getByRole('img', { name: 'A cat' }).getAttribute('src')).toBe('/lazy-static/comment-attachments/cat.png')
  expect(await attachments.nth(1).textContent()).toBe('far.example/a.pdf')
  await reader.context.close()
})

test("PeerTube's address of a thread and a reply's own address open the thread and go to the comment", async () => {
  await site.call(`PUT /videos/${busyVideo.uuid}`, { token: ada.token, body: { commentsPolicy: 1 } })
  const thread = await postComment(busyVideo, bob, 'The linked thread')
  const reply = await postComment(busyVideo, ada, 'The linked reply', thread)
  for (let count = 0; count < 16; count++) await postComment(busyVideo, bob, `Later talk ${count}`)
  for (const [path, id] of [
    [`/w/${busyVideo.uuid};threadId=${thread}`, thread],
    [`/videos/watch/${busyVideo.uuid}/comments/${reply}`, reply]
  ] as const) {
    const visitor = await site.visit()
    const { page } = visitor
    await page.goto(path)
    await page.getByText('The linked reply').waitFor()
    const comment = page.locator(`#comment-${id}`)
    await expect.poll(async () => await comment.evaluate(element => element === document.activeElement)).toBe(true)
    await expect
      .poll(
        async () =>
          await comment.evaluate(element => element.getBoundingClientRect().top < innerHeight && element.getBoundingClientRect().bottom > 0)
      )
      .toBe(true)
    expect(await page.locator(`#comment-${thread}`).count()).toBe(1)
    expect(new URL(page.url()).pathname).toBe(`/w/${busyVideo.shortUUID}`)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})
