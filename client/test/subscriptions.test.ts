import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
beforeAll(async () => {
  site = await openTestSite()
  await site.user('ada')
  await site.user('bob')
})
afterAll(async () => await site?.stop())

test('guests are linked to the login page; a user subscribes, sees the channel under subscriptions, and unsubscribes', async () => {
  const visitor = await site.visit()
  const { page, context } = visitor
  await page.goto('/c/ada_channel')
  await page.getByRole('link', { name: 'Subscribe' }).click()
  await page.waitForURL('**/login?next=%2Fc%2Fada_channel')
  await logInThroughForm(page, 'bob', 'password1', '/c/ada_channel')
  await page.getByRole('button', { name: 'Subscribe', exact: true }).click()
  await page.getByRole('button', { name: 'Subscribed', pressed: true }).waitFor()
  await page.goto('/my/subscriptions')
  await page.getByRole('link', { name: 'Main ada channel' }).click()
  await page.getByRole('button', { name: 'Subscribed', pressed: true }).click()
  await page.getByRole('button', { name: 'Subscribe', exact: true, pressed: false }).waitFor()
  expect((await site.call('GET /video-channels/ada_channel')).json.followersCount).toBe(0)
  await page.goto('/c/bob_channel')
  await page.getByRole('heading', { name: 'Main bob channel' }).waitFor()
  expect(await page.getByRole('button', { name: 'Subscribe' }).count()).toBe(0)
  // On a phone the list loads without scrolling.
  await page.setViewportSize({ width: 390, height: 844 })
  await page.goto('/my/subscriptions')
  await page.getByRole('heading', { name: 'No new videos yet' }).waitFor({ timeout: 15_000 })
  await page.goto('/search?search=nothing')
  await page.getByText('No results found').first().waitFor({ timeout: 15_000 })
  expectNoPageErrors(visitor)
  await context.close()
})
