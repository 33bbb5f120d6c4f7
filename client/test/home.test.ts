import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { seedVideo } from '../../server/test/seed-video.ts'
import { expectNoPageErrors, openTestSite, type TestSite } from './site.ts'

const COUNT = 26
let site: TestSite
beforeAll(async () => {
  site = await openTestSite({ pagination: { count: 12 } })
  const { channelId } = await site.user('ada')
  for (let index = 1; index <= COUNT; index++) {
    const { id } = await seedVideo({ channelId, views: index === 5 ? 1000 : 0 })
    await runQuery(
      sql`UPDATE videos SET name = ${`Film number ${index}`}, duration = 61, remote = ${index === COUNT}, published_at = now() - ${COUNT - index} * interval '1 minute' WHERE id = ${id}`
    )
  }
}, 180_000)
afterAll(async () => await site?.stop())

const titles = '.card-title'

test.each([
  [1280, 'Bobine'],
  [390, 'Bobine'],
  [1280, 'TV'],
  [1280, 'The films of the old mill and all its friends']
])('at %i pixels one reads where one is: %s', async (width, name) => {
  const visitor = await site.visit({ viewport: { width, height: 800 } })
  const { page } = visitor
  await page.goto('/')
  await page.locator('.bar [aria-haspopup]').waitFor()
  const seen = await page.evaluate(name => {
    const [text, bar] = [document.querySelector('.bar-name')!, document.querySelector('.bar')!.getBoundingClientRect()]
    text.textContent = name
    const { top, bottom, left, width } = text.getBoundingClientRect()
    return { within: top >= bar.top && bottom <= bar.bottom, top: document.elementFromPoint(left + width / 2, (top + bottom) / 2) === text }
  }, name)
  expect(seen).toEqual({ within: true, top: true })
  await visitor.context.close()
})

test('the three lists are in view, each with its own address, and the address gives it again', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  const tab = (name: string) => page.getByRole('navigation', { name: 'Which videos' }).getByRole('link', { name })
  await page.getByRole('link', { name: `Film number ${COUNT}`, exact: true }).waitFor()
  await tab('Trending').click()
  await expect.poll(async () => await page.locator(titles).first().textContent()).toBe('Film number 5')
  expect(new URL(page.url()).search).toBe('?sort=trending')
  expect(await page.title()).toBe('Trending · Bobine')
  await tab('From here').click()
  await expect.poll(async () => await page.locator(titles).first().textContent()).toBe(`Film number ${COUNT - 1}`)
  expect(await tab('From here').getAttribute('aria-current')).toBe('page')
  await page.reload()
  await expect.poll(async () => await page.locator(titles).first().textContent()).toBe(`Film number ${COUNT - 1}`)
  await page.goBack()
  await expect.poll(async () => await page.locator(titles).first().textContent()).toBe('Film number 5')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('each list is found where it was left, without a jump', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, hasTouch: true })
  const { page } = visitor
  await page.goto('/')
  await page.locator(titles).first().waitFor()
  await page.evaluate(() =>
    new PerformanceObserver(list => {
      for (const entry of list.getEntries())
        (window as unknown as { shift: number }).shift =
          ((window as unknown as { shift?: number }).shift ?? 0) + (entry as unknown as { value: number }).value
    }).observe({ type: 'layout-shift', buffered: true })
  )
  for (let index = 0; index < 30 && (await page.locator(titles).count()) < COUNT; index++) {
    await page.mouse.wheel(0, 1200)
    await page.waitForTimeout(100)
  }
  expect(await page.locator(titles).count()).toBe(COUNT)
  const film = page.getByRole('link', { name: 'Film number 4', exact: true })
  await film.scrollIntoViewIfNeeded()
  await page.evaluate(() =>
    addEventListener(
      'click',
      () => {
        ;(window as unknown as { place: number }).place = scrollY
      },
      { capture: true, once: true }
    )
  )
  await page.getByRole('link', { name: 'Trending' }).tap()
  await expect.poll(async () => await page.locator(titles).first().textContent()).toBe('Film number 5')
  expect(await page.evaluate(() => scrollY)).toBe(0)
  const place = await page.evaluate(() => (window as unknown as { place: number }).place)
  expect(place).toBeGreaterThan(2000)
  await page.goBack()
  await film.waitFor()
  await expect.poll(async () => Math.abs((await page.evaluate(() => scrollY)) - place)).toBeLessThan(3)
  expect(await page.evaluate(() => (window as unknown as { shift?: number }).shift ?? 0)).toBeLessThan(0.02)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('on a phone the first picture begins high up, from edge to edge; nothing is wider than the screen', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 844 } })
  const { page } = visitor
  await page.goto('/')
  const box = (await page.locator('.thumbnail').first().boundingBox())!
  expect(box.y).toBeLessThan(115)
  expect([box.x, box.width]).toEqual([0, 390])
  await page.mouse.wheel(0, 2000)
  await expect.poll(async () => (await page.getByRole('link', { name: 'Trending' }).boundingBox())!.y).toBe(56)
  // Whoever goes through the links finds none of them below the tabs that stay in view.
  await page.getByRole('link', { name: 'Film number 20', exact: true }).focus()
  await page.keyboard.press('Shift+Tab')
  const focused = await page.evaluate(() => document.activeElement!.getBoundingClientRect().top)
  expect(focused).toBeGreaterThan(99)
  for (const width of [320, 600, 640, 800, 1920]) {
    await page.setViewportSize({ width, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), String(width)).toBe(true)
  }
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a link of an older form inside a page is led on by the server; one that leads nowhere says so once', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  let asked = 0
  page.on('request', request => {
    if (request.isNavigationRequest()) asked++
  })
  const follow = async (path: string) =>
    await page.evaluate(path => {
      const link = document.createElement('a')
      link.href = path
      document.body.append(link)
      link.click()
    }, path)
  await page.goto('/')
  await follow('/accounts/ada/videos')
  await page.getByRole('heading', { name: 'ada', exact: true }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/a/ada')
  asked = 0
  await follow('/nothing/here')
  await expect.poll(() => asked).toBe(1)
  await page.getByRole('heading', { name: 'This page does not exist' }).waitFor()
  expect(asked).toBe(1)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
