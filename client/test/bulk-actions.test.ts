import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { seedVideo } from '../../server/test/seed-video.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
let ada: { token: string; channelId: number }
beforeAll(async () => {
  site = await openTestSite()
  ada = await site.user('ada')
}, 180_000)
afterAll(async () => await site?.stop())

/** Replaces the videos of the channel by `count` new ones, "Film 1" being the newest. */
async function replaceVideos(count: number): Promise<void> {
  await runQuery(sql`DELETE FROM videos`)
  for (let index = 1; index <= count; index++) {
    const { id } = await seedVideo({ channelId: ada.channelId, ageHours: 48 + index, privacy: 3 })
    await runQuery(sql`UPDATE videos SET name = ${`Film ${index}`} WHERE id = ${id}`)
  }
}

const listOwnVideos = async () =>
  (await site.call('GET /users/me/videos?count=50&sort=-createdAt', { token: ada.token })).json.data as {
    name: string
    privacy: { id: number }
  }[]

test('the visibility of several videos is changed, and several are deleted, by touch', async () => {
  await replaceVideos(6)
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, hasTouch: true })
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  await page.getByLabel('Select Film 1').tap()
  await page.getByLabel('Select Film 3').tap()
  await page.getByText('2 selected').waitFor()
  await page.getByRole('button', { name: 'Visibility' }).tap()
  const dialog = page.getByRole('dialog', { name: 'Visibility of 2 videos' })
  await dialog.getByLabel('Visibility').selectOption({ label: 'Password protected' })
  expect(await dialog.getByRole('button', { name: 'Apply' }).isDisabled()).toBe(true)
  await dialog.getByLabel('Passwords').fill('secret\n')
  await dialog.getByRole('button', { name: 'Apply' }).tap()
  await page.getByText('2 videos updated.').waitFor()
  expect((await listOwnVideos()).map(({ privacy }) => privacy.id)).toEqual([5, 3, 5, 3, 3, 3])
  expect(await page.locator('.badge').allTextContents()).toEqual([
    'Password protected',
    'Private',
    'Password protected',
    'Private',
    'Private',
    'Private'
  ])
  await page.getByLabel('Select Film 2').tap()
  await page.getByLabel('Select Film 6').tap()
  await page.getByRole('group', { name: 'Bulk actions' }).getByRole('button', { name: 'Delete' }).tap()
  await page.getByRole('dialog', { name: 'Delete 2 videos?' }).getByRole('button', { name: 'Delete' }).tap()
  await page.getByText('2 videos deleted.').waitFor()
  expect((await listOwnVideos()).map(({ name }) => name)).toEqual(['Film 1', 'Film 3', 'Film 4', 'Film 5'])
  expect(await page.locator('.shelf > li').count()).toBe(4)
  expect(await page.getByText('selected').count()).toBe(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('keyboard: shift selects a range, Escape clears the selection, Delete asks for confirmation', async () => {
  await replaceVideos(5)
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  await page.getByLabel('Select Film 2').focus()
  await page.keyboard.press('Space')
  await page.getByLabel('Select Film 4').click({ modifiers: ['Shift'] })
  await page.getByText('3 selected').waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(async () => await page.locator('.shelf input:checked').count()).toBe(0)
  await page.getByLabel('Select all').focus()
  await page.keyboard.press('Space')
  await page.getByText('5 selected').waitFor()
  await page.getByLabel('Select Film 1').uncheck()
  expect(await page.getByLabel('Select all').evaluate((checkbox: HTMLInputElement) => checkbox.indeterminate)).toBe(true)
  await page.keyboard.press('Delete')
  await page.getByRole('dialog', { name: 'Delete 4 videos?' }).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('4 videos deleted.').waitFor()
  expect((await listOwnVideos()).map(({ name }) => name)).toEqual(['Film 1'])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a failed video is listed and stays selected, the others are deleted, a rate limit is waited out, and retrying works', async () => {
  await replaceVideos(4)
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  const secondId = (await site.call('GET /users/me/videos?sort=-createdAt', { token: ada.token })).json.data[1].id
  let requests = 0
  let failing = true
  await page.route(/\/api\/v1\/videos\/\d+$/, async route => {
    requests++
    if (requests === 1) await route.fulfill({ status: 429, headers: { 'retry-after': '1' }, json: { detail: 'slow down' } })
    else if (failing && route.request().url().endsWith(`/${secondId}`))
      await route.fulfill({ status: 500, json: { detail: 'A disk is full' } })
    else await route.continue()
  })
  await page.getByLabel('Select all').check()
  await page.getByRole('group', { name: 'Bulk actions' }).getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('progressbar', { name: 'Progress' }).waitFor()
  await page.getByRole('alert').waitFor()
  expect(await page.getByRole('alert').textContent()).toMatch(/3 of 4 done. This one failed:Film 2 · Something went wrong: A disk is full/)
  expect(requests).toBe(5)
  expect((await listOwnVideos()).map(({ name }) => name)).toEqual(['Film 2'])
  expect(await page.getByLabel('Select Film 2').isChecked()).toBe(true)
  failing = false
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('1 video deleted.').waitFor()
  await page.getByRole('heading', { name: 'No videos yet' }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a bulk action continues on other pages and can be stopped', async () => {
  await replaceVideos(5)
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  let release: () => void = () => undefined
  const released = new Promise<void>(resolve => {
    release = resolve
  })
  let requests = 0
  await page.route(/\/api\/v1\/videos\/\d+$/, async route => {
    if (++requests === 2) await released
    await route.continue()
  })
  await page.getByLabel('Select all').check()
  await page.getByRole('group', { name: 'Bulk actions' }).getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('Deleting 1 of 5').waitFor()
  await page.getByRole('link', { name: 'Bobine, home' }).click()
  await page.getByRole('link', { name: 'Trending' }).waitFor()
  await page.goBack()
  await page.getByText('Deleting 1 of 5').waitFor()
  expect(await page.getByLabel('Select all').isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Stop' }).click()
  release()
  await page.getByText('2 videos deleted.').waitFor()
  await expect.poll(async () => await page.locator('.shelf > li').count()).toBe(3)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
