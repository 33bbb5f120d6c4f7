import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { projectFolder } from '../../server/core/config.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

type Names = { id: number; uuid: string; shortUUID: string }
let site: TestSite
let video: Names
let upright: Names

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
  upright = await uploadVideo(site, ada, { name: 'An upright film' }, await makeFootageBytes({ seconds: 2, size: '240x426' }))
  for (const { id } of [video, upright]) await waitForTranscoding(site, ada, id)
}, 180_000)
afterAll(async () => await site.stop())

/** Every address of the client's routes, with something to be found there. */
function paths(): string[] {
  const routes = [...readFileSync(join(projectFolder, 'client/src/shell/routes.ts'), 'utf8').matchAll(/path: '([^']+)'/g)].map(
    ([, path]) => path!
  )
  expect(routes.length).toBeGreaterThan(15)
  const known: Record<string, string> = {
    '/w/:id': `/w/${video.shortUUID}`,
    '/c/:handle': '/c/ada_channel',
    '/a/:name': '/a/ada',
    '/my/videos/:id': `/my/videos/${video.shortUUID}`
  }
  return [
    ...routes.map(path => known[path] ?? path.replace(/:\w+/g, 'x')),
    `/videos/embed/${video.uuid}`,
    '/offline',
    '/search?search=mill',
    '/nothing/here',
    '/w/nothing',
    '/videos/embed/nothing'
  ]
}

test('every page has the strict policy and nothing inline but the scripts it names', async () => {
  const films = [`/w/${video.shortUUID}`, `/videos/embed/${video.uuid}`]
  for (const path of paths()) {
    const { headers, text } = await site.call(`GET /${path}`, { headers: { accept: 'text/html' } })
    const policy = headers.get('content-security-policy') ?? ''
    const inline = [...text.matchAll(/<script(?: data-film="[^"]*")?>([^<]*)<\/script>/g)].map(
      ([, script]) => `'sha256-${createHash('sha256').update(script!).digest('base64')}'`
    )
    expect([path, inline.length]).toEqual([path, path === '/offline' ? 0 : films.includes(path) ? 2 : 1])
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
    for (const one of inline) expect(policy).toContain(one)
    const scripts = [...text.matchAll(/<script\b([^>]+)>/g)]
      .map(([, attributes]) => attributes!)
      .filter(attributes => !/^ data-film="[^"]*"$| src="\/client\/|type="application\/(ld\+)?json"/.test(attributes))
    expect([path, scripts, / style=| on\w+=|<style/.test(text.replace(/<script[\s\S]*?<\/script>/g, ''))]).toEqual([path, [], false])
  }
})

test('no page breaks its policy when it is opened, for guests and for the administrator', { timeout: 120_000 }, async () => {
  for (const name of ['guest', 'root']) {
    const visitor = await site.visit()
    const { page } = visitor
    if (name === 'root') await logInThroughForm(page, 'root', site.rootPassword)
    for (const path of paths()) {
      await page.goto(path, { waitUntil: 'load' })
      await page.locator('h1').first().waitFor({ state: 'attached' })
    }
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})

test('the head of a video is true: the card with the player, the schema, the way to oEmbed', async () => {
  const { text } = await site.call(`GET //w/${video.shortUUID}`)
  const { json: details } = await site.call(`GET /videos/${video.uuid}`)
  const plain = (value: string) => value.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
  const meta = Object.fromEntries(
    [...text.matchAll(/<meta (?:name|property)="([^"]+)" content="([^"]*)"/g)].map(([, name, content]) => [name, plain(content!)])
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
  const discovery = plain(/<link rel="alternate" type="application\/json\+oembed" href="([^"]+)"/.exec(text)![1]!)
  expect(await (await fetch(discovery)).json()).toMatchObject({ type: 'video', title: details.name, width: 560 })
  expect((await site.call(`GET //w/${upright.shortUUID}`)).text).toMatch(
    /<meta name="twitter:player:width" content="31\d">\s*<meta name="twitter:player:height" content="560">/
  )
})

test('what is typed into the search field as soon as it is there stays there', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  // Before the page has had time for anything but showing the field.
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
  expect(await page.getByLabel('Search, or paste an address').inputValue()).toBe('')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('without JavaScript one reads home, film, channel, account and search, and gets a film that answers', async () => {
  const visitor = await site.visit({ javaScriptEnabled: false })
  const { page } = visitor
  const film = { name: 'The "mill" </script> & more', exact: true }
  await page.goto('/')
  expect(
    await page
      .locator('.card img')
      .first()
      .evaluate((image: HTMLImageElement) => image.complete && image.naturalWidth > 0)
  ).toBe(true)
  await page.getByRole('link', film).click()
  await page.getByRole('heading', film).waitFor()
  await page.getByText('A wheel that turns.').waitFor()
  const sources = await page.locator('video[controls] source').evaluateAll(all => all.map(source => (source as HTMLSourceElement).src))
  const answers = await Promise.all(
    sources.map(async source => {
      const answer = await fetch(source)
      const bytes = Buffer.from(await answer.arrayBuffer()).toString('latin1')
      return [
        answer.status,
        answer.headers.get('content-type')?.split(';')[0],
        bytes.startsWith('#EXTM3U') ? 'playlist' : bytes.slice(4, 8)
      ]
    })
  )
  expect(answers).toEqual([
    [200, 'application/vnd.apple.mpegurl', 'playlist'],
    [200, 'video/mp4', 'ftyp']
  ])
  expect(await page.locator('video').isVisible()).toBe(true)
  await page.getByRole('link', { name: /Does it not play/ }).waitFor()
  await page.getByRole('link', { name: /ada/ }).first().click()
  await page.getByRole('heading', { name: 'Main ada channel' }).waitFor()
  await page.getByRole('link', film).waitFor()
  await page.goto('/a/ada')
  await page.getByRole('link', film).waitFor()
  await page.getByRole('link', { name: 'Search' }).click()
  await page.getByLabel(/Words/).fill('mill')
  await page.getByRole('button', { name: 'Search' }).click()
  expect(await page.locator('.card-title').allTextContents()).toEqual([film.name])
  await page.getByLabel(/Words/).fill('ada')
  await page.keyboard.press('Enter')
  expect(await page.locator('.search-channel').getAttribute('href')).toBe('/c/ada_channel')
  await page.getByLabel(/Words/).fill('"><img src=x>')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Nothing found' }).waitFor()
  expect(await page.locator('main img').count()).toBe(0)
  await page.goto('/search?search=%40ada%40other.example')
  // Searches for texts leave such elements out.
  const note = page.locator('noscript p')
  await note.waitFor()
  expect(await note.innerText()).toBe('What is on other servers is looked up with JavaScript only.')
  await page.goto('/login')
  await note.waitFor()
  expect(await note.innerText()).toBe('This page works with JavaScript only.')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a film found without the client is what the client finds', async () => {
  for (const words of ['mill', 'ada', 'nothing of it']) {
    const { text } = await site.call(`GET //search?search=${encodeURIComponent(words)}`)
    const { answers } = JSON.parse(/<script type="application\/json" id="bobine-data">(.*?)<\/script>/s.exec(text)![1]!) as {
      answers: Record<string, unknown>
    }
    const found = Object.entries(answers).filter(([address]) => address.startsWith('/api/v1/search/'))
    expect(found).toHaveLength(2)
    for (const [address, answer] of found) expect((await site.call(`GET ${address.replace('/api/v1', '')}`)).json).toEqual(answer)
  }
})
