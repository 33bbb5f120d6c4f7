import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite, type Visitor } from './site.ts'

let site: TestSite
beforeAll(async () => {
  site = await openTestSite()
}, 180_000)
afterAll(async () => await site.stop())

/** Waits until the service worker with this URL is active. */
async function waitForServiceWorker({ page }: Visitor, address: string): Promise<void> {
  await expect
    .poll(async () => await page.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.active?.scriptURL ?? ''))
    .toBe(`${site.url}${address}`)
}

const readCaches = async ({ page }: Visitor) =>
  await page.evaluate(async () => {
    const names = await caches.keys()
    const lists = await Promise.all(
      names.map(async name => (await (await caches.open(name)).keys()).map(({ url }) => new URL(url).pathname))
    )
    return { names: names.length, paths: lists.flat().sort(), page: (await (await caches.match('/offline'))?.text()) ?? '' }
  })

test("without a connection every URL shows the offline page in the visitor's language, and works again afterwards", async () => {
  const visitor = await site.visit({ serviceWorkers: 'allow', locale: 'fr-FR' })
  const { page, context } = visitor
  await page.goto('/')
  await waitForServiceWorker(visitor, '/sw.js?fr-system')
  await context.setOffline(true)
  await page.goto('/about')
  await page.getByRole('heading', { name: 'Vous êtes hors ligne' }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/about')
  // Its styles are cached, too.
  expect(await page.locator('.bar').evaluate(bar => getComputedStyle(bar).display)).toBe('flex')
  expect((await page.locator('.mark').boundingBox())!.width).toBeGreaterThan(10)
  await context.setOffline(false)
  await page.getByRole('link', { name: 'Réessayer' }).click()
  await page.locator('.about-software').waitFor()
  expectNoPageErrors(visitor)
  await context.close()
})

test('no personal data is cached, and no stale page is shown', async () => {
  const visitor = await site.visit({ serviceWorkers: 'allow' })
  const { page, context } = visitor
  await site.user('ada')
  await logInThroughForm(page, 'ada', 'password1', '/my/videos')
  await waitForServiceWorker(visitor, '/sw.js?en-system')
  await page.goto('/settings')
  await page
    .getByLabel('Display name')
    .or(page.getByRole('heading', { level: 1 }))
    .first()
    .waitFor()
  const { names, paths } = await readCaches(visitor)
  expect(names).toBe(1)
  expect(paths.filter(path => !/^\/client\/(assets\/[\w.-]+\.css|icon\.svg|icon-180\.png|favicon\.ico)$/.test(path))).toEqual(['/offline'])
  await context.setOffline(true)
  await page.goto('/settings')
  await page.getByRole('heading', { name: 'You’re offline' }).waitFor()
  expect(await page.content()).not.toContain('ada')
  await context.setOffline(false)
  await page.goto('/my/videos')
  await page.locator('.bar-me').waitFor()
  expectNoPageErrors(visitor)
  await context.close()
})

test('changing the language or theme replaces the cached offline page', async () => {
  const visitor = await site.visit({ serviceWorkers: 'allow' })
  const { page, context } = visitor
  await page.goto('/')
  await waitForServiceWorker(visitor, '/sw.js?en-system')
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('menuitemradio', { name: 'Français' }).click()
  await waitForServiceWorker(visitor, '/sw.js?fr-system')
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('menuitemradio', { name: 'Sombre' }).click()
  await waitForServiceWorker(visitor, '/sw.js?fr-dark')
  const { names, page: text } = await readCaches(visitor)
  expect([names, text]).toEqual([1, expect.stringContaining('<html lang="fr" data-theme="dark">')])
  await context.setOffline(true)
  await page.goto('/about')
  await page.getByRole('heading', { name: 'Vous êtes hors ligne' }).waitFor()
  expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
  await context.close()
})

test('the service worker has a strict content security policy and is revalidated', async () => {
  const { status, headers, text } = await site.call('GET //sw.js?en-system')
  expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([200, 'text/javascript; charset=utf-8', 'no-cache'])
  expect(headers.get('content-security-policy')).toBe("default-src 'none'; connect-src 'self'")
  expect(text).toMatch(/^\/\/ [\w-]{20,}\n/)
  expect((await site.call('GET //')).headers.get('content-security-policy')).toMatch(/worker-src 'self'/)
})

test('errors and redirects of the server pass through the service worker', async () => {
  const visitor = await site.visit({ serviceWorkers: 'allow' })
  const { page, context } = visitor
  await page.goto('/')
  await waitForServiceWorker(visitor, '/sw.js?en-system')
  expect((await page.goto('/nothing/here'))!.status()).toBe(404)
  await page.goto('/accounts/root')
  expect(new URL(page.url()).pathname).toBe('/a/root')
  expectNoPageErrors(visitor)
  await context.close()
})
