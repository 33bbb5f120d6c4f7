import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'

/** How long (ms) a page is left alone before what it has loaded is counted. */
const WAIT = 8000
/** Bytes that five embedded players may load of their videos before play. */
const EMBEDS_LIMIT = 60_000

/**
 * Prints how much of a video (playlists and segments, without pictures) pages load while nobody presses play, and how much ten seconds after:
 * the watch page, an embedded player, a page with five, and both with Save-Data.
 */
export async function measureMediaBytes(browser: Browser, watchUrl: string, embedUrl: string): Promise<void> {
  const embedding = createServer((_request, response) => {
    response
      .writeHead(200, { 'content-type': 'text/html' })
      .end(`<!doctype html>${`<iframe src="${embedUrl}" width="640" height="360"></iframe>`.repeat(5)}`)
  })
  await new Promise<void>(resolve => embedding.listen(0, '127.0.0.1', resolve))
  const five = `http://127.0.0.1:${(embedding.address() as AddressInfo).port}/`
  try {
    console.log(`\nMedia loaded within ${WAIT / 1000} s`)
    await print(browser, 'watch page, before play', watchUrl)
    await print(browser, 'watch page, after play', watchUrl, { act: pressPlay })
    await print(browser, 'embedded player, before play', embedUrl)
    await print(browser, `page with five, before play (at most ${EMBEDS_LIMIT / 1000} kB)`, five)
    const saving = { extraHTTPHeaders: { 'save-data': 'on' } }
    await print(browser, 'watch page with Save-Data, before play', watchUrl, { options: saving, act: saveData })
    await print(browser, 'embedded player with Save-Data, before play', embedUrl, { options: saving, act: saveData })
  } finally {
    embedding.close()
    embedding.closeAllConnections()
  }
}

async function print(
  browser: Browser,
  name: string,
  url: string,
  { options = {}, act }: { options?: BrowserContextOptions; act?: (page: Page, url: string) => Promise<void> } = {}
): Promise<void> {
  const context = await browser.newContext({ locale: 'en-GB', ...options })
  let [bytes, requests] = [0, 0]
  context.on('response', response => {
    if (!new URL(response.url()).pathname.startsWith('/static/')) return
    bytes += Number(response.headers()['content-length'] ?? 0)
    requests++
  })
  try {
    const page = await context.newPage()
    if (act === saveData) await saveData(page)
    await page.goto(url)
    if (act === pressPlay) await pressPlay(page)
    await page.waitForTimeout(WAIT)
  } finally {
    await context.close()
  }
  console.log(`  ${name.padEnd(52)}${(bytes / 1000).toFixed(0).padStart(8)} kB in ${requests} requests`)
}

async function pressPlay(page: Page): Promise<void> {
  await page.locator('.player-start').first().click()
}

/** The browser says the same to scripts as in its header. */
async function saveData(page: Page): Promise<void> {
  await page.addInitScript(() => Object.defineProperty(navigator, 'connection', { value: { saveData: true } }))
}
