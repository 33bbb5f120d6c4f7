import { readdirSync, statSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../../client/test/chromium.ts'
import { shortUuid } from '../../shared/short-uuid.ts'
import { createBenchEnvironment, type BenchEnvironment } from './bench-environment.ts'
import { serveBaselinePages } from './baseline-pages.ts'
import { measureMediaBytes } from './media-bytes.ts'
import { median } from './metrics.ts'
import { seedVideoClips, seedTranscodedVideo } from './seed-videos.ts'
import { waitForPageIdle, SLOW_DEVICE, visitPage, type RecordedRequest, type PageMetrics } from './visit.ts'

const RUNS = 5
const VIDEOS = 100
const AFTER_FRAME = 3000
const MINIMAL_TRANSCODING = {
  storyboards: { enabled: false },
  transcoding: { resolutions: Object.fromEntries([240, 360, 480, 720, 1080].map(size => [`${size}p`, false])) }
}

type Figure = { name: string; limit: number; unit: string; valueOf: (metrics: PageMetrics) => number }

const WATCH: Figure[] = [
  { name: 'first contentful paint', limit: 1200, unit: 'ms', valueOf: metrics => metrics.painted },
  { name: 'play pressed (as soon as it is there)', limit: Infinity, unit: 'ms', valueOf: metrics => metrics.pressed! },
  { name: 'first video frame', limit: 3000, unit: 'ms', valueOf: metrics => metrics.frame! },
  { name: 'layout shift, excused ones included', limit: 0.02, unit: '', valueOf: metrics => metrics.shifted },
  { name: 'total blocking time', limit: 150, unit: 'ms', valueOf: blocking },
  { name: 'requests without media', limit: 30, unit: '', valueOf: metrics => withoutMedia(metrics).length },
  { name: 'transferred without media', limit: 350, unit: 'kB', valueOf: metrics => kilobytes(withoutMedia(metrics)) }
]
const HOME: Figure[] = [
  { name: 'first contentful paint', limit: 1200, unit: 'ms', valueOf: metrics => metrics.painted },
  { name: 'largest contentful paint', limit: 2000, unit: 'ms', valueOf: metrics => metrics.largest },
  { name: 'layout shift', limit: 0.02, unit: '', valueOf: metrics => metrics.shifted },
  {
    name: 'longest task while scrolling to the end',
    limit: 100,
    unit: 'ms',
    valueOf: metrics => Math.max(0, ...metrics.tasks.filter(([at]) => at > metrics.done!).map(([, length]) => length))
  }
]

/**
 * Prints the page metrics of a viewer with a slow connection and a slow device, each with its limit: the median of 5 runs with an empty
 * cache, followed by the best and all of them.
 */
export async function measurePageLoads(): Promise<void> {
  await withSeededSite(async (browser, url, uuid, videoFile) => {
    console.log(
      `Chromium ${browser.version()}, ${cpus().length} x ${cpus()[0]?.model.trim()}; slow: CPU ${SLOW_DEVICE.cpu}x slower, ${SLOW_DEVICE.bitsPerSecond / 1e6} Mbit/s, ${SLOW_DEVICE.latency} ms; ${RUNS} runs: median, best (all)`
    )
    console.log('The viewer presses play as soon as the button is drawn; a frame counts once the film moves.')
    const watchUrl = `${url}/w/${shortUuid(uuid)}`
    const scripts = await measureScriptSizes(browser, watchUrl)
    console.log(
      `\nScripts of the watch page, gzipped: ${scripts.own.toFixed(1)} kB before the player's library (at most 60), ${scripts.library.toFixed(1)} kB library`
    )
    await measureMediaBytes(browser, watchUrl, `${url}/videos/embed/${uuid}`)
    const baseline = await serveBaselinePages(Math.round((scripts.own + scripts.library) * 1000), videoFile)
    try {
      for (const screen of ['desktop', 'phone'] as const) {
        await printReport(
          `Watch page, slow, ${screen}`,
          WATCH,
          async () => await visitPage(browser, watchUrl, { slow: true, screen }, playForAWhile)
        )
        await printReport(
          `Home with ${VIDEOS} videos, slow, ${screen}`,
          HOME,
          async () => await visitPage(browser, url, { slow: true, screen }, scrollToEnd)
        )
      }
      await printReport(
        'A page with nothing but one script of the same size, slow',
        [
          { name: 'first contentful paint', limit: Infinity, unit: 'ms', valueOf: metrics => metrics.painted },
          { name: 'script has run', limit: Infinity, unit: 'ms', valueOf: metrics => metrics.done! }
        ],
        async () => await visitPage(browser, baseline.url, { slow: true, screen: 'desktop' }, waitForScript)
      )
      await printReport(
        'A page with nothing but a video of the lowest quality, slow',
        [{ name: 'first video frame', limit: Infinity, unit: 'ms', valueOf: metrics => metrics.frame! }],
        async () => await visitPage(browser, `${baseline.url}/film`, { slow: true, screen: 'desktop' }, waitForFirstFrame)
      )
      await printReport(
        'Watch page, not slowed',
        [
          { name: 'first contentful paint', limit: Infinity, unit: 'ms', valueOf: metrics => metrics.painted },
          { name: 'first video frame', limit: 400, unit: 'ms', valueOf: metrics => metrics.frame! }
        ],
        async () => await visitPage(browser, watchUrl, { slow: false, screen: 'desktop' }, playForAWhile)
      )
      await printReport(
        'A page with nothing but a video of the lowest quality, not slowed',
        [{ name: 'first video frame', limit: Infinity, unit: 'ms', valueOf: metrics => metrics.frame! }],
        async () => await visitPage(browser, `${baseline.url}/film`, { slow: false, screen: 'desktop' }, waitForFirstFrame)
      )
    } finally {
      baseline.stop()
    }
  })
}

/** Prints every request and every long task of one slow visit to the watch page and to the home page, in chronological order. */
export async function printRequestWaterfall(): Promise<void> {
  await withSeededSite(async (browser, url, uuid) => {
    for (const [path, action] of [
      [`/w/${shortUuid(uuid)}`, playForAWhile],
      ['/', waitUntilIdle]
    ] as const) {
      const metrics = await visitPage(browser, url + path, { slow: true, screen: 'desktop' }, action)
      console.log(
        `\n${path}: first paint ${metrics.painted.toFixed(0)}, largest ${metrics.largest.toFixed(0)}, play ${metrics.pressed?.toFixed(0) ?? '-'}, frame ${metrics.frame?.toFixed(0) ?? '-'}, shift ${metrics.shifted.toFixed(3)}, blocking ${blocking(metrics).toFixed(0)} ms`
      )
      for (const { at, end, bytes, type, url } of metrics.requests)
        console.log(
          `${at.toFixed(0).padStart(6)} to ${end.toFixed(0).padStart(8)} ${(bytes / 1000).toFixed(1).padStart(7)} kB  ${type.padEnd(10)} ${new URL(url).pathname}`
        )
      for (const [at, length] of metrics.tasks) console.log(`${at.toFixed(0).padStart(6)} task of ${length.toFixed(0)} ms`)
    }
  })
}

async function withSeededSite(action: (browser: Browser, url: string, uuid: string, videoFile: string) => Promise<void>): Promise<void> {
  const bench = await createBenchEnvironment()
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGUMENTS })
  try {
    console.log(`Seeding ${VIDEOS} videos`)
    const seedingServer = await bench.serve(MINIMAL_TRANSCODING)
    await seedVideoClips(seedingServer.url, VIDEOS - 1)
    await seedingServer.stop()
    // Under the same origin: other servers know an instance by it.
    const port = Number(new URL(seedingServer.url).port)
    const { url } = await bench.serve({ listen: { port }, webserver: { https: false, hostname: '127.0.0.1', port } })
    const uuid = await seedTranscodedVideo(url)
    await action(browser, url, uuid, findLowestRendition(bench, uuid))
  } finally {
    await browser.close()
    await bench.remove()
  }
}

/** The file of the smallest rendition of a video. */
function findLowestRendition(bench: BenchEnvironment, uuid: string): string {
  const files = readdirSync(bench.folder, { recursive: true, encoding: 'utf8' }).filter(
    name => name.includes(uuid) && /-[1-9]\d*-fragmented\.mp4$/.test(name)
  )
  return join(bench.folder, files.sort((a, b) => statSync(join(bench.folder, a)).size - statSync(join(bench.folder, b)).size)[0]!)
}

/** Waits until the video has played for a while. */
async function playForAWhile(page: Page, framed: Promise<void>): Promise<void> {
  await framed
  await page.waitForTimeout(AFTER_FRAME)
}

async function waitForFirstFrame(_page: Page, framed: Promise<void>): Promise<void> {
  await framed
}

async function waitForScript(page: Page): Promise<void> {
  await page.waitForFunction(() => (window as never as { seen: PageMetrics }).seen.done !== null)
}

async function waitUntilIdle(page: Page): Promise<void> {
  await waitForPageIdle(page)
}

/** Waits until the page is complete, then scrolls to the end of the list with the mouse wheel. */
async function scrollToEnd(page: Page): Promise<void> {
  await waitForPageIdle(page)
  await page.evaluate(() => {
    ;(window as never as { seen: PageMetrics }).seen.done = performance.now()
  })
  for (;;) {
    const [left, videos] = await page.evaluate(
      () => [document.documentElement.scrollHeight - innerHeight - scrollY, document.querySelectorAll('.card').length] as const
    )
    if (videos >= VIDEOS && left < 2) break
    await page.mouse.wheel(0, 300)
    await page.waitForTimeout(50)
  }
  await page.waitForTimeout(500)
}

async function measureScriptSizes(browser: Browser, url: string): Promise<{ own: number; library: number }> {
  const { requests } = await visitPage(browser, url, { slow: false, screen: 'desktop' }, playForAWhile)
  const sums = { own: 0, library: 0 }
  for (const script of requests.filter(({ type }) => type === 'Script')) {
    const response = await fetch(script.url, { headers: { 'accept-encoding': 'gzip' } })
    await response.arrayBuffer()
    sums[/\/hls-[^/]*$/.test(script.url) ? 'library' : 'own'] += Number(response.headers.get('content-length')) / 1000
  }
  return sums
}

/** The total blocking time: the time of long tasks beyond their first 50 ms, from the first paint on. */
function blocking({ tasks, painted }: PageMetrics): number {
  return tasks.filter(([at, length]) => at + length > painted).reduce((sum, [, length]) => sum + Math.max(0, length - 50), 0)
}

function withoutMedia({ requests }: PageMetrics): RecordedRequest[] {
  return requests.filter(({ url }) => !new URL(url).pathname.endsWith('.mp4'))
}

function kilobytes(requests: RecordedRequest[]): number {
  return requests.reduce((sum, { bytes }) => sum + bytes, 0) / 1000
}

async function printReport(title: string, figures: Figure[], run: () => Promise<PageMetrics>): Promise<void> {
  const runs: PageMetrics[] = []
  for (let number = 0; number < RUNS; number++) runs.push(await run())
  console.log(`\n${title}`)
  for (const { name, limit, unit, valueOf } of figures) {
    const values = runs.map(valueOf)
    const medianValue = median(values)
    const format = (value: number) => (unit === '' && value < 1 ? value.toFixed(3) : value.toFixed(0))
    const limitText = limit === Infinity ? '' : `at most ${limit}${medianValue > limit ? '  OVER' : ''}`
    console.log(
      `  ${name.padEnd(42)}${format(medianValue).padStart(7)} ${unit.padEnd(3)} ${limitText.padEnd(20)} best ${format(Math.min(...values))} (${values.map(format).join(', ')})`
    )
  }
}
