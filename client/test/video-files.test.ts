import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { uploadVideo, waitForTranscoding } from '../../server/test/upload.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
let video: { id: number; uuid: string; shortUUID: string }
beforeAll(async () => {
  site = await openTestSite({ transcoding: { resolutions: { '240p': true, '360p': true, '480p': false, '720p': false } } })
  const ada = await site.user('ada')
  video = await uploadVideo(site, ada, { name: 'A film of many files' }, await makeFootageBytes({ seconds: 3, size: '640x360' }))
  await waitForTranscoding(site, ada, video.id)
}, 180_000)
afterAll(async () => await site?.stop())

const files = async () => {
  const { files, streamingPlaylists } = (await site.call(`GET /videos/${video.uuid}`)).json
  const labels = (list: any[]) => list.map(file => file.resolution.label).sort()
  return [labels(streamingPlaylists.flatMap((playlist: any) => playlist.files)), labels(files)]
}

test('an administrator removes one file, and all of a kind, but not the last ones', async () => {
  const [hls, single] = await files()
  expect(single).toEqual(['240p', '360p'])
  const visitor = await site.visit({ viewport: { width: 390, height: 800 }, reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, `/my/videos/${video.shortUUID}`)
  const section = page.getByRole('region', { name: 'Files' })
  const confirm = async (name: string) => await page.getByRole('dialog').getByRole('button', { name }).click()
  await section.getByRole('button', { name: 'Remove MP4 240p' }).click()
  await confirm('Cancel')
  expect(await files()).toEqual([hls, single])
  await section.getByRole('button', { name: 'Remove MP4 240p' }).focus()
  await page.keyboard.press('Enter')
  await confirm('Remove')
  await expect.poll(files).toEqual([hls, ['360p']])
  await expect.poll(async () => await section.getByRole('button', { name: 'Remove MP4 240p' }).count()).toBe(0)
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)

  await section.getByRole('button', { name: 'Remove all MP4 files' }).click()
  await confirm('Remove')
  await expect.poll(files).toEqual([hls, []])
  await section.getByRole('button', { name: 'Remove all HLS files' }).click()
  await confirm('Remove')
  await page.getByRole('status').getByText('A video needs a file to play').waitFor()
  expect(await files()).toEqual([hls, []])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('its owner sees no such section', async () => {
  const visitor = await site.visit()
  await logInThroughForm(visitor.page, 'ada', 'password1', `/my/videos/${video.shortUUID}`)
  await visitor.page.getByRole('button', { name: 'Delete' }).first().waitFor()
  expect(await visitor.page.getByRole('region', { name: 'Files' }).count()).toBe(0)
  await visitor.context.close()
})

test('the download menu has the torrent and the magnet link of the best quality', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 800 } })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Download' }).click()
  const torrent = page.getByRole('menuitem', { name: /Torrent file/ })
  const bytes = Buffer.from(await (await fetch(site.url + (await torrent.getAttribute('href')))).arrayBuffer()).toString('latin1')
  expect(bytes).toMatch(/^d4:info.*8:url-list/s)
  expect(await page.getByRole('menuitem', { name: /Magnet link/ }).getAttribute('href')).toMatch(/^magnet:\?.*xt=urn:btih:[0-9a-f]{40}/)
  await visitor.context.close()
})

test.each(['en', 'fr'])('on a phone the download menu is within the screen wherever its button is (%s)', async locale => {
  const visitor = await site.visit({ viewport: { width: 390, height: 800 }, locale })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  const button = page.locator('.watch-actions [aria-haspopup=menu]')
  for (const side of ['start', 'end']) {
    await page.locator('.watch-actions').evaluate((element: HTMLElement, side) => {
      Object.assign(element.style, { flexDirection: 'column', alignItems: `flex-${side}` })
    }, side)
    await button.click()
    const { x, width } = (await page.getByRole('menu').boundingBox())!
    expect([x >= 0, x + width <= 390]).toEqual([true, true])
    await page.keyboard.press('Escape')
  }
  await visitor.context.close()
})
