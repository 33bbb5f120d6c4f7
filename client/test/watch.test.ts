import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Frame, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openQueue } from '../../server/core/job.ts'
import { runQuery, sql } from '../../server/core/sql.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import {
  expectNoPageErrors,
  expectVideoToPlay,
  logInThroughForm,
  openPlayerSettings,
  openTestSite,
  readVideoElement,
  type TestSite
} from './site.ts'

let site: TestSite
let captionServer: Server
let video: { id: number; uuid: string; shortUUID: string }
beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  const bob = await site.user('bob')
  video = await uploadVideo(site, ada, { name: 'A film to like' }, await makeFootageBytes({ seconds: 20, size: '426x240' }))
  await waitForTranscoding(site, ada, video.id)
  await site.call(`PUT /videos/${video.uuid}/rate`, { token: bob.token, body: { rating: 'like' } })
  captionServer = createServer((request, response) => {
    if (request.url !== '/fr.vtt') return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'text/vtt' }).end('WEBVTT\n\n00:00.000 --> 00:20.000\nBonjour <b>tout</b> le monde\n')
  })
  await new Promise<void>(resolve => captionServer.listen(0, '127.0.0.1', resolve))
  // As if they had arrived with a remote video.
  const url = `http://127.0.0.1:${(captionServer.address() as AddressInfo).port}`
  await runQuery(sql`
    INSERT INTO video_captions (video_id, language, automatic, filename, url) VALUES
      (${video.id}, 'fr', false, '6f0d5a2e-1111-4222-8333-000000000001.vtt', ${`${url}/fr.vtt`}),
      (${video.id}, 'de', true, '6f0d5a2e-1111-4222-8333-000000000002.vtt', ${`${url}/nothing.vtt`})`)
  await runQuery(sql`
    INSERT INTO video_chapters (video_id, timecode, title)
    VALUES (${video.id}, 0, 'The beginning'), (${video.id}, 10, 'In the middle'), (${video.id}, 15, 'The end')`)
}, 180_000)
afterAll(async () => {
  await site?.stop()
  captionServer?.close()
})

const readCounts = async () => {
  const { likes, dislikes } = (await site.call(`GET /videos/${video.uuid}`)).json
  return [likes, dislikes]
}
const buttonNamed = (page: Page, name: string, pressed?: boolean) => page.getByRole('button', { name, exact: true, pressed })

test('likes and dislikes are shown at once, the last press counts, and a refused one is reverted', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('link', { name: 'Like: 1' }).waitFor()
  expect(await page.getByRole('link', { name: 'Dislike: 0' }).getAttribute('href')).toBe(
    `/login?next=${encodeURIComponent(`/w/${video.shortUUID}`)}`
  )
  await logInThroughForm(page, 'bob', 'password1', `/w/${video.shortUUID}`)
  await buttonNamed(page, 'Like: 1', true).waitFor()
  await buttonNamed(page, 'Dislike: 0').click()
  await buttonNamed(page, 'Dislike: 1', true).waitFor()
  await buttonNamed(page, 'Like: 0', false).waitFor()
  await expect.poll(readCounts).toEqual([0, 1])
  await buttonNamed(page, 'Dislike: 1').click()
  await buttonNamed(page, 'Dislike: 0', false).waitFor()
  await expect.poll(readCounts).toEqual([0, 0])

  // While the first response is delayed, only the last of the further presses is sent after it.
  let requests = 0
  let release = (): void => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  await page.route('**/rate', async route => {
    requests++
    await released
    await route.continue()
  })
  await buttonNamed(page, 'Like: 0').click()
  await buttonNamed(page, 'Like: 1').click()
  await buttonNamed(page, 'Dislike: 0').click()
  await buttonNamed(page, 'Dislike: 1', true).waitFor()
  release()
  await expect.poll(readCounts).toEqual([0, 1])
  expect(requests).toBe(2)
  await page.unroute('**/rate')

  await page.route(
    '**/rate',
    async route =>
      await route.fulfill({
        status: 403,
        contentType: 'application/problem+json',
        body: JSON.stringify({ status: 403, detail: 'Not today' })
      })
  )
  await buttonNamed(page, 'Like: 0').click()
  await page.getByRole('status').getByText('Something went wrong: Not today').waitFor()
  await buttonNamed(page, 'Like: 0', false).waitFor()
  await buttonNamed(page, 'Dislike: 1', true).waitFor()
  expect(await readCounts()).toEqual([0, 1])
  await page.unroute('**/rate')
  await page.reload()
  await buttonNamed(page, 'Dislike: 1', true).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('viewers can subscribe on the watch page, owners cannot', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'bob', 'password1', `/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
  await page.getByRole('button', { name: 'Subscribed', pressed: true }).waitFor()
  expect((await site.call('GET /video-channels/ada_channel')).json.followersCount).toBe(1)
  const owner = await site.visit()
  await logInThroughForm(owner.page, 'ada', 'password1', `/w/${video.shortUUID}`)
  await owner.page.getByRole('link', { name: 'Edit', exact: true }).waitFor()
  expect(await owner.page.getByRole('button', { name: 'Subscribe' }).count()).toBe(0)
  for (const each of [visitor, owner]) {
    expectNoPageErrors(each)
    await each.context.close()
  }
})

test('subtitles are loaded from the instance once chosen, and the choice is stored', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const captionRequests: string[] = []
  page.on('request', request => {
    if (request.url().includes('/video-captions/')) captionRequests.push(request.url())
  })
  const shownCaptions = async () =>
    await page
      .locator('video')
      .evaluate((element: HTMLVideoElement) =>
        [...element.textTracks].map(
          track =>
            `${track.mode} ${track.language} ${[...(track.activeCues ?? [])].map(cue => (cue as VTTCue).getCueAsHTML().textContent).join()}`
        )
      )
  await page.goto(`/w/${video.shortUUID}`)
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Subtitles.*Off/ }).click()
  expect(await page.getByRole('menuitemradio').allTextContents()).toEqual(['Off', 'Germanauto-generated', 'French'])
  expect(captionRequests).toEqual([])
  await page.getByRole('menuitemradio', { name: 'French' }).click()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.5)
  await expect.poll(shownCaptions).toEqual(['showing fr Bonjour tout le monde'])
  expect(captionRequests).toEqual([`${site.url}/lazy-static/video-captions/6f0d5a2e-1111-4222-8333-000000000001.vtt`])
  await page.keyboard.press('c')
  await expect.poll(shownCaptions).toEqual([])
  await page.keyboard.press('c')
  await expect.poll(async () => await page.locator('track').count()).toBe(1)
  await page.reload()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 0.5)
  await expect.poll(async () => (await shownCaptions())[0]).toMatch(/^showing (de|fr)/)

  // Subtitles that cannot be loaded do not stop playback.
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Subtitles/ }).click()
  await page.getByRole('menuitemradio', { name: /German/ }).click()
  await expectVideoToPlay(page, 0.5)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('the address says which subtitles to start with; a shared link or embed keeps those that are on, and the position', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, reducedMotion: 'reduce' })
  const { page } = visitor
  const languagesShown = async (where: Page | Frame) =>
    await where
      .locator('video')
      .evaluate((element: HTMLVideoElement) =>
        [...element.textTracks].filter(({ mode }) => mode === 'showing').map(({ language }) => language)
      )
  const openShareDialog = async () => {
    await page.getByRole('button', { name: 'Share' }).click()
    await page.getByRole('dialog', { name: 'Share' }).getByLabel('Link').waitFor()
  }
  await page.goto(`/w/${video.uuid}?subtitle=fr`)
  await expect.poll(async () => await languagesShown(page)).toEqual(['fr'])
  await page.getByRole('button', { name: 'Share' }).waitFor()
  expect(page.url()).toBe(`${site.url}/w/${video.shortUUID}?subtitle=fr`)
  // The link of somebody else is no choice for later videos.
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 1.2)
  expect(await languagesShown(page)).toEqual([])
  await page.keyboard.press('k')
  await openShareDialog()
  expect(await page.getByLabel('Link').inputValue()).toBe(`${site.url}/w/${video.shortUUID}`)
  expect(await page.getByRole('checkbox').count()).toBe(1)
  await page.getByRole('checkbox', { name: /^Start at 0:0/ }).check()
  expect(await page.getByLabel('Link').inputValue()).toMatch(/\?start=\d+s$/)
  await page.keyboard.press('Escape')

  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Subtitles/ }).click()
  await page.getByRole('menuitemradio', { name: 'French' }).click()
  await expect.poll(async () => await languagesShown(page)).toEqual(['fr'])
  await page.keyboard.press('Escape')
  await openShareDialog()
  const withSubtitles = page.getByRole('checkbox', { name: 'With subtitles: French' })
  await withSubtitles.focus()
  await page.keyboard.press('Space')
  expect(await withSubtitles.isChecked()).toBe(true)
  expect((await readVideoElement(page)).paused).toBe(true)
  const link = await page.getByLabel('Link').inputValue()
  expect(link).toBe(`${site.url}/w/${video.shortUUID}?subtitle=fr`)
  await page.getByRole('checkbox', { name: /^Start at/ }).check()
  const html = await page.getByLabel('Embed').inputValue()
  expect(html).toMatch(new RegExp(`src="${site.url}/videos/embed/${video.uuid}\\?start=\\d+s&amp;subtitle=fr"`))
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true)

  const other = await site.visit()
  await other.page.goto(link)
  await expect.poll(async () => await languagesShown(other.page)).toEqual(['fr'])
  await other.page.goto(/src="([^"]+)"/.exec(html)![1]!.replace('&amp;', '&'))
  await expect.poll(async () => await languagesShown(other.page)).toEqual(['fr'])

  // Subtitles that the video does not have, and what is no language, leave the viewer's own choice.
  for (const query of ['subtitle=xx', 'subtitle=%22%3E%3Cb%3E', `subtitle=${'a'.repeat(5000)}`, 'subtitle=', 'subtitle[]=de']) {
    await page.goto(`/w/${video.shortUUID}?${query}`)
    await page.getByRole('button', { name: 'Play' }).first().click()
    await expect.poll(async () => await languagesShown(page), { message: query.slice(0, 40) }).toEqual(['fr'])
  }
  await page.goto(`/w/${video.shortUUID}?subtitle=de&subtitle=fr`)
  await expect.poll(async () => (await languagesShown(page)).length).toBe(1)
  for (const each of [visitor, other]) {
    expectNoPageErrors(each)
    await each.context.close()
  }
})

test('chapters are marked on the seek bar, named under the pointer and for screen readers, and can be jumped to', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  const bar = page.getByRole('slider', { name: 'Position' })
  await bar.waitFor()
  const box = (await bar.boundingBox())!
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2)
  await page.locator('.seek-chapter').getByText('In the middle').waitFor()
  await page.mouse.move(box.x + box.width * 0.9, box.y + box.height / 2)
  await page.locator('.seek-chapter').getByText('The end').waitFor()
  const marks = await page.locator('.seek-mark').evaluateAll(elements =>
    elements.map(element => {
      const [mark, bar] = [element.getBoundingClientRect(), element.parentElement!.getBoundingClientRect()]
      return Math.round((100 * (mark.x + mark.width / 2 - bar.x)) / bar.width)
    })
  )
  expect(marks).toEqual([50, 75])
  expect(await bar.getAttribute('aria-valuetext')).toMatch(/, The beginning$/)
  await page.getByRole('button', { name: 'Player settings' }).click()
  await page.getByRole('menuitem', { name: 'Chapters' }).click()
  await page.getByRole('menuitem', { name: /In the middle/ }).click()
  await expect.poll(async () => Math.round((await readVideoElement(page)).time)).toBe(10)
  expect(await bar.getAttribute('aria-valuetext')).toMatch(/, In the middle$/)
  await page.locator('.controls').getByText('In the middle').waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('an owner waits for the encoding as viewers do, though the API lists the uploaded file', async () => {
  const queue = await openQueue('transcoding')
  await queue.pause()
  const token = await site.login('ada', 'password1')
  const [{ id: channelId }] = (await site.call('GET /users/me', { token })).json.videoChannels
  const waiting = await uploadVideo(site, { token, channelId }, { name: 'A film to wait for' })
  expect((await site.call(`GET /videos/${waiting.uuid}`, { token })).json.files.length).toBe(1)
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', `/w/${waiting.shortUUID}`)
  // It looks again after it has shown the first answer.
  await page.waitForResponse(async response => response.url().includes('/api/v1/videos/') && (await response.text()).includes('isOriginal'))
  await page.waitForResponse(response => response.url().includes('/api/v1/videos/'))
  await page.getByText('Almost ready').waitFor()
  expect(await page.locator('video').count()).toBe(0)
  expect(await page.getByRole('button', { name: 'Download' }).count()).toBe(0)
  await queue.resume()
  await page.locator('video').waitFor()
  await waitForTranscoding(site, { token }, waiting.uuid)
  expectNoPageErrors(visitor)
})
