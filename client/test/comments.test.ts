import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite, type Visitor } from './site.ts'

type Names = { id: number; uuid: string; shortUUID: string }
type User = Awaited<ReturnType<TestSite['user']>>

let site: TestSite
let ada: User
let bob: User
let open: Names
let strict: Names
let closed: Names
let busy: Names
let locked: Names
beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  ada = await site.user('ada')
  bob = await site.user('bob')
  const bytes = await makeFootageBytes({ seconds: 2, size: '426x240' })
  open = await uploadVideo(site, ada, { name: 'A film to talk about' }, bytes)
  strict = await uploadVideo(site, ada, { name: 'A film with care', commentsPolicy: 3 }, bytes)
  closed = await uploadVideo(site, ada, { name: 'A film in silence', commentsPolicy: 2 }, bytes)
  busy = await uploadVideo(site, ada, { name: 'A film of the town' }, bytes)
  locked = await uploadVideo(site, ada, { name: 'A locked film', privacy: 5, videoPasswords: ['secret'] }, bytes)
  for (const { id } of [open, strict, closed, busy, locked]) await waitForTranscoding(site, ada, id)
}, 180_000)
afterAll(async () => await site?.stop())

const say = async (video: Names, user: User, text: string, parent?: number): Promise<number> =>
  (
    await site.call(`POST /videos/${video.uuid}/${parent === undefined ? 'comment-threads' : `comments/${parent}`}`, {
      token: user.token,
      body: { text }
    })
  ).json.comment.id
const threads = async (video: Names) => (await site.call(`GET /videos/${video.uuid}/comment-threads`)).json
const told = (page: Page, text: string) => page.getByRole('status').getByText(text)
const comment = (page: Page, name: string) => page.getByRole('article', { name: `Comment by ${name}` })
const enter = async (name: string | null, video: Names): Promise<Visitor> => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  if (name) await logInThroughForm(visitor.page, name, 'password1', `/w/${video.shortUUID}`)
  else await visitor.page.goto(`/w/${video.shortUUID}`)
  await visitor.page.getByRole('heading', { name: /comment/i }).waitFor()
  return visitor
}
const leave = async (...visitors: Visitor[]) => {
  for (const visitor of visitors) {
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
}

test('a person writes, the owner answers, both delete; what is written is never run', async () => {
  const writer = await enter('bob', open)
  const { page } = writer
  await page.getByText('Nobody has said anything yet.').waitFor()
  await page.getByLabel('Your comment').fill('A **fine** film <img src=x onerror=alert(1)> [here](javascript:alert(1))')
  await page.getByRole('button', { name: 'Comment', exact: true }).click()
  await told(page, 'Your comment is published.').waitFor()
  await page.getByRole('heading', { name: '1 comment' }).waitFor()
  expect(await comment(page, 'bob').locator('.prose').innerHTML()).toBe(
    '<p>A <strong>fine</strong> film &lt;img src=x onerror=alert(1)&gt; [here](javascript:alert(1))</p>'
  )
  expect(await page.getByLabel('Your comment').inputValue()).toBe('')

  const owner = await enter('ada', open)
  await owner.page.getByRole('button', { name: 'Reply to bob' }).click()
  await owner.page.getByLabel('Your reply to bob').fill('Thank you')
  await comment(owner.page, 'bob').getByRole('button', { name: 'Reply', exact: true }).click()
  await comment(owner.page, 'ada').getByText('Owner').waitFor()
  await expect.poll(async () => await owner.page.evaluate(() => document.activeElement!.getAttribute('aria-label'))).toBe('Comment by ada')
  await owner.page.getByRole('heading', { name: '2 comments' }).waitFor()

  await page.reload()
  await page.getByRole('button', { name: 'Show 1 reply' }).click()
  await comment(page, 'ada').getByText('Thank you').waitFor()
  expect(await page.getByRole('button', { name: 'Delete the comment by ada' }).count()).toBe(0)
  await page.getByRole('button', { name: 'Delete the comment by bob' }).click()
  await page.getByRole('dialog', { name: 'Delete this comment?' }).getByRole('button', { name: 'Delete' }).click()
  await page.getByText('This comment was deleted.').waitFor()
  await page.getByRole('heading', { name: '1 comment' }).waitFor()
  expect(await threads(open)).toMatchObject({ totalNotDeletedComments: 1, data: [{ isDeleted: true, text: '' }] })

  await owner.page.reload()
  await owner.page.getByRole('button', { name: 'Show 1 reply' }).click()
  await owner.page.getByRole('button', { name: 'Delete the comment by ada' }).click()
  await owner.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await owner.page.getByText('Nobody has said anything yet.').waitFor()
  expect(await owner.page.evaluate(() => document.activeElement!.id)).toBe('comments-title')
  await leave(writer, owner)
})

test('without a mouse: a comment, an answer that is given up, an answer that is sent', async () => {
  const parent = await say(open, ada, 'What do you think?')
  const visitor = await enter('bob', open)
  const { page } = visitor
  const focused = async () =>
    await page.evaluate(() => {
      const { activeElement: one } = document
      return one?.getAttribute('aria-label') ?? (one as HTMLTextAreaElement | null)?.labels?.[0]?.textContent ?? one?.textContent
    })
  const tabTo = async (name: string) => {
    for (let index = 0; index < 40 && (await focused()) !== name; index++) await page.keyboard.press('Tab')
    expect(await focused()).toBe(name)
  }
  await comment(page, 'ada').waitFor()
  await page.locator('#comments-title').focus()
  await tabTo('Your comment')
  await page.keyboard.type('jkl 123 typed by hand')
  await page.keyboard.press('Control+Enter')
  await told(page, 'Your comment is published.').waitFor()
  expect(await focused()).toBe('Your comment')
  await tabTo('Reply to ada')
  await page.keyboard.press('Enter')
  await expect.poll(focused).toBe('Your reply to ada')
  await page.keyboard.press('Escape')
  await expect.poll(focused).toBe('Reply to ada')
  await page.keyboard.press('Enter')
  await expect.poll(focused).toBe('Your reply to ada')
  await page.keyboard.type('A great deal')
  await tabTo('Reply')
  await page.keyboard.press('Enter')
  await expect.poll(focused).toBe('Comment by bob')
  await page.getByRole('button', { name: 'Hide replies' }).waitFor()
  const tree = (await site.call(`GET /videos/${open.uuid}/comment-threads/${parent}`)).json
  expect(tree.children.map((one: any) => one.comment.text)).toEqual(['A great deal'])
  expect((await threads(open)).data[0].text).toBe('jkl 123 typed by hand')
  await leave(visitor)
})

test('what is held for review is seen by its author and the owner alone, until the owner approves it', async () => {
  const writer = await enter('bob', strict)
  await writer.page.getByLabel('Your comment').fill('May I?')
  await writer.page.getByText('reads comments before others see them').waitFor()
  await writer.page.getByRole('button', { name: 'Comment', exact: true }).click()
  await told(writer.page, 'Your comment waits for review.').waitFor()
  await comment(writer.page, 'bob').getByText('Held for review: only you').waitFor()
  expect(await writer.page.getByRole('button', { name: /Approve|Reply/ }).count()).toBe(0)
  const guest = await enter(null, strict)
  await guest.page.getByText('Nobody has said anything yet.').waitFor()

  const owner = await enter('ada', strict)
  await comment(owner.page, 'bob').getByText('nobody else can see it yet').waitFor()
  await owner.page.getByRole('button', { name: 'Approve the comment by bob' }).click()
  await told(owner.page, 'Everybody can see the comment now.').waitFor()
  expect(await owner.page.getByText('Held for review').count()).toBe(0)
  await guest.page.reload()
  await comment(guest.page, 'bob').getByText('May I?').waitFor()
  await leave(writer, guest, owner)
})

test('a guest reads, is led to the door, and finds nothing to press; where comments are off nobody writes', async () => {
  const guest = await enter(null, open)
  await comment(guest.page, 'ada').waitFor()
  expect(await guest.page.getByRole('button', { name: /Reply to|Delete the comment/ }).count()).toBe(0)
  expect(await guest.page.locator('.comments-guest a').getAttribute('href')).toBe(
    `/login?next=${encodeURIComponent(`/w/${open.shortUUID}`)}`
  )
  const visitor = await enter('bob', closed)
  await visitor.page.getByText('Comments are switched off for this video.').waitFor()
  expect(await visitor.page.getByLabel('Your comment').count()).toBe(0)
  await leave(guest, visitor)
})

test('below a video with a password the password opens the talk, too', async () => {
  await say(locked, ada, 'Only for friends')
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'bob', 'password1', `/w/${locked.shortUUID}`)
  await page.getByLabel('Password of the video').fill('secret')
  await page.getByRole('button', { name: 'Watch' }).click()
  await comment(page, 'ada').getByText('Only for friends').waitFor()
  await page.getByRole('button', { name: 'Reply to ada' }).click()
  await page.getByLabel('Your reply to ada').fill('Like me')
  await page.keyboard.press('Control+Enter')
  await comment(page, 'bob').getByText('Like me').waitFor()
  await page.getByRole('button', { name: 'Like: 0', exact: true }).click()
  await expect.poll(async () => (await site.call(`GET /videos/${locked.uuid}`, { token: ada.token })).json.likes).toBe(1)
  await leave(visitor)
})

test('a long talk comes in parts, in the order one wants; moderators may delete anything; a refusal is told and loses no word', async () => {
  const ids: number[] = []
  for (let index = 1; index <= 20; index++) ids.push(await say(busy, bob, `Number ${index}`))
  await say(busy, ada, 'I agree', ids[6])
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, `/w/${busy.shortUUID}`)
  const first = page.locator('.comments-list > li').first()
  await page.getByRole('heading', { name: '21 comments' }).waitFor()
  await expect.poll(async () => await page.locator('.comments-list > li').count()).toBe(15)
  await first.getByText('Number 20').waitFor()
  await page.getByRole('button', { name: 'Show more comments' }).click()
  await expect.poll(async () => await page.locator('.comments-list > li').count()).toBe(20)
  expect(await page.getByRole('button', { name: 'Show more comments' }).count()).toBe(0)
  await page.getByLabel('Order of the comments').selectOption({ label: 'Oldest first' })
  await first.getByText('Number 1', { exact: true }).waitFor()
  await page.getByLabel('Order of the comments').selectOption({ label: 'Most replies first' })
  await first.getByText('Number 7').waitFor()
  await page.getByLabel('Order of the comments').selectOption({ label: 'Newest first' })
  await first.getByText('Number 20').waitFor()
  await first.getByRole('button', { name: 'Delete the comment by bob' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await first.getByText('Number 19').waitFor()
  expect((await site.call(`GET /videos/${busy.uuid}/comment-threads/${ids[19]}`)).json.comment.isDeleted).toBe(true)

  await site.call(`PUT /videos/${busy.uuid}`, { token: ada.token, body: { commentsPolicy: 2 } })
  await page.getByLabel('Your comment').fill('One more')
  await page.getByRole('button', { name: 'Comment', exact: true }).click()
  await page.getByRole('alert').getByText('Comments are switched off').waitFor()
  expect(await page.getByLabel('Your comment').inputValue()).toBe('One more')
  await leave(visitor)
})
