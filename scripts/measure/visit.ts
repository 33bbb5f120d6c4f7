import { join } from 'node:path'
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'

/** The connection and the device of many viewers. */
export const SLOW_DEVICE = { cpu: 4, bitsPerSecond: 1_600_000, latency: 150 }
/** The measured screens. */
export const MEASURED_SCREENS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true }
}

const BROWSER_SETTLE_MS = 2000

/** A request of a page: times in ms since the navigation began, `bytes` as transferred, headers included. */
export type RecordedRequest = { url: string; type: string; at: number; end: number; bytes: number }
/** The metrics of a page, in ms since its navigation began; `tasks` are those of 50 ms and more as [start, length]. */
export type PageMetrics = {
  painted: number
  largest: number
  shifted: number
  tasks: [start: number, length: number][]
  pressed: number | null
  frame: number | null
  done: number | null
  requests: RecordedRequest[]
}

/** An action in an opened page; `framed` resolves with its first moving frame. */
export type PageAction = (page: Page, framed: Promise<void>) => Promise<void>

/** Opens a page with an empty cache, runs `action` in it, and returns its metrics. */
export async function visitPage(
  browser: Browser,
  url: string,
  { slow, screen }: { slow: boolean; screen: keyof typeof MEASURED_SCREENS },
  action: PageAction
): Promise<PageMetrics> {
  const context = await browser.newContext({ ...MEASURED_SCREENS[screen], locale: 'en-GB' })
  try {
    return await recordVisit(context, url, slow, action)
  } finally {
    await context.close()
  }
}

/** Waits until there were no requests and no long task for `ms`. */
export async function waitForPageIdle(page: Page, ms = 1000): Promise<void> {
  await page.waitForLoadState('networkidle')
  await page.waitForFunction(
    (ms: number) =>
      performance.now() - Math.max(0, ...(window as never as { seen: PageMetrics }).seen.tasks.map(([at, length]) => at + length)) > ms,
    ms,
    { polling: 200 }
  )
}

async function recordVisit(context: BrowserContext, url: string, slow: boolean, action: PageAction): Promise<PageMetrics> {
  const page = await context.newPage()
  await context.addInitScript({ path: join(import.meta.dirname, 'observe.js') })
  const devtools = await context.newCDPSession(page)
  const { framed } = await handlePagePresses(devtools)
  await devtools.send('Network.enable')
  const requests = recordRequests(devtools)
  if (slow) {
    const bytesPerSecond = SLOW_DEVICE.bitsPerSecond / 8
    await devtools.send('Network.emulateNetworkConditions', {
      offline: false,
      latency: SLOW_DEVICE.latency,
      downloadThroughput: bytesPerSecond,
      uploadThroughput: bytesPerSecond
    })
    await devtools.send('Emulation.setCPUThrottlingRate', { rate: SLOW_DEVICE.cpu })
  }
  // The browser's own start of a new window must not be measured.
  await page.waitForTimeout(BROWSER_SETTLE_MS)
  await page.goto(url, { waitUntil: 'commit' })
  await action(page, framed)
  const metrics = await page.evaluate(() => (window as never as { seen: PageMetrics }).seen)
  return { ...metrics, requests: requests() }
}

/**
 * Clicks where the page asks for it, and returns a promise of its first moving frame. Uses only the DevTools protocol: Playwright's
 * evaluate or bindings would run their own code in the page during the measurement.
 */
async function handlePagePresses(devtools: CDPSession): Promise<{ framed: Promise<void> }> {
  await devtools.send('Runtime.enable')
  for (const name of ['press', 'framed']) await devtools.send('Runtime.addBinding', { name })
  const framed = new Promise<void>(resolve => {
    devtools.on('Runtime.bindingCalled', ({ name, payload }) => {
      if (name === 'framed') return resolve()
      const [x, y] = payload.split(' ').map(Number) as [number, number]
      for (const type of ['mousePressed', 'mouseReleased'] as const)
        void devtools.send('Input.dispatchMouseEvent', { type, x, y, button: 'left', clickCount: 1 })
    })
  })
  return { framed }
}

/** Records the requests of a page; returns a function that lists them. */
function recordRequests(devtools: CDPSession): () => RecordedRequest[] {
  const requests = new Map<string, RecordedRequest>()
  let began: number | null = null
  devtools.on('Network.requestWillBeSent', ({ requestId, request, timestamp, type }) => {
    if (request.url.startsWith('data:') || request.url.startsWith('blob:')) return
    began ??= timestamp
    requests.set(requestId, { url: request.url, type: type ?? 'Other', at: (timestamp - began) * 1000, end: Infinity, bytes: 0 })
  })
  devtools.on('Network.loadingFinished', ({ requestId, timestamp, encodedDataLength }) => {
    const request = requests.get(requestId)
    if (request) Object.assign(request, { end: (timestamp - began!) * 1000, bytes: encodedDataLength })
  })
  devtools.on('Network.requestServedFromCache', ({ requestId }) => {
    requests.delete(requestId)
  })
  return () => [...requests.values()]
}
