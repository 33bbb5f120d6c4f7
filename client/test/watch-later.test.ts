import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { uploadVideo, waitForTranscoding } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, logInThroughForm, openTestSite, readVideoElement, type TestSite } from './site.ts'

type Ids = { id: number; uuid: string; shortUUID: string }
const MAX_ELEMENTS = 5

let site: TestSite
let videos: Ids[]
let locked: Ids
let owner: { token: string; channelId: number }
let tokens: Record<string, string>
beforeAll(async () => {
  site = await openTestSite({
    playlists: { max_elements: MAX_ELEMENTS },
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  owner = await site.user('ada')
  tokens = {}
  for (const name of ['bob', 'carl', 'dora', 'eve', 'finn']) tokens[name] = (await site.user(name)).token
  const bytes = await makeFootageBytes({ seconds: 20, size: '426x240' })
  videos = []
  for (const name of ['First film', 'Second film', 'Third film']) videos.push(await uploadVideo(site, owner, { name }, bytes))
  locked = await uploadVideo(site, owner, { name: 'Locked film', privacy: 5, videoPasswords: ['secret'] }, bytes)
  for (const { id } of [...videos, locked]) await waitForTranscoding(site, owner, id)
}, 180_000)
afterAll(async () => await site?.stop())

const watchLaterOf = async (token: string) => {
  const { specialPlaylists } = (await site.call('GET /users/me', { token })).json
  const id = specialPlaylists[0].id as number
  const { data } = (await site.call(`GET /video-playlists/${id}/videos`, { token })).json
  return { id, elements: data as { id: number; video: { name: string } | null }[] }
}
const namesOf = async (token: string) => (await watchLaterOf(token)).elements.map(({ video }) => video?.name)
const saveLater = async (token: string, { uuid }: Ids) =>
  await site.call(`POST /video-playlists/${(await watchLaterOf(token)).id}/videos`, { token, body: { videoId: uuid } })
/** The button once it knows whether the video is in the list. */
const laterButton = (page: Page, pressed?: boolean) =>
  page.getByRole('button', { name: 'Watch later', exact: true, pressed }).and(page.locator(':not([aria-busy])'))
const fitsScreen = async (page: Page) => await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)

test('guests are asked to log in; a user saves a video with the keyboard, finds it in the menu, and removes it again', async () => {
  const token = tokens.bob!
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' })
  const { page } = visitor
  const path = `/w/${videos[0]!.shortUUID}`
  await page.goto(path)
  const link = page.getByRole('link', { name: 'Watch later' })
  expect(await link.getAttribute('href')).toBe(`/login?next=${encodeURIComponent(path)}`)
  await page.getByRole('button', { name: 'Menu' }).click()
  expect(await page.getByRole('menuitem', { name: 'Watch later' }).count()).toBe(0)
  await page.keyboard.press('Escape')

  await logInThroughForm(page, 'bob', 'password1', path)
  await laterButton(page, false).focus()
  await page.keyboard.press('Enter')
  await laterButton(page, true).waitFor()
  expect(await namesOf(token)).toEqual(['First film'])
  expect(await fitsScreen(page)).toBe(true)
  await page.reload()
  await laterButton(page, true).waitFor()

  await page.getByRole('button', { name: /Account menu/ }).click()
  await page.getByRole('menuitem', { name: 'Watch later' }).click()
  await page.getByRole('heading', { name: 'Watch later', level: 1 }).waitFor()
  await page.locator('.watch-list').getByRole('link', { name: 'First film' }).waitFor()
  // The server cannot know who asks for the page, so the browser has to load what is private.
  await page.reload()
  await page.locator('.watch-list').getByRole('link', { name: 'First film' }).waitFor()
  expect(await page.title()).toBe('Watch later · Bobine')

  await page.goto(path)
  await laterButton(page, true).click()
  await laterButton(page, false).waitFor()
  expect(await namesOf(token)).toEqual([])
  await page.getByRole('button', { name: /Account menu/ }).click()
  await page.getByRole('menuitem', { name: 'Watch later' }).click()
  await page.getByText('Save videos with the button below the player').waitFor()
  expectNoPageErrors(visitor)

  const address = page.url()
  const stranger = await site.visit()
  await stranger.page.goto(address)
  await stranger.page.getByRole('heading', { name: 'Log in to see this playlist' }).waitFor()
  await logInThroughForm(stranger.page, 'eve', 'password1', new URL(address).pathname)
  await stranger.page.getByRole('heading', { name: 'You don’t have permission to see this playlist' }).waitFor()
  for (const { context } of [visitor, stranger]) await context.close()
})

test('what another tab did meanwhile, a full list and a server that fails are taken into account', async () => {
  const token = tokens.carl!
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'carl', 'password1', `/w/${videos[0]!.shortUUID}`)
  await laterButton(page, false).waitFor()
  await saveLater(token, videos[0]!)
  await laterButton(page, false).click()
  await laterButton(page, true).waitFor()
  expect(await namesOf(token)).toEqual(['First film'])
  // Saved twice by an app: removed altogether.
  await saveLater(token, videos[0]!)
  await laterButton(page, true).click()
  await laterButton(page, false).waitFor()
  expect(await namesOf(token)).toEqual([])

  // Two presses are one.
  await laterButton(page, false).dblclick()
  await laterButton(page, true).waitFor()
  expect(await namesOf(token)).toEqual(['First film'])
  const [element] = (await watchLaterOf(token)).elements
  await site.call(`DELETE /video-playlists/${(await watchLaterOf(token)).id}/videos/${element!.id}`, { token })
  await laterButton(page, true).click()
  await laterButton(page, false).waitFor()

  await page.route('**/video-playlists/*/videos', async route => await route.fulfill({ status: 500, json: { detail: 'A disk is full' } }))
  await laterButton(page, false).click()
  await page.getByRole('status').getByText('Something went wrong: A disk is full').waitFor()
  await laterButton(page, false).waitFor()
  await page.unroute('**/video-playlists/*/videos')
  for (let index = 0; index < MAX_ELEMENTS; index++) await saveLater(token, videos[1]!)
  await laterButton(page, false).click()
  await page.getByRole('status').getByText(`A playlist cannot have more than ${MAX_ELEMENTS} videos.`).waitFor()
  await laterButton(page, false).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a video that needs a password is saved by its owner only, whose list can show it', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'dora', 'password1', `/w/${locked.shortUUID}`)
  await page.locator('.unavailable-form input').fill('secret')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Share' }).waitFor()
  expect(await laterButton(page).count()).toBe(0)
  const other = await site.visit({ reducedMotion: 'reduce' })
  await logInThroughForm(other.page, 'ada', 'password1', `/w/${locked.shortUUID}`)
  await laterButton(other.page, false).click()
  await laterButton(other.page, true).waitFor()
  expect(await namesOf(owner.token)).toEqual(['Locked film'])
  for (const each of [visitor, other]) {
    expectNoPageErrors(each)
    await each.context.close()
  }
})

test('the owner removes videos from the list, also with the keyboard; what plays goes on', async () => {
  const token = tokens.finn!
  for (const video of [...videos, videos[0]!]) await saveLater(token, video)
  const { id } = await watchLaterOf(token)
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'finn', 'password1', `/w/p/${id}`)
  const items = page.locator('.playlist-element')
  const removeButton = (index: number) => items.nth(index).getByRole('button', { name: /^Remove from playlist: / })
  await expect.poll(async () => await items.count()).toBe(4)
  await page.getByText('4 videos').waitFor()
  expect(await fitsScreen(page)).toBe(true)
  await items.nth(2).getByRole('link', { name: 'Third film' }).click()
  await page.getByRole('region', { name: /Third film/ }).waitFor()
  await expectVideoToPlay(page, 0.3)
  await page.locator('video').evaluate(video => video.setAttribute('data-same', ''))

  // One before the one that plays: it goes on, and a reload finds it.
  await removeButton(0).focus()
  await page.keyboard.press('Enter')
  await expect.poll(async () => await items.count()).toBe(3)
  await page.getByRole('status').getByText('Removed from the playlist.').waitFor()
  await page.getByText('3 videos').waitFor()
  expect(await namesOf(token)).toEqual(['Second film', 'Third film', 'First film'])
  expect(new URL(page.url()).search).toBe('?playlistPosition=2')
  expect(await items.nth(1).getAttribute('aria-current')).toBe('true')
  expect(await page.locator('video[data-same]').count()).toBe(1)
  expect((await readVideoElement(page)).paused).toBe(false)
  expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Remove from playlist: Second film')

  // The one that plays: the next one is there, and waits.
  await removeButton(1).click()
  await page.getByRole('region', { name: /First film/ }).waitFor()
  await expect.poll(async () => await items.count()).toBe(2)
  expect(new URL(page.url()).search).toBe('?playlistPosition=2')
  await page.getByRole('button', { name: 'Play', exact: true }).first().waitFor()
  expect((await readVideoElement(page)).paused).toBe(true)
  await page.reload()
  await expect.poll(async () => await items.count()).toBe(2)
  expect(await items.nth(1).getAttribute('aria-current')).toBe('true')

  // The last one: the first takes its place. One that another tab has removed is gone here, too.
  await removeButton(1).click()
  await page.getByRole('region', { name: /Second film/ }).waitFor()
  expect(new URL(page.url()).search).toBe('?playlistPosition=1')
  const [element] = (await watchLaterOf(token)).elements
  await site.call(`DELETE /video-playlists/${id}/videos/${element!.id}`, { token })
  await removeButton(0).click()
  await page.getByText('No videos in this playlist').waitFor()
  expect(await items.count()).toBe(0)
  await page.getByText('0 videos').waitFor()

  // What the server refuses stays.
  await saveLater(token, videos[0]!)
  await page.reload()
  await page.route('**/video-playlists/*/videos/*', async route => await route.fulfill({ status: 500, json: { detail: 'Not today' } }))
  await removeButton(0).click()
  await page.getByRole('status').getByText('Something went wrong: Not today').waitFor()
  expect(await items.count()).toBe(1)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('others see no button to remove from a public playlist, and its videos that they may not see can be removed by its owner', async () => {
  const { videoPlaylist } = (
    await site.call('POST /video-playlists', {
      token: owner.token,
      body: { displayName: 'Evenings', privacy: 1, videoChannelId: owner.channelId }
    })
  ).json
  const gone = await uploadVideo(site, owner, { name: 'Gone film', privacy: 1 })
  for (const { id } of [gone, videos[0]!])
    await site.call(`POST /video-playlists/${videoPlaylist.id}/videos`, { token: owner.token, body: { videoId: id } })
  await site.call(`DELETE /videos/${gone.id}`, { token: owner.token })
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/p/${videoPlaylist.shortUUID}`)
  await page.locator('.playlist-element').getByText('Deleted video').waitFor()
  expect(await page.getByRole('button', { name: /^Remove from playlist/ }).count()).toBe(0)
  await logInThroughForm(page, 'ada', 'password1', `/w/p/${videoPlaylist.shortUUID}`)
  await page.getByRole('button', { name: 'Remove from playlist: Deleted video' }).click()
  await expect.poll(async () => await page.locator('.playlist-element').count()).toBe(1)
  await page.getByRole('region', { name: /First film/ }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
