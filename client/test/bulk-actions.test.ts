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

/** Replaces the videos of the channel; the first one is the newest. */
async function shelf(count: number): Promise<void> {
  await runQuery(sql`DELETE FROM videos`)
  for (let index = 1; index <= count; index++) {
    const { id } = await seedVideo({ channelId: ada.channelId, ageHours: 48 + index, privacy: 3 })
    await runQuery(sql`UPDATE videos SET name = ${`Film ${index}`} WHERE id = ${id}`)
  }
}

const mine = async () =>
  (await site.call('GET /users/me/videos?count=50&sort=-createdAt', { token: ada.token })).json.data as {
    name: string
    privacy: { id: number }
  }[]

test('several videos are opened to everybody and deleted, by touch', async () => {
  await shelf(6)
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, hasTouch: true })
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  await page.getByLabel('Select Film 1').tap()
  await page.getByLabel('Select Film 3').tap()
  await page.getByText('2 selected').waitFor()
  await page.getByRole('button', { name: 'Who can watch' }).tap()
  const dialog = page.getByRole('dialog', { name: 'Who can watch 2 videos' })
  await dialog.getByLabel('Who can watch').selectOption({ label: 'With a password' })
  expect(await dialog.getByRole('button', { name: 'Change' }).isDisabled()).toBe(true)
  await dialog.getByLabel('Passwords').fill('secret\n')
  await dialog.getByRole('button', { name: 'Change' }).tap()
  await page.getByText('2 videos are changed.').waitFor()
  expect((await mine()).map(({ privacy }) => privacy.id)).toEqual([5, 3, 5, 3, 3, 3])
  expect(await page.locator('.badge').allTextContents()).toEqual([
    'With a password',
    'Only me',
    'With a password',
    'Only me',
    'Only me',
    'Only me'
  ])
  await page.getByLabel('Select Film 2').tap()
  await page.getByLabel('Select Film 6').tap()
  await page.getByRole('group', { name: 'Several at once' }).getByRole('button', { name: 'Delete' }).tap()
  await page.getByRole('dialog', { name: 'Delete 2 videos?' }).getByRole('button', { name: 'Delete' }).tap()
  await page.getByText('2 videos are deleted.').waitFor()
  expect((await mine()).map(({ name }) => name)).toEqual(['Film 1', 'Film 3', 'Film 4', 'Film 5'])
  expect(await page.locator('.shelf > li').count()).toBe(4)
  expect(await page.getByText('selected').count()).toBe(0)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('the keyboard does the same: a range with shift, Escape lets go, Delete asks', async () => {
  await shelf(5)
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  await page.getByLabel('Select Film 2').focus()
  await page.keyboard.press('Space')
  await page.getByLabel('Select Film 4').click({ modifiers: ['Shift'] })
  await page.getByText('3 selected').waitFor()
  await page.keyboard.press('Escape')
  await expect.poll(async () => await page.locator('.shelf input:checked').count()).toBe(0)
  await page.getByLabel('Select all shown').focus()
  await page.keyboard.press('Space')
  await page.getByText('5 selected').waitFor()
  await page.getByLabel('Select Film 1').uncheck()
  expect(await page.getByLabel('Select all shown').evaluate((box: HTMLInputElement) => box.indeterminate)).toBe(true)
  await page.keyboard.press('Delete')
  await page.getByRole('dialog', { name: 'Delete 4 videos?' }).waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('4 videos are deleted.').waitFor()
  expect((await mine()).map(({ name }) => name)).toEqual(['Film 1'])
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('what fails is named and stays chosen; the others are done, a limit is waited out, and a second try helps', async () => {
  await shelf(4)
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  const second = (await site.call('GET /users/me/videos?sort=-createdAt', { token: ada.token })).json.data[1].id
  let asked = 0
  let broken = true
  await page.route(/\/api\/v1\/videos\/\d+$/, async route => {
    asked++
    if (asked === 1) await route.fulfill({ status: 429, headers: { 'retry-after': '1' }, json: { detail: 'slow down' } })
    else if (broken && route.request().url().endsWith(`/${second}`))
      await route.fulfill({ status: 500, json: { detail: 'A disk is full' } })
    else await route.continue()
  })
  await page.getByLabel('Select all shown').check()
  await page.getByRole('group', { name: 'Several at once' }).getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('progressbar', { name: 'Progress' }).waitFor()
  await page.getByRole('alert').waitFor()
  expect(await page.getByRole('alert').textContent()).toMatch(/3 of 4 are done; this one is not:Film 2 · That did not work: A disk is full/)
  expect(asked).toBe(5)
  expect((await mine()).map(({ name }) => name)).toEqual(['Film 2'])
  expect(await page.getByLabel('Select Film 2').isChecked()).toBe(true)
  broken = false
  await page.getByRole('button', { name: 'Try again' }).click()
  await page.getByText('1 video is deleted.').waitFor()
  await page.getByRole('heading', { name: 'No videos yet' }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('it goes on while other pages are looked at, and stops when told', async () => {
  await shelf(5)
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  let open: () => void = () => undefined
  const held = new Promise<void>(resolve => {
    open = resolve
  })
  let asked = 0
  await page.route(/\/api\/v1\/videos\/\d+$/, async route => {
    if (++asked === 2) await held
    await route.continue()
  })
  await page.getByLabel('Select all shown').check()
  await page.getByRole('group', { name: 'Several at once' }).getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('Deleting 1 of 5').waitFor()
  await page.getByRole('link', { name: 'Bobine, home' }).click()
  await page.getByRole('link', { name: 'Trending' }).waitFor()
  await page.goBack()
  await page.getByText('Deleting 1 of 5').waitFor()
  expect(await page.getByLabel('Select all shown').isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Stop' }).click()
  open()
  await page.getByText('2 videos are deleted.').waitFor()
  await expect.poll(async () => await page.locator('.shelf > li').count()).toBe(3)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
