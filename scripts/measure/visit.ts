import { join } from 'node:path'
import type { Browser, BrowserContext, CDPSession, Page } from 'playwright-core'

/** A line and a machine as many people have them; null is what there is. */
export const SLOW_DEVICE = { cpu: 4, bitsPerSecond: 1_600_000, latency: 150 }
/** The screens that are measured. */
export const MEASURED_SCREENS = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true }
}

const SETTLING = 2000

/** A request of a page: times in ms since the navigation began, `bytes` as they travelled, headers included. */
export type RecordedRequest = { url: string; type: string; at: number; end: number; bytes: number }
/** What happened in a page, in ms since its navigation began; `tasks` are those of 50 ms and more as [start, length]. */
export type PageMetrics = {
  painted: number
  largest: number
  shifted: number
  tasks: [start: number, length: number][]
  pressed: number | null
  frame: number | null
  done: number | null
  asked: RecordedRequest[]
}

/** What happens in an opened page; `framed` resolves with its first moving frame. */
export type PageAction = (page: Page, framed: Promise<void>) => Promise<void>

/** Opens a page with an empty cache, lets `act` happen in it, and tells what was seen. */
export async function visitPage(
  browser: Browser,
  url: string,
  { slow, screen }: { slow: boolean; screen: keyof typeof MEASURED_SCREENS },
  act: PageAction
): Promise<PageMetrics> {
  const context = await browser.newContext({ ...MEASURED_SCREENS[screen], locale: 'en-GB' })
  try {
    return await look(context, url, slow, act)
  } finally {
    await context.close()
  }
}

/** Waits until nothing was asked for and no long task ran for a while. */
export async function waitForPageIdle(page: Page, ms = 1000): Promise<void> {
  await page.waitForLoadState('networkidle')
  await page.waitForFunction(
    (ms: number) =>
      performance.now() - Math.max(0, ...(window as never as { seen: PageMetrics }).seen.tasks.map(([at, length]) => at + length)) > ms,
    ms,
    { polling: 200 }
  )
}

async function look(context: BrowserContext, url: string, slow: boolean, act: PageAction): Promise<PageMetrics> {
  const page = await context.newPage()
  await context.addInitScript({ path: join(import.meta.dirname, 'observe.js') })
  const devtools = await context.newCDPSession(page)
  const { framed } = await answer(devtools)
  await devtools.send('Network.enable')
  const asked = follow(devtools)
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
  // The browser has its own start of a new window to get over first.
  await page.waitForTimeout(SETTLING)
  await page.goto(url, { waitUntil: 'commit' })
  await act(page, framed)
  const seen = await page.evaluate(() => (window as never as { seen: PageMetrics }).seen)
  return { ...seen, asked: asked() }
}

/**
 * Presses where a page asks for it, and resolves with its first moving frame. All by the browser's bare protocol: a question from outside,
 * or the tool's own bindings, would have the page run the tool's code in the middle of what is measured.
 */
async function answer(devtools: CDPSession): Promise<{ framed: Promise<void> }> {
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

/** What a page asked for so far. */
function follow(devtools: CDPSession): () => RecordedRequest[] {
  const asked = new Map<string, RecordedRequest>()
  let began: number | null = null
  devtools.on('Network.requestWillBeSent', ({ requestId, request, timestamp, type }) => {
    if (request.url.startsWith('data:') || request.url.startsWith('blob:')) return
    began ??= timestamp
    asked.set(requestId, { url: request.url, type: type ?? 'Other', at: (timestamp - began) * 1000, end: Infinity, bytes: 0 })
  })
  devtools.on('Network.loadingFinished', ({ requestId, timestamp, encodedDataLength }) => {
    const one = asked.get(requestId)
    if (one) Object.assign(one, { end: (timestamp - began!) * 1000, bytes: encodedDataLength })
  })
  devtools.on('Network.requestServedFromCache', ({ requestId }) => {
    asked.delete(requestId)
  })
  return () => [...asked.values()]
}
