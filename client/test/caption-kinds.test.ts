import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFootageWithSubtitles } from '../../server/test/footage.ts'
import { uploadVideo, waitForTranscoding } from '../../server/test/upload.ts'
import { expectNoPageErrors, logInThroughForm, openPlayerSettings, openTestSite, type TestSite } from './site.ts'

let site: TestSite
let video: { uuid: string; shortUUID: string }
beforeAll(async () => {
  site = await openTestSite()
  const ada = await site.user('ada')
  const footage = await makeFootageWithSubtitles([
    { text: 'A sign', language: 'eng', disposition: 'forced' },
    { text: 'Un panneau', language: 'fre', disposition: 'forced' },
    { text: 'Beep', language: 'eng', disposition: 'hearing_impaired' },
    { text: 'All & <b>every</b>thing', language: 'eng' }
  ])
  video = await uploadVideo(site, ada, { name: 'A subtitled film', language: 'en' }, footage)
  await waitForTranscoding(site, ada, video.uuid)
}, 180_000)
afterAll(async () => await site?.stop())

/** Plays, and pauses while the cue of every track is on the screen. */
async function pauseAtCue(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: /^(Play|Lecture)$/ })
    .first()
    .click()
  await expect
    .poll(async () => await page.locator('video').evaluate((element: HTMLVideoElement) => element.currentTime))
    .toBeGreaterThan(0.1)
  await page.locator('video').evaluate((element: HTMLVideoElement) => {
    element.pause()
    element.currentTime = 1.5
  })
}
const readShown = async (page: Page) =>
  await page
    .locator('video')
    .evaluate((element: HTMLVideoElement) =>
      [...element.textTracks]
        .filter(({ mode }) => mode === 'showing')
        .map(track => `${track.label}: ${[...(track.activeCues ?? [])].map(cue => (cue as VTTCue).getCueAsHTML().textContent).join()}`)
    )
async function openSubtitles(page: Page): Promise<string[]> {
  await openPlayerSettings(page)
  await page.getByRole('menuitem', { name: /Subtitles/ }).click()
  return await page.getByRole('menuitemradio').allTextContents()
}
const choose = async (page: Page, name: string) => {
  await openSubtitles(page)
  await page.getByRole('menuitemradio', { name, exact: true }).click()
}

test('forced subtitles are shown while subtitles are off; every kind can be chosen, which is remembered', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await pauseAtCue(page)
  await expect.poll(async () => await readShown(page)).toEqual(['English (forced): A sign'])
  expect(await openSubtitles(page)).toEqual(['Off', 'English', 'English (for the hearing impaired)', 'English (forced)', 'French (forced)'])
  expect(await page.getByRole('menuitemradio', { checked: true }).allTextContents()).toEqual(['Off'])
  await page.keyboard.press('Escape')
  await page.keyboard.press('Escape')

  for (const [name, text] of [
    ['English', 'All & everything'],
    ['French (forced)', 'Un panneau'],
    ['English (for the hearing impaired)', 'Beep']
  ]) {
    await choose(page, name!)
    await expect.poll(async () => await readShown(page)).toEqual([`${name}: ${text}`])
  }
  await page.reload()
  await pauseAtCue(page)
  await expect.poll(async () => await readShown(page)).toEqual(['English (for the hearing impaired): Beep'])

  // What the browser finds in the playlist when it plays HLS itself is not shown on top.
  const addNativeTrack = async () =>
    await page.locator('video').evaluate((element: HTMLVideoElement) => {
      element.addTextTrack('subtitles', 'native', 'en').mode = 'showing'
    })
  await addNativeTrack()
  await expect.poll(async () => await readShown(page)).toEqual(['English (for the hearing impaired): Beep'])
  await choose(page, 'Off')
  await expect.poll(async () => await readShown(page)).toEqual(['English (forced): A sign'])
  await addNativeTrack()
  await expect.poll(async () => await readShown(page)).toEqual(['English (forced): A sign'])

  // The key switches between full subtitles and none.
  await page.keyboard.press('c')
  await expect.poll(async () => await readShown(page)).toEqual(['English: All & everything'])
  await page.keyboard.press('c')
  await expect.poll(async () => await readShown(page)).toEqual(['English (forced): A sign'])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('in French they have French names', async () => {
  const visitor = await site.visit({ locale: 'fr' })
  const { page } = visitor
  await page.goto(`/w/${video.shortUUID}`)
  await pauseAtCue(page)
  await expect.poll(async () => await readShown(page)).toEqual(['Anglais (forcés): A sign'])
  await page.locator('.player').hover()
  await page.getByRole('button', { name: 'Paramètres du lecteur' }).click()
  await page.getByRole('menuitem', { name: /Sous-titres/ }).click()
  expect(await page.getByRole('menuitemradio').allTextContents()).toEqual([
    'Non',
    'Anglais',
    'Anglais (pour malentendants)',
    'Anglais (forcés)',
    'Français (forcés)'
  ])
  await visitor.context.close()
})

test('the owner sees subtitles of every kind where the video is edited, and deletes one', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', `/my/videos/${video.uuid}`)
  const names = async () =>
    (await page.getByRole('region', { name: 'Subtitles' }).getByRole('listitem').allTextContents()).map(text => text.trim())
  const all = ['English', 'English (for the hearing impaired)', 'English (forced)', 'French (forced)']
  await expect.poll(names).toEqual(all)
  await page.getByRole('button', { name: 'Delete subtitles: English (forced)' }).click()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('button', { name: 'Delete subtitles: English (forced)' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click()
  await page.getByText('Subtitles deleted.').waitFor()
  await expect.poll(names).toEqual(all.filter(name => name !== 'English (forced)'))
  expectNoPageErrors(visitor)
  await page.goto(`/w/${video.shortUUID}`)
  expect(await openSubtitles(page)).toEqual(['Off', 'English', 'English (for the hearing impaired)', 'French (forced)'])
  await visitor.context.close()
})
