import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { seedVideo } from '../../server/test/seed-video.ts'
import { expectNoPageErrors, openTestSite, type TestSite } from './site.ts'

const COUNT = 26
let site: TestSite
beforeAll(async () => {
  site = await openTestSite({ pagination: { count: 12 }, search: { remote_uri: { anonymous: false } } })
  const { channelId } = await site.user('ada')
  for (let index = 1; index <= COUNT; index++) {
    const { id } = await seedVideo({ channelId, views: index === 5 ? 1000 : 0 })
    await runQuery(sql`
      UPDATE videos SET name = ${`Film number ${index}`}, duration = 61, remote = ${index === COUNT},
        published_at = now() - ${COUNT - index} * interval '1 minute'
      WHERE id = ${id}`)
  }
  // The remote one is listed as the instance follows its channel.
  await runQuery(sql`
    INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
    SELECT ${`${site.url}/follows/1`}, instance.id, channel.actor_id, 'accepted', now(), now()
    FROM actors instance, channels channel WHERE instance.preferred_username = 'peertube' AND channel.id = ${channelId}`)
}, 180_000)
afterAll(async () => await site?.stop())

const CARD_TITLE = '.card-title'

test.each([
  [1280, 'Bobine'],
  [390, 'Bobine'],
  [1280, 'TV'],
  [1280, 'The films of the old mill and all its friends']
])('at %i pixels the name of the instance is readable: %s', async (width, name) => {
  const visitor = await site.visit({ viewport: { width, height: 800 } })
  const { page } = visitor
  await page.goto('/')
  await page.locator('.bar [aria-haspopup]').waitFor()
  const visibility = await page.evaluate(name => {
    const [text, bar] = [document.querySelector('.bar-name')!, document.querySelector('.bar')!.getBoundingClientRect()]
    text.textContent = name
    const { top, bottom, left, width } = text.getBoundingClientRect()
    return { within: top >= bar.top && bottom <= bar.bottom, top: document.elementFromPoint(left + width / 2, (top + bottom) / 2) === text }
  }, name)
  expect(visibility).toEqual({ within: true, top: true })
  await visitor.context.close()
})

test('each of the three lists has its own URL, which leads back to it', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  const tab = (name: string) => page.getByRole('navigation', { name: 'Browse videos' }).getByRole('link', { name })
  await page.getByRole('link', { name: `Film number ${COUNT}`, exact: true }).waitFor()
  await tab('Trending').click()
  await expect.poll(async () => await page.locator(CARD_TITLE).first().textContent()).toBe('Film number 5')
  expect(new URL(page.url()).search).toBe('?sort=trending')
  expect(await page.title()).toBe('Trending · Bobine')
  await tab('Local').click()
  await expect.poll(async () => await page.locator(CARD_TITLE).first().textContent()).toBe(`Film number ${COUNT - 1}`)
  expect(await tab('Local').getAttribute('aria-current')).toBe('page')
  await page.reload()
  await expect.poll(async () => await page.locator(CARD_TITLE).first().textContent()).toBe(`Film number ${COUNT - 1}`)
  await page.goBack()
  await expect.poll(async () => await page.locator(CARD_TITLE).first().textContent()).toBe('Film number 5')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('going back to a list restores its scroll position without layout shifts', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 844 }, hasTouch: true })
  const { page } = visitor
  await page.goto('/')
  await page.locator(CARD_TITLE).first().waitFor()
  await page.evaluate(() =>
    new PerformanceObserver(list => {
      for (const entry of list.getEntries())
        (window as unknown as { shift: number }).shift =
          ((window as unknown as { shift?: number }).shift ?? 0) + (entry as unknown as { value: number }).value
    }).observe({ type: 'layout-shift', buffered: true })
  )
  for (let index = 0; index < 30 && (await page.locator(CARD_TITLE).count()) < COUNT; index++) {
    await page.mouse.wheel(0, 1200)
    await page.waitForTimeout(100)
  }
  expect(await page.locator(CARD_TITLE).count()).toBe(COUNT)
  const videoLink = page.getByRole('link', { name: 'Film number 4', exact: true })
  await videoLink.scrollIntoViewIfNeeded()
  await page.evaluate(() =>
    addEventListener(
      'click',
      () => {
        ;(window as unknown as { scrollBefore: number }).scrollBefore = scrollY
      },
      { capture: true, once: true }
    )
  )
  await page.getByRole('link', { name: 'Trending' }).tap()
  await expect.poll(async () => await page.locator(CARD_TITLE).first().textContent()).toBe('Film number 5')
  expect(await page.evaluate(() => scrollY)).toBe(0)
  const scrollBefore = await page.evaluate(() => (window as unknown as { scrollBefore: number }).scrollBefore)
  expect(scrollBefore).toBeGreaterThan(2000)
  await page.goBack()
  await videoLink.waitFor()
  await expect.poll(async () => Math.abs((await page.evaluate(() => scrollY)) - scrollBefore)).toBeLessThan(3)
  expect(await page.evaluate(() => (window as unknown as { shift?: number }).shift ?? 0)).toBeLessThan(0.02)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('on a phone the first thumbnail is near the top and as wide as the screen; nothing overflows at any width', async () => {
  const visitor = await site.visit({ viewport: { width: 390, height: 844 } })
  const { page } = visitor
  await page.goto('/')
  const box = (await page.locator('.thumbnail').first().boundingBox())!
  expect(box.y).toBeLessThan(115)
  expect([box.x, box.width]).toEqual([0, 390])
  await page.mouse.wheel(0, 2000)
  await expect.poll(async () => (await page.getByRole('link', { name: 'Trending' }).boundingBox())!.y).toBe(56)
  // A focused link is never hidden below the sticky tabs.
  await page.getByRole('link', { name: 'Film number 20', exact: true }).focus()
  await page.keyboard.press('Shift+Tab')
  const focusedTop = await page.evaluate(() => document.activeElement!.getBoundingClientRect().top)
  expect(focusedTop).toBeGreaterThan(99)
  for (const width of [320, 600, 640, 800, 1920]) {
    await page.setViewportSize({ width, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), String(width)).toBe(true)
  }
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a legacy link inside a page is redirected by the server; a dead one causes one request and an error page', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  let navigations = 0
  page.on('request', request => {
    if (request.isNavigationRequest()) navigations++
  })
  const clickLinkTo = async (path: string) =>
    await page.evaluate(path => {
      const link = document.createElement('a')
      link.href = path
      document.body.append(link)
      link.click()
    }, path)
  await page.goto('/')
  await clickLinkTo('/accounts/ada/videos')
  await page.getByRole('heading', { name: 'ada', exact: true }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/a/ada')
  navigations = 0
  await clickLinkTo('/nothing/here')
  await expect.poll(() => navigations).toBe(1)
  await page.getByRole('heading', { name: 'This page doesn’t exist' }).waitFor()
  expect(navigations).toBe(1)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test.each(['en', 'fr'] as const)('a visitor is sent to the server of a video that this one does not follow (%s)', async language => {
  const [film] = await runQuery<{ id: number; uuid: string }>(sql`SELECT id, uuid FROM videos WHERE remote`)
  await runQuery(sql`UPDATE videos SET url = ${`https://far.example/videos/watch/${film!.uuid}`} WHERE id = ${film!.id}`)
  const follow = await runQuery<{ id: number }>(sql`UPDATE follows SET state = 'pending' WHERE state = 'accepted' RETURNING id`)
  const visitor = await site.visit({ locale: language, viewport: { width: 390, height: 800 } })
  const { page } = visitor
  const heading = { en: 'This video is on another instance', fr: 'Cette vidéo est sur une autre instance' }[language]
  const link = page.getByRole('link', { name: { en: 'Watch it on far.example', fr: 'La regarder sur far.example' }[language] })
  await page.goto(`/w/${film!.uuid}`)
  await page.getByRole('heading', { name: heading }).waitFor()
  expect(await link.getAttribute('href')).toBe(`https://far.example/videos/watch/${film!.uuid}`)
  await page.goto('/')
  expect(await page.getByText(`Film number ${COUNT}`).count()).toBe(0)
  await runQuery(sql`UPDATE follows SET state = 'accepted' WHERE id = ${follow[0]!.id}`)
  await visitor.context.close()
})
