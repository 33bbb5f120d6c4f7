import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectFolder } from '../../server/core/config.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

type VideoIds = { id: number; uuid: string; shortUUID: string }
let site: TestSite
let video: VideoIds
let portraitVideo: VideoIds

beforeAll(async () => {
  site = await openTestSite({
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  video = await uploadVideo(
    site,
    ada,
    { name: 'The "mill" </script> & more', description: 'A **wheel** that turns.' },
    await makeFootageBytes({ seconds: 6, size: '426x240' })
  )
  portraitVideo = await uploadVideo(site, ada, { name: 'An upright film' }, await makeFootageBytes({ seconds: 2, size: '240x426' }))
  for (const { id } of [video, portraitVideo]) await waitForTranscoding(site, ada, id)
}, 180_000)
afterAll(async () => await site.stop())

/** Paths of all pages: every route of the client with parameters that exist, and some error pages. */
function allPaths(): string[] {
  const routes = [...readFileSync(join(projectFolder, 'client/src/app/routes.ts'), 'utf8').matchAll(/path: '([^']+)'/g)].map(
    ([, path]) => path!
  )
  expect(routes.length).toBeGreaterThan(15)
  const pathsOfRoutes: Record<string, string> = {
    '/w/:id': `/w/${video.shortUUID}`,
    '/c/:handle': '/c/ada_channel',
    '/a/:name': '/a/ada',
    '/my/videos/:id': `/my/videos/${video.shortUUID}`
  }
  return [
    ...routes.map(path => pathsOfRoutes[path] ?? path.replace(/:\w+/g, 'x')),
    `/videos/embed/${video.uuid}`,
    '/offline',
    '/search?search=mill',
    '/nothing/here',
    '/w/nothing',
    '/videos/embed/nothing'
  ]
}

test('every page has a strict content security policy and no inline scripts but those it allows by hash', async () => {
  const pathsWithEarlyPlayback = [`/w/${video.shortUUID}`, `/videos/embed/${video.uuid}`]
  for (const path of allPaths()) {
    const { headers, text } = await site.call(`GET /${path}`, { headers: { accept: 'text/html' } })
    const policy = headers.get('content-security-policy') ?? ''
    const inline = [...text.matchAll(/<script(?: data-film="[^"]*")?>([^<]*)<\/script>/g)].map(
      ([, script]) => `'sha256-${createHash('sha256').update(script!).digest('base64')}'`
    )
    expect([path, inline.length]).toEqual([path, path === '/offline' ? 0 : pathsWithEarlyPlayback.includes(path) ? 2 : 1])
    expect([path, policy.match(/(?:default|script|style|worker)-src [^;]*/g)]).toEqual([
      path,
      expect.arrayContaining([
        "default-src 'self'",
        expect.stringMatching(/^script-src 'self'(?: 'sha256-[\w+/=]{44}'){2}$/),
        "style-src 'self'",
        "worker-src 'self' blob:"
      ])
    ])
    expect([path, policy]).toEqual([path, expect.not.stringMatching(/unsafe|\*/)])
    expect([path, policy.includes("frame-ancestors 'none'"), headers.get('x-frame-options')]).toEqual([
      path,
      !path.startsWith('/videos/embed/'),
      path.startsWith('/videos/embed/') ? null : 'DENY'
    ])
    for (const hash of inline) expect(policy).toContain(hash)
    const scripts = [...text.matchAll(/<script\b([^>]+)>/g)]
      .map(([, attributes]) => attributes!)
      .filter(attributes => !/^ data-film="[^"]*"$| src="\/client\/|type="application\/(ld\+)?json"/.test(attributes))
    expect([path, scripts, / style=| on\w+=|<style/.test(text.replace(/<script[\s\S]*?<\/script>/g, ''))]).toEqual([path, [], false])
  }
})

test('no page violates its content security policy, for guests and for the administrator', { timeout: 120_000 }, async () => {
  for (const name of ['guest', 'root']) {
    const visitor = await site.visit()
    const { page } = visitor
    if (name === 'root') await logInThroughForm(page, 'root', site.rootPassword)
    for (const path of allPaths()) {
      await page.goto(path, { waitUntil: 'load' })
      await page.locator('h1').first().waitFor({ state: 'attached' })
    }
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})

test('the head of a watch page has a player card, schema.org data and an oEmbed link', async () => {
  const { text } = await site.call(`GET //w/${video.shortUUID}`)
  const { json: details } = await site.call(`GET /videos/${video.uuid}`)
  const decodeEntities = (value: string) => value.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
  const meta = Object.fromEntries(
    [...text.matchAll(/<meta (?:name|property)="([^"]+)" content="([^"]*)"/g)].map(([, name, content]) => [name, decodeEntities(content!)])
  )
  const embed = `${site.url}/videos/embed/${video.uuid}`
  expect(meta).toMatchObject({
    'twitter:card': 'player',
    'twitter:title': details.name,
    'twitter:description': 'A wheel that turns.',
    'twitter:player': embed,
    'twitter:player:width': '560',
    'twitter:player:height': '315',
    'twitter:image': site.url + details.previewPath,
    'og:title': details.name,
    'og:video:url': embed,
    'og:url': `${site.url}/w/${video.shortUUID}`
  })
  for (const address of [meta['twitter:player'], meta['twitter:image']]) expect((await fetch(address!)).status).toBe(200)
  const schema = JSON.parse(/<script type="application\/ld\+json">(.*?)<\/script>/s.exec(text)![1]!)
  expect(schema).toMatchObject({
    '@type': 'VideoObject',
    name: details.name,
    description: 'A wheel that turns.',
    thumbnailUrl: site.url + details.previewPath,
    uploadDate: details.publishedAt,
    duration: `PT${details.duration}S`,
    url: `${site.url}/w/${video.shortUUID}`,
    embedUrl: embed,
    author: { name: details.channel.displayName, url: `${site.url}/c/ada_channel` },
    interactionStatistic: { '@type': 'InteractionCounter', userInteractionCount: details.views }
  })
  const oembedUrl = decodeEntities(/<link rel="alternate" type="application\/json\+oembed" href="([^"]+)"/.exec(text)![1]!)
  expect(await (await fetch(oembedUrl)).json()).toMatchObject({ type: 'video', title: details.name, width: 560 })
  expect((await site.call(`GET //w/${portraitVideo.shortUUID}`)).text).toMatch(
    /<meta name="twitter:player:width" content="31\d">\s*<meta name="twitter:player:height" content="560">/
  )
})

test('text typed into the search field before hydration is kept', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  // As soon as the field exists, before the page does anything else.
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      const field = document.querySelector<HTMLInputElement>('main form.search input')
      if (!field) return
      observer.disconnect()
      field.value = 'wheel'
      field.dispatchEvent(new Event('input', { bubbles: true }))
    }).observe(document, { childList: true, subtree: true })
  })
  await page.goto('/login')
  await page.getByRole('link', { name: 'Search' }).click()
  await page.getByRole('main').getByRole('button', { name: 'Search' }).click()
  await page.waitForURL('**/search?search=wheel')
  await page.goBack()
  await page.waitForURL(/\/search$/)
  expect(await page.getByLabel('Search or paste a link').inputValue()).toBe('')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('home, watch, channel, account and search pages work without JavaScript, and the video files are reachable', async () => {
  const visitor = await site.visit({ javaScriptEnabled: false })
  const { page } = visitor
  const title = { name: 'The "mill" </script> & more', exact: true }
  await page.goto('/')
  expect(
    await page
      .locator('.card img')
      .first()
      .evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0)
  ).toBe(true)
  await page.getByRole('link', title).click()
  await page.getByRole('heading', title).waitFor()
  await page.getByText('A wheel that turns.').waitFor()
  const links = [page.locator('.player > noscript a'), page.getByRole('link', { name: /Video not playing/ })]
  const responses = await Promise.all(
    links.map(async link => {
      const response = await fetch(await link.evaluate((element: HTMLAnchorElement) => element.href))
      const bytes = Buffer.from(await response.arrayBuffer()).toString('latin1')
      return [
        response.status,
        response.headers.get('content-type')?.split(';')[0],
        bytes.startsWith('#EXTM3U') ? 'playlist' : bytes.slice(4, 8)
      ]
    })
  )
  expect(responses).toEqual([
    [200, 'video/mp4', 'ftyp'],
    [200, 'application/vnd.apple.mpegurl', 'playlist']
  ])
  expect(await page.locator('.player-poster').isVisible()).toBe(true)
  // The browser's own player shows the file.
  await page.locator('.player > noscript a').click()
  await expect
    .poll(async () => await page.locator('video').evaluate((element: HTMLVideoElement) => element.readyState), { timeout: 30_000 })
    .toBeGreaterThan(1)
  await page.goBack()
  await page.getByRole('link', { name: /Video not playing/ }).waitFor()
  await page.getByRole('link', { name: /ada/ }).first().click()
  await page.getByRole('heading', { name: 'Main ada channel' }).waitFor()
  await page.getByRole('link', title).waitFor()
  await page.goto('/a/ada')
  await page.getByRole('link', title).waitFor()
  await page.getByRole('link', { name: 'Search' }).click()
  await page.getByLabel('Search or paste a link').fill('mill')
  await page.getByRole('button', { name: 'Search' }).click()
  expect(await page.locator('.card-title').allTextContents()).toEqual([title.name])
  await page.getByLabel('Search or paste a link').fill('ada')
  await page.keyboard.press('Enter')
  expect(await page.locator('.search-channel').getAttribute('href')).toBe('/c/ada_channel')
  await page.getByLabel('Search or paste a link').fill('"><img src=x>')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'No results found' }).waitFor()
  expect(await page.locator('main img').count()).toBe(0)
  await page.goto('/search?search=%40ada%40other.example')
  // Playwright's text locators ignore noscript elements.
  const note = page.locator('noscript p')
  await note.waitFor()
  expect(await note.innerText()).toBe('Searching other instances requires JavaScript.')
  await page.goto('/login')
  await note.waitFor()
  expect(await note.innerText()).toBe('This page requires JavaScript.')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('server-rendered search results equal those of the API', async () => {
  for (const searchText of ['mill', 'ada', 'nothing of it']) {
    const { text } = await site.call(`GET //search?search=${encodeURIComponent(searchText)}`)
    const { answers } = JSON.parse(/<script type="application\/json" id="bobine-data">(.*?)<\/script>/s.exec(text)![1]!) as {
      answers: Record<string, unknown>
    }
    const searchResponses = Object.entries(answers).filter(([address]) => address.startsWith('/api/v1/search/'))
    expect(searchResponses).toHaveLength(2)
    for (const [address, answer] of searchResponses) expect((await site.call(`GET ${address.replace('/api/v1', '')}`)).json).toEqual(answer)
  }
})
