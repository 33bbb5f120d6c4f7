import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, logInThroughForm, openTestSite, type TestSite } from './site.ts'

type VideoIds = { id: number; uuid: string; shortUUID: string }
let site: TestSite
const videos: Record<string, VideoIds> = {}

beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  await site.user('bob')
  const bytes = await makeFootageBytes({ seconds: 8, size: '426x240' })
  for (const [name, privacy] of Object.entries({ unlisted: 2, private: 3, internal: 4, password: 5 })) {
    videos[name] = await uploadVideo(
      site,
      ada,
      {
        name: `Secret ${name} film`,
        description: `Hidden ${name} words`,
        privacy,
        ...(privacy === 5 ? { videoPasswords: ['open sesame'] } : {})
      },
      bytes
    )
  }
  for (const { id } of Object.values(videos)) await waitForTranscoding(site, ada, id)
}, 180_000)
afterAll(async () => await site.stop())

test('pages of restricted videos contain nothing of them, under any of their URLs', async () => {
  for (const name of ['private', 'internal', 'password']) {
    const { id, uuid, shortUUID } = videos[name]!
    // A UUID is redirected to its short form, whether the video exists or not.
    for (const [path, status] of [
      [`/w/${shortUUID}`, 404],
      [`/w/${uuid}`, 301],
      [`/w/${id}`, 404],
      [`/videos/embed/${uuid}`, 404]
    ] as const) {
      const response = await site.call(`GET /${path}`)
      expect(response.status, path).toBe(status)
      expect(response.text, path).not.toMatch(/Secret|Hidden|streaming-playlists|previews|thumbnails/)
    }
  }
})

test('an unlisted video opens by its link and is marked noindex', async () => {
  const { id, shortUUID } = videos.unlisted!
  const { status, text } = await site.call(`GET //w/${shortUUID}`)
  expect(status).toBe(200)
  expect(text).toContain('Secret unlisted film')
  expect(text).toContain('<meta name="robots" content="noindex">')
  expect(text).not.toContain('rel="canonical"')
  expect((await site.call(`GET //w/${id}`)).status).toBe(404)
})

test('the right password unlocks a video, a wrong one does not', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${videos.password!.shortUUID}`)
  await page.getByRole('heading', { name: 'This video is password protected' }).waitFor()
  expect(await page.title()).not.toContain('Secret')
  await page.getByLabel('Video password').fill('let me in')
  await page.getByRole('button', { name: 'Watch' }).click()
  await page.getByText('Incorrect password.').waitFor()
  await page.getByLabel('Video password').fill('open sesame')
  await page.getByRole('button', { name: 'Watch' }).click()
  await page.getByRole('heading', { name: 'Secret password film' }).waitFor()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page)
  await page.reload()
  await page.getByRole('heading', { name: 'Secret password film' }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a private video asks guests to log in and is shown to its owner only', async () => {
  const path = `/w/${videos.private!.shortUUID}`
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(path)
  await page.getByRole('heading', { name: 'Log in to watch this video' }).waitFor()
  await page.getByRole('main').getByRole('link', { name: 'Log in' }).click()
  await page.getByLabel('Username or email').fill('bob')
  await page.getByLabel('Password', { exact: true }).fill('password1')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'You don’t have permission to watch this video' }).waitFor()
  expect(page.url()).toBe(site.url + path)
  await page.getByRole('button', { name: 'Account menu, bob' }).click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  await page.getByRole('link', { name: 'Log in' }).waitFor()
  await logInThroughForm(page, 'ada', 'password1', path)
  await page.getByRole('heading', { name: 'Secret private film' }).waitFor()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('an internal video plays for every user of the instance', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'bob', 'password1', `/w/${videos.internal!.shortUUID}`)
  await page.getByRole('heading', { name: 'Secret internal film' }).waitFor()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a video made private while its owner has it open still plays for the owner, and not for others', async () => {
  const owner = await site.visit()
  await logInThroughForm(owner.page, 'ada', 'password1', `/w/${videos.unlisted!.shortUUID}`)
  await owner.page.getByRole('heading', { name: 'Secret unlisted film' }).waitFor()
  const token = await site.login('ada', 'password1')
  await site.call(`PUT /videos/${videos.unlisted!.uuid}`, { token, body: { privacy: 3 } })
  const stranger = await site.visit()
  await stranger.page.goto(`/w/${videos.unlisted!.shortUUID}`)
  await stranger.page.getByRole('heading', { name: 'Log in to watch this video' }).waitFor()
  await owner.page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(owner.page)
  await owner.context.close()
  await stranger.context.close()
})
