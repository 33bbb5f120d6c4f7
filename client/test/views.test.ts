import { afterAll, beforeAll, expect, test } from 'vitest'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, expectVideoToPlay, openTestSite, type TestSite } from './site.ts'

let site: TestSite
let video: { id: number; uuid: string; shortUUID: string }

beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '360p': false, '480p': false, '720p': false, '1080p': false } },
    cache: { answers: { max_age: 50 } },
    views: {
      videos: {
        count_view_after: '3 seconds',
        local_buffer_update_interval: 200,
        watching_interval: { anonymous: '1 second', users: '1 second' }
      }
    }
  })
  const ada = await site.user('ada')
  video = await uploadVideo(site, ada, { name: 'Counted' }, await makeFootageBytes({ seconds: 30, size: '320x180' }))
  await waitForTranscoding(site, ada, video.id)
}, 180_000)
afterAll(async () => await site.stop())

test('watching long enough counts one view, which the page shows', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  const reports: { currentTime: number; viewEvent?: string }[] = []
  page.on('request', request => {
    if (request.url().endsWith('/views')) reports.push(request.postDataJSON())
  })
  await page.goto(`/w/${video.shortUUID}`)
  await page.getByText('Counted').first().waitFor()
  expect(await page.getByText(/\d views?$/).count()).toBe(0)
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 4)
  await expect
    .poll(async () => (await site.call(`GET /videos/${video.uuid}`)).json, { timeout: 10_000 })
    .toMatchObject({ views: 1, viewers: 1 })
  await page.locator('video').evaluate(video => (video as HTMLVideoElement).pause())
  const before = reports.length
  expect(before).toBeGreaterThanOrEqual(4)
  expect(reports.map(({ currentTime }) => currentTime)).toEqual(reports.map(({ currentTime }) => currentTime).toSorted((a, b) => a - b))
  await page.waitForTimeout(1500)
  // A paused video is not reported as watched.
  expect(reports.length).toBeLessThanOrEqual(before + 1)
  await page.reload()
  await page.locator('.watch-facts').getByText('1 view').waitFor()
  await page.getByRole('button', { name: 'Play' }).first().click()
  await expectVideoToPlay(page, 4)
  await page.waitForTimeout(500)
  expect((await site.call(`GET /videos/${video.uuid}`)).json.views).toBe(1)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('views in the embedded player count, too', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto(`/videos/embed/${video.uuid}?autoplay=1&muted=1`)
  await expectVideoToPlay(page, 4)
  await expect.poll(async () => (await site.call(`GET /videos/${video.uuid}`)).json.views, { timeout: 10_000 }).toBe(2)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
