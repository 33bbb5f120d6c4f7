import { afterAll, beforeAll, expect, test } from 'vitest'
import { startPeer, type Peer } from '../../server/test/peer.ts'
import { eventually } from '../../server/test/instance.ts'
import { encoded, upload } from '../../server/test/upload.ts'
import { footage } from '../../server/test/footage.ts'
import { expectToPlay, logIn, openSite, type Site, type Visitor } from './site.ts'

/** The other server publishes; the site, whose pages are looked at, follows it. */
let site: Site
let other: Peer
let video: { uuid: string, shortUUID: string }
/** What went wrong, apart from asking the video's own server for it. */
const faults = (visitor: Visitor) => visitor.faults.filter(fault => !fault.startsWith(`asked another site: ${other.url}/static/`))

beforeAll(async () => {
  [site, other] = await Promise.all([openSite(), startPeer({ transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': true, '480p': false, '720p': false, '1080p': false } } })])
  const maker = await other.user('maker')
  await site.user('viewer')
  const root = await site.login()
  await site.call('POST /server/following', { token: root, body: { hosts: [other.host] } })
  await eventually(async () => (await site.call('GET /server/following')).json.data.some((one: any) => one.state === 'accepted'), 30, 'the follow')
  video = await upload(other, maker, { name: 'A film from elsewhere', description: 'Far *away*' }, await footage({ seconds: 20, size: '640x360' }))
  await encoded(other, maker, video.uuid)
  await eventually(async () => (await site.call(`GET /videos/${video.uuid}`)).json.streamingPlaylists?.[0]?.files.length === 2, 30, 'the video')
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
  await expect.poll(async () => await page.locator('.card img').first().evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(100)
  await card.click()
  await page.getByRole('heading', { name: 'A film from elsewhere' }).waitFor()
  await page.getByRole('button', { name: 'Play' }).first().click()
  const shown = await expectToPlay(page, 1)
  expect([shown.error, shown.height > 0]).toEqual([null, true])
  expect(visitor.faults.some(fault => fault.startsWith(`asked another site: ${other.url}/static/streaming-playlists/`))).toBe(true)
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectToPlay(page, 0.5)
  expect(faults(visitor)).toEqual([])
  await visitor.context.close()
})

test('search finds a channel by its handle and a video by its address, and the channel has a page', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logIn(page, 'viewer', 'password1')
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
