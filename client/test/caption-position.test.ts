import sharp from 'sharp'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runQuery, sql } from '../../server/core/sql.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { uploadVideo, waitForTranscoding } from '../../server/test/upload.ts'
import { openTestSite, type TestSite } from './site.ts'

let site: TestSite
let video: { id: number; uuid: string; shortUUID: string }
/** The captions by their language: so many lines, with cue settings. */
const CAPTIONS = { en: [2, ''], fr: [3, ''], de: [1, ' line:0'], es: [1, ' line:95%'] } as const
beforeAll(async () => {
  site = await openTestSite({ transcoding: { preset: 'ultrafast', resolutions: { '240p': true } } })
  const ada = await site.user('ada')
  await mkdir(join(site.folder, 'captions'), { recursive: true })
  video = await uploadVideo(site, ada, {}, await makeFootageBytes({ seconds: 4, size: '426x240' }))
  await waitForTranscoding(site, ada, video.uuid)
  for (const [language, [lines, settings]] of Object.entries(CAPTIONS)) {
    const name = `${crypto.randomUUID()}-${language}.vtt`
    const text = Array(lines).fill('MMMMMM MMMMMM').join('\n')
    await writeFile(join(site.folder, 'captions', name), `WEBVTT\n\n00:00.000 --> 00:04.000${settings}\n${text}\n`)
    await runQuery(sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${video.id}, ${language}, ${name})`)
  }
}, 180_000)
afterAll(async () => await site?.stop())

/** The first and the last row (CSS pixels from the top of the player) that differ with and without captions. */
async function captionRows(page: Page): Promise<{ top: number; bottom: number }> {
  const box = (await page.locator('.player').boundingBox())!
  const show = async (mode: 'showing' | 'hidden') => {
    await page.evaluate(wanted => {
      for (const track of document.querySelector('video')!.textTracks) track.mode = wanted
    }, mode)
    await page.waitForTimeout(300)
    const { data, info } = await sharp(await page.screenshot({ clip: box }))
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true })
    return { data, info }
  }
  const [shown, hidden] = [await show('showing'), await show('hidden')]
  const rows = Array.from({ length: shown.info.height }, (_, row) => {
    const from = row * shown.info.width
    return shown.data.subarray(from, from + shown.info.width).some((value, index) => Math.abs(value - hidden.data[from + index]!) > 60)
  })
  return { top: rows.indexOf(true), bottom: rows.lastIndexOf(true) }
}

test.each([
  { layout: 'desktop', viewport: { width: 1280, height: 800 }, path: '/w' },
  { layout: 'phone', viewport: { width: 390, height: 844 }, path: '/w' },
  { layout: 'small embed', viewport: { width: 480, height: 270 }, path: '/videos/embed' }
])('captions are above the controls while these are shown ($layout)', async ({ viewport, path }) => {
  const { page, context } = await site.visit({ viewport })
  for (const language of Object.keys(CAPTIONS)) {
    await page.goto(`${path}/${video.shortUUID}?subtitle=${language}`)
    await page.getByRole('button', { name: 'Play', exact: true }).first().click()
    await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0.3)
    await page.evaluate(() => document.querySelector('video')!.pause())
    await page.locator('.player[data-awake]').waitFor()
    await page.waitForTimeout(400)
    const player = (await page.locator('.player').boundingBox())!
    const seekBar = (await page
      .getByRole('slider', { name: /Seek|Position|seek/ })
      .first()
      .boundingBox())!
    const { top, bottom } = await captionRows(page)
    expect([language, top >= 0, bottom > top]).toEqual([language, true, true])
    expect([language, Math.max(0, bottom - (seekBar.y - player.y))]).toEqual([language, 0])
  }
  await context.close()
})
