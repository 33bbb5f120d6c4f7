import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { startPeerInstance, type PeerInstance } from '../../server/test/peer-instance.ts'
import { eventually } from '../../server/test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, logInThroughForm, openTestSite, type TestSite, type Visitor } from './site.ts'

const TWO_QUALITIES = {
  transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': true, '480p': false, '720p': false, '1080p': false } }
}

/** `other` publishes a video; `site`, whose pages are tested, follows it. */
let site: TestSite
let other: PeerInstance
let publisher: Awaited<ReturnType<TestSite['user']>>
let video: { uuid: string; shortUUID: string }
/** The errors of a visitor, except requests for the files of the video on its own server. */
const unexpectedErrors = (visitor: Visitor) =>
  visitor.pageErrors.filter(error => !error.startsWith(`request to another site: ${other.url}/static/`))

beforeAll(async () => {
  ;[site, other] = await Promise.all([
    openTestSite({ ...TWO_QUALITIES, followers: { instance: { manual_approval: true } } }),
    startPeerInstance(TWO_QUALITIES)
  ])
  publisher = await other.user('maker')
  await site.user('viewer')
  const root = await site.login()
  await site.call('POST /server/following', { token: root, body: { hosts: [other.host] } })
  await eventually(
    async () => (await site.call('GET /server/following')).json.data.some(({ state }: any) => state === 'accepted'),
    30,
    'the follow'
  )
  video = await uploadVideo(
    other,
    publisher,
    { name: 'A film from elsewhere', description: 'Far *away*' },
    await makeFootageBytes({ seconds: 20, size: '640x360' })
  )
  await waitForTranscoding(other, publisher, video.uuid)
  await eventually(
    async () => (await site.call(`GET /videos/${video.uuid}`)).json.streamingPlaylists?.[0]?.files.length === 3,
    30,
    'the video with both qualities and the audio'
  )
}, 240_000)
afterAll(async () => {
  await other?.stop()
  await site?.stop()
})

test('a remote video is listed with its thumbnail and plays from its own server', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  const card = page.getByRole('link', { name: 'A film from elsewhere' })
  await card.waitFor()
  await expect
    .poll(
      async () =>
        await page
          .locator('.card img')
          .first()
          .evaluate((image: HTMLImageElement) => image.naturalWidth)
    )
    .toBeGreaterThan(100)
  await card.click()
  await page.getByRole('heading', { name: 'A film from elsewhere' }).waitFor()
  await page.getByRole('button', { name: 'Play' }).first().click()
  const playing = await expectVideoToPlay(page, 1)
  expect([playing.error, playing.height > 0]).toEqual([null, true])
  expect(visitor.pageErrors.some(error => error.startsWith(`request to another site: ${other.url}/static/streaming-playlists/`))).toBe(true)
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.5)
  expect(unexpectedErrors(visitor)).toEqual([])
  await visitor.context.close()
})

test('search finds a remote channel by its handle and a remote video by its URL', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'viewer', 'password1')
  await page.getByRole('link', { name: 'Search' }).click()
  await page.getByLabel('Search or paste a link').fill(`maker_channel@${other.host}`)
  await page.getByRole('main').getByRole('button', { name: 'Search' }).click()
  await page.getByRole('link', { name: /maker_channel@/ }).click()
  await page.getByRole('link', { name: 'A film from elsewhere' }).waitFor()
  await page.goto(`/search?search=${encodeURIComponent(`${other.url}/w/${video.shortUUID}`)}`)
  await page.getByRole('link', { name: 'A film from elsewhere' }).waitFor()
  await page.goto(`/search?search=${encodeURIComponent(`${other.url}/w/nothing`)}`)
  await page.getByRole('heading', { name: 'No results found' }).waitFor()
  await page.getByText('The other server doesn’t have this video.').waitFor()
  expect(unexpectedErrors(visitor)).toEqual([])
  await visitor.context.close()
})

test('comments and likes reach the server of the video, and a reply from there is shown here', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'viewer', 'password1', `/w/${video.shortUUID}`)
  await page.getByLabel('Your comment').fill('Greetings from *here*')
  await page.getByRole('button', { name: 'Comment', exact: true }).click()
  await page.getByRole('status').getByText('Comment posted.').waitFor()
  await page.getByRole('button', { name: 'Like: 0', exact: true }).click()
  await page.getByRole('button', { name: 'Like: 1', exact: true, pressed: true }).waitFor()
  const listRemoteThreads = async () => (await other.call(`GET /videos/${video.uuid}/comment-threads`)).json
  const [remoteComment] = await eventually(
    async () => {
      const { data } = await listRemoteThreads()
      return data.length > 0 && data
    },
    20,
    'the comment'
  )
  expect(remoteComment).toMatchObject({
    html: '<p>Greetings from <em>here</em></p>',
    account: { name: 'viewer', host: new URL(site.url).host }
  })
  await eventually(async () => (await other.call(`GET /videos/${video.uuid}`)).json.likes === 1, 20, 'the like')
  const remotePage = await site.browser.newPage({ baseURL: other.url, locale: 'en-GB' })
  await remotePage.goto(`/w/${video.shortUUID}`)
  await remotePage
    .getByRole('article', { name: 'Comment by viewer' })
    .getByText(`viewer@${new URL(site.url).host}`)
    .waitFor()
  await remotePage.getByRole('link', { name: 'Like: 1', exact: true }).waitFor()
  await remotePage.close()

  await other.call(`POST /videos/${video.uuid}/comments/${remoteComment.id}`, {
    token: publisher.token,
    body: { text: 'And from **there**' }
  })
  await eventually(
    async () => (await site.call(`GET /videos/${video.uuid}/comment-threads`)).json.data[0].totalReplies === 1,
    20,
    'the reply'
  )
  await page.reload()
  await page.getByRole('button', { name: 'Show 1 reply' }).click()
  const reply = page.getByRole('article', { name: 'Comment by maker' })
  expect(await reply.locator('.prose').innerHTML()).toBe('<p>And from <strong>there</strong></p>')
  await reply.getByText(`maker@${other.host}`).waitFor()
  await reply.getByText('Author').waitFor()
  await reply.getByRole('link', { name: 'maker' }).click()
  await page.getByRole('heading', { name: 'maker', exact: true }).waitFor()
  expect(new URL(page.url()).pathname).toBe(`/a/maker@${other.host}`)

  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Delete comment by viewer' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('This comment was deleted.').waitFor()
  await eventually(async () => (await listRemoteThreads()).data[0].isDeleted, 20, 'the deletion of the comment')
  expect(unexpectedErrors(visitor)).toEqual([])
  await visitor.context.close()
})

test('an administrator follows instances, accepts, rejects and removes followers, and sees the state of other instances', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto('/admin/federation')
  await page.waitForURL('**/login?next=%2Fadmin%2Ffederation')
  await logInThroughForm(page, 'viewer', 'password1', '/admin/federation')
  await page.getByRole('heading', { name: 'Only administrators can view this page' }).waitFor()
  await page.evaluate(() => localStorage.clear())
  await logInThroughForm(page, 'root', site.rootPassword)
  await page.getByRole('button', { name: /Account menu/ }).click()
  await page.getByRole('menuitem', { name: 'Administration' }).click()
  await page.getByRole('link', { name: 'Federation' }).click()
  const listItem = (name: string) => page.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) })
  await listItem(other.host).getByText('Accepted').waitFor()
  await page.getByLabel('Follow instances').fill('no host at all!')
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await page.getByRole('alert').getByText('all!').waitFor()
  await page.getByLabel('Follow instances').fill(`nobody@${other.host}`)
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await listItem(`nobody@${other.host}`).getByText('Searching', { exact: true }).waitFor()
  await page.getByRole('button', { name: `Cancel following nobody@${other.host}` }).click()
  await expect.poll(async () => await listItem(`nobody@${other.host}`).count()).toBe(0)
  await page.getByLabel('Follow instances').fill(`@maker_channel@${other.host}`)
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await listItem(`maker_channel@${other.host}`).getByText('Accepted').waitFor()
  await page.getByRole('button', { name: `Unfollow maker_channel@${other.host}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Unfollow' }).click()
  await expect.poll(async () => await listItem(`maker_channel@${other.host}`).count()).toBe(0)

  await page.getByRole('tab', { name: 'Followers' }).click()
  await page.getByText('No followers yet.').waitFor()
  await other.call('POST /server/following', { token: await other.login(), body: { hosts: [new URL(site.url).host] } })
  const followStatesOnOther = async () => (await other.call('GET /server/following')).json.data.map(({ state }: any) => state)
  await eventually(async () => (await site.call('GET /server/followers')).json.total === 1, 20, 'the follower')
  await page.reload()
  await listItem(other.host).getByText('Pending').waitFor()
  await page.getByRole('button', { name: `Accept ${other.host}` }).click()
  await listItem(other.host).getByText('Accepted').waitFor()
  await expect.poll(followStatesOnOther).toEqual(['accepted'])

  await page.getByRole('tab', { name: 'Instances' }).click()
  await listItem(other.host).getByText('Healthy').waitFor()
  await listItem(other.host).getByText('none', { exact: true }).waitFor()
  await page.getByRole('button', { name: `Retry now: ${other.host}` }).click()
  await page.getByRole('status').getByText('Retrying').waitFor()
  await page.getByRole('button', { name: `Resend missed updates to ${other.host}` }).click()
  await page.getByRole('status').getByText('being resent').waitFor()

  await page.getByRole('tab', { name: 'Instances' }).press('ArrowLeft')
  await page.getByRole('button', { name: `Reject ${other.host}` }).click()
  await listItem(other.host).getByText('Rejected').waitFor()
  await expect.poll(followStatesOnOther).toEqual(['rejected'])
  await page.getByRole('button', { name: `Remove ${other.host}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('No followers yet.').waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

for (const width of [390, 1280])
  test(`an administrator has activities without effect processed again at ${width} pixels, with the keyboard`, async () => {
    const [like, follow] = [`${other.url}/likes/${width}`, `${site.url}/follows/${width}`]
    const actor = `${other.url}/accounts/peertube`
    const body = JSON.stringify({ id: like, type: 'Like', actor, object: `${site.url}/w/nothing`, content: 'a secret' })
    await runQuery(sql`
      INSERT INTO ineffective_activities (activity_key, digest, type, actor, signer, proof, host, subject, body, reason, received_at)
      VALUES (${like}, '', 'Like', ${actor}, ${actor}, 'http', ${other.host}, 'x', ${body}, 'dropped: as it was then', now())`)
    await runQuery(sql`
      INSERT INTO outgoing (actor, type, activity, audience, lane, subject, set_aside_at, sign_error)
      VALUES (${`${site.url}/accounts/keyless`}, 'Follow', ${JSON.stringify({ id: follow })}::jsonb, '{}', 0, 'x', now(), 'It has no key')`)
    const visitor = await site.visit({ viewport: { width, height: 800 }, reducedMotion: 'reduce' })
    const { page } = visitor
    await logInThroughForm(page, 'root', site.rootPassword, '/admin/federation?tab=peers')
    await page.getByRole('tab', { name: 'Instances' }).press('ArrowRight')
    const tab = page.getByRole('tab', { name: 'Without effect', selected: true })
    // Also where the page is opened at this tab, which a phone has no room for beside the others.
    await page.reload()
    await expect.poll(async () => await tab.evaluate(element => element.getBoundingClientRect().right <= innerWidth)).toBe(true)
    const listItem = (text: string) => page.getByRole('listitem').filter({ has: page.getByText(text, { exact: true }) })
    await listItem(like).getByText('as it was then', { exact: true }).waitFor()
    await listItem(like).getByText('Refused', { exact: true }).waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)
    expect(await page.getByText('secret').count()).toBe(0)
    await page.getByRole('button', { name: `Process again: Like ${like}` }).press('Enter')
    await page.getByRole('status').getByText('processed again').waitFor()
    await listItem(like).getByText('Not applicable', { exact: true }).waitFor()
    await page.getByRole('button', { name: `Try again: Follow ${follow}` }).press('Enter')
    await page.getByRole('status').getByText('Trying again.').waitFor()
    await expect.poll(async () => await listItem(follow).count()).toBe(0)
    await runQuery(sql`DELETE FROM outgoing WHERE subject = 'x'`)
    await runQuery(sql`DELETE FROM ineffective_activities`)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  })

test('a video deleted on its server disappears here', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  await page.getByRole('link', { name: 'A film from elsewhere' }).waitFor()
  expect((await other.call(`DELETE /videos/${video.uuid}`, { token: publisher.token })).status).toBe(204)
  await eventually(async () => (await site.call(`GET /videos/${video.uuid}`)).status === 404, 20, 'the deletion')
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('heading', { name: 'This video doesn’t exist' }).waitFor()
  await page.goto('/')
  await page.getByRole('heading', { name: 'No videos yet' }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('an unreachable instance is shown as failing, with its pending messages', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await other.kill()
  await site.call('POST /users/me/subscriptions', {
    token: await site.login('viewer', 'password1'),
    body: { uri: `maker_channel@${other.host}` }
  })
  await logInThroughForm(page, 'root', site.rootPassword, '/admin/federation?tab=peers')
  const item = page.getByRole('listitem').filter({ hasText: other.host })
  await item.getByText(/Failing|Paused/).waitFor()
  await item.getByText(/^1 message, /).waitFor()
  await item.getByText(/in a row/).waitFor()
  await other.start()
  await page.getByRole('button', { name: `Retry now: ${other.host}` }).click()
  await item.getByText('Healthy').waitFor({ timeout: 20_000 })
  await item.getByText('none', { exact: true }).waitFor()
  expect((await other.call('GET /video-channels/maker_channel')).json.followersCount).toBe(1)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
