import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPeerInstance, type PeerInstance } from '../../server/test/peer-instance.ts'
import { eventually } from '../../server/test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, logInThroughForm, openTestSite, type TestSite, type Visitor } from './site.ts'

const LIGHT = {
  transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': true, '480p': false, '720p': false, '1080p': false } }
}

/** The other server publishes; the site, whose pages are looked at, follows it. */
let site: TestSite
let other: PeerInstance
let maker: Awaited<ReturnType<TestSite['user']>>
let video: { uuid: string; shortUUID: string }
/** What went wrong, apart from asking the video's own server for it. */
const faults = (visitor: Visitor) => visitor.faults.filter(fault => !fault.startsWith(`asked another site: ${other.url}/static/`))

beforeAll(async () => {
  ;[site, other] = await Promise.all([
    openTestSite({ ...LIGHT, followers: { instance: { manual_approval: true } } }),
    startPeerInstance(LIGHT)
  ])
  maker = await other.user('maker')
  await site.user('viewer')
  const root = await site.login()
  await site.call('POST /server/following', { token: root, body: { hosts: [other.host] } })
  await eventually(
    async () => (await site.call('GET /server/following')).json.data.some((one: any) => one.state === 'accepted'),
    30,
    'the follow'
  )
  video = await uploadVideo(
    other,
    maker,
    { name: 'A film from elsewhere', description: 'Far *away*' },
    await makeFootageBytes({ seconds: 20, size: '640x360' })
  )
  await waitForTranscoding(other, maker, video.uuid)
  await eventually(
    async () => (await site.call(`GET /videos/${video.uuid}`)).json.streamingPlaylists?.[0]?.files.length === 3,
    30,
    'the video with both pictures and the sound'
  )
}, 240_000)
afterAll(async () => {
  await other?.stop()
  await site?.stop()
})

test('a video of another server is in the list with its picture, and plays in our page from there', async () => {
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
  const shown = await expectVideoToPlay(page, 1)
  expect([shown.error, shown.height > 0]).toEqual([null, true])
  expect(visitor.faults.some(fault => fault.startsWith(`asked another site: ${other.url}/static/streaming-playlists/`))).toBe(true)
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.5)
  expect(faults(visitor)).toEqual([])
  await visitor.context.close()
})

test('search finds a channel by its handle and a video by its address, and the channel has a page', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'viewer', 'password1')
  await page.getByRole('link', { name: 'Search' }).click()
  await page.getByLabel('Search, or paste an address').fill(`maker_channel@${other.host}`)
  await page.getByRole('main').getByRole('button', { name: 'Search' }).click()
  await page.getByRole('link', { name: /maker_channel@/ }).click()
  await page.getByRole('link', { name: 'A film from elsewhere' }).waitFor()
  await page.goto(`/search?search=${encodeURIComponent(`${other.url}/w/${video.shortUUID}`)}`)
  await page.getByRole('link', { name: 'A film from elsewhere' }).waitFor()
  await page.goto(`/search?search=${encodeURIComponent(`${other.url}/w/nothing`)}`)
  await page.getByRole('heading', { name: 'Nothing found' }).waitFor()
  expect(faults(visitor)).toEqual([])
  await visitor.context.close()
})

test('what is said and liked here counts there, what is answered there is read here', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'viewer', 'password1', `/w/${video.shortUUID}`)
  await page.getByLabel('Your comment').fill('Greetings from *here*')
  await page.getByRole('button', { name: 'Comment', exact: true }).click()
  await page.getByRole('status').getByText('Your comment is published.').waitFor()
  await page.getByRole('button', { name: 'Like: 0', exact: true }).click()
  await page.getByRole('button', { name: 'Like: 1', exact: true, pressed: true }).waitFor()
  const there = async () => (await other.call(`GET /videos/${video.uuid}/comment-threads`)).json
  const [said] = await eventually(
    async () => {
      const { data } = await there()
      return data.length > 0 && data
    },
    20,
    'the comment'
  )
  expect(said).toMatchObject({ html: '<p>Greetings from <em>here</em></p>', account: { name: 'viewer', host: new URL(site.url).host } })
  await eventually(async () => (await other.call(`GET /videos/${video.uuid}`)).json.likes === 1, 20, 'the like')
  const abroad = await site.browser.newPage({ baseURL: other.url, locale: 'en-GB' })
  await abroad.goto(`/w/${video.shortUUID}`)
  await abroad
    .getByRole('article', { name: 'Comment by viewer' })
    .getByText(`viewer@${new URL(site.url).host}`)
    .waitFor()
  await abroad.getByRole('link', { name: 'Like: 1', exact: true }).waitFor()
  await abroad.close()

  await other.call(`POST /videos/${video.uuid}/comments/${said.id}`, { token: maker.token, body: { text: 'And from **there**' } })
  await eventually(
    async () => (await site.call(`GET /videos/${video.uuid}/comment-threads`)).json.data[0].totalReplies === 1,
    20,
    'the answer'
  )
  await page.reload()
  await page.getByRole('button', { name: 'Show 1 reply' }).click()
  const answer = page.getByRole('article', { name: 'Comment by maker' })
  expect(await answer.locator('.prose').innerHTML()).toBe('<p>And from <strong>there</strong></p>')
  await answer.getByText(`maker@${other.host}`).waitFor()
  await answer.getByText('Owner').waitFor()
  await answer.getByRole('link', { name: 'maker' }).click()
  await page.getByRole('heading', { name: 'maker', exact: true }).waitFor()
  expect(new URL(page.url()).pathname).toBe(`/a/maker@${other.host}`)

  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Delete the comment by viewer' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('This comment was deleted.').waitFor()
  await eventually(async () => (await there()).data[0].isDeleted, 20, 'the deletion of the comment')
  expect(faults(visitor)).toEqual([])
  await visitor.context.close()
})

test('an administrator follows, sees who follows and how the servers are, accepts and removes', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto('/admin/federation')
  await page.waitForURL('**/login?next=%2Fadmin%2Ffederation')
  await logInThroughForm(page, 'viewer', 'password1', '/admin/federation')
  await page.getByRole('heading', { name: 'This page is for administrators' }).waitFor()
  await page.evaluate(() => localStorage.clear())
  await logInThroughForm(page, 'root', site.rootPassword)
  await page.getByRole('button', { name: /Your menu/ }).click()
  await page.getByRole('menuitem', { name: 'Run this site' }).click()
  await page.getByRole('link', { name: 'Federation' }).click()
  const line = (name: string) => page.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) })
  await line(other.host).getByText('Accepted').waitFor()
  await page.getByLabel('Follow more servers').fill('no host at all!')
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await page.getByRole('alert').getByText('all!').waitFor()
  await page.getByLabel('Follow more servers').fill(`nobody@${other.host}`)
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await line(`nobody@${other.host}`).getByText('Nobody there').waitFor()
  await page.getByRole('button', { name: `Give up nobody@${other.host}` }).click()
  await expect.poll(async () => await line(`nobody@${other.host}`).count()).toBe(0)
  await page.getByLabel('Follow more servers').fill(`@maker_channel@${other.host}`)
  await page.getByRole('button', { name: 'Follow', exact: true }).click()
  await line(`maker_channel@${other.host}`).getByText('Accepted').waitFor()
  await page.getByRole('button', { name: `Unfollow maker_channel@${other.host}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Unfollow' }).click()
  await expect.poll(async () => await line(`maker_channel@${other.host}`).count()).toBe(0)

  await page.getByRole('tab', { name: 'Followers' }).click()
  await page.getByText('Nobody follows this site yet.').waitFor()
  await other.call('POST /server/following', { token: await other.login(), body: { hosts: [new URL(site.url).host] } })
  const theirs = async () => (await other.call('GET /server/following')).json.data.map((one: any) => one.state)
  await eventually(async () => (await site.call('GET /server/followers')).json.total === 1, 20, 'the follower')
  await page.reload()
  await line(other.host).getByText('Waiting').waitFor()
  await page.getByRole('button', { name: `Accept ${other.host}` }).click()
  await line(other.host).getByText('Accepted').waitFor()
  await expect.poll(theirs).toEqual(['accepted'])

  await page.getByRole('tab', { name: 'Servers' }).click()
  await line(other.host).getByText('All well').waitFor()
  await line(other.host).getByText('nothing').waitFor()
  await page.getByRole('button', { name: `Try now to reach ${other.host}` }).click()
  await page.getByRole('status').getByText('is tried again').waitFor()
  await page.getByRole('button', { name: `Send again to ${other.host}` }).click()
  await page.getByRole('status').getByText('is told again').waitFor()

  await page.getByRole('tab', { name: 'Servers' }).press('ArrowLeft')
  await page.getByRole('button', { name: `Reject ${other.host}` }).click()
  await line(other.host).getByText('Rejected').waitFor()
  await expect.poll(theirs).toEqual(['rejected'])
  await page.getByRole('button', { name: `Remove ${other.host}` }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click()
  await page.getByText('Nobody follows this site yet.').waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('what is deleted there vanishes here', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  await page.getByRole('link', { name: 'A film from elsewhere' }).waitFor()
  expect((await other.call(`DELETE /videos/${video.uuid}`, { token: maker.token })).status).toBe(204)
  await eventually(async () => (await site.call(`GET /videos/${video.uuid}`)).status === 404, 20, 'the deletion')
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('heading', { name: 'This video does not exist' }).waitFor()
  await page.goto('/')
  await page.getByRole('heading', { name: 'Nothing to watch yet' }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a server that does not answer is told to be in trouble, with what waits for it', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await other.kill()
  await site.call('POST /users/me/subscriptions', {
    token: await site.login('viewer', 'password1'),
    body: { uri: `maker_channel@${other.host}` }
  })
  await logInThroughForm(page, 'root', site.rootPassword, '/admin/federation?tab=peers')
  const line = page.getByRole('listitem').filter({ hasText: other.host })
  await line.getByText(/In trouble|Resting/).waitFor()
  await line.getByText(/^1 message, /).waitFor()
  await line.getByText(/in a row/).waitFor()
  await other.start()
  await page.getByRole('button', { name: `Try now to reach ${other.host}` }).click()
  await line.getByText('All well').waitFor({ timeout: 20_000 })
  await line.getByText('nothing', { exact: true }).waitFor()
  expect((await other.call('GET /video-channels/maker_channel')).json.followersCount).toBe(1)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
