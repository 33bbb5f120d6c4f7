import { readdirSync, statSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { chromium, type Browser, type Page } from 'playwright-core'
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../../client/test/chromium.ts'
import { shortUuid } from '../../shared/short-uuid.ts'
import { createBenchEnvironment, type BenchEnvironment } from './bench-environment.ts'
import { serveBaselinePages } from './baseline-pages.ts'
import { median } from './metrics.ts'
import { seedVideoClips, seedTranscodedVideo } from './seed-videos.ts'
import { waitForPageIdle, SLOW_DEVICE, visitPage, type RecordedRequest, type PageMetrics } from './visit.ts'

const RUNS = 5
const VIDEOS = 100
const AFTER_FRAME = 3000
const NOTHING_ENCODED = {
  storyboards: { enabled: false },
  transcoding: { resolutions: Object.fromEntries([240, 360, 480, 720, 1080].map(size => [`${size}p`, false])) }
}

type Figure = { name: string; limit: number; unit: string; of: (seen: PageMetrics) => number }

const WATCH: Figure[] = [
  { name: 'first contentful paint', limit: 1200, unit: 'ms', of: seen => seen.painted },
  { name: 'play pressed (as soon as it is there)', limit: Infinity, unit: 'ms', of: seen => seen.pressed! },
  { name: 'first video frame', limit: 3000, unit: 'ms', of: seen => seen.frame! },
  { name: 'layout shift, excused ones included', limit: 0.02, unit: '', of: seen => seen.shifted },
  { name: 'total blocking time', limit: 150, unit: 'ms', of: blocking },
  { name: 'requests without media', limit: 30, unit: '', of: seen => withoutMedia(seen).length },
  { name: 'transferred without media', limit: 350, unit: 'kB', of: seen => kilobytes(withoutMedia(seen)) }
]
const HOME: Figure[] = [
  { name: 'first contentful paint', limit: 1200, unit: 'ms', of: seen => seen.painted },
  { name: 'largest contentful paint', limit: 2000, unit: 'ms', of: seen => seen.largest },
  { name: 'layout shift', limit: 0.02, unit: '', of: seen => seen.shifted },
  {
    name: 'longest task while scrolling to the end',
    limit: 100,
    unit: 'ms',
    of: seen => Math.max(0, ...seen.tasks.filter(([at]) => at > seen.done!).map(([, length]) => length))
  }
]

/**
 * Prints what a page costs a viewer with a slow line and a slow machine, every figure beside its limit: the median of 5 runs with an empty
 * cache each (best and all of them beside it).
 */
export async function measurePageLoads(): Promise<void> {
  await withPages(async (browser, url, uuid, film) => {
    console.log(
      `Chromium ${browser.version()}, ${cpus().length} x ${cpus()[0]?.model.trim()}; slow: CPU ${SLOW_DEVICE.cpu}x slower, ${SLOW_DEVICE.bitsPerSecond / 1e6} Mbit/s, ${SLOW_DEVICE.latency} ms; ${RUNS} runs: median, best (all)`
    )
    console.log('The viewer presses play as soon as the button is drawn; a frame counts once the film moves.')
    const watch = `${url}/w/${shortUuid(uuid)}`
    const scripts = await scriptsOf(browser, watch)
    console.log(
      `\nScripts of the watch page, gzipped: ${scripts.own.toFixed(1)} kB before the player's library (at most 60), ${scripts.library.toFixed(1)} kB library`
    )
    const bare = await serveBaselinePages(Math.round((scripts.own + scripts.library) * 1000), film)
    try {
      for (const screen of ['desktop', 'phone'] as const) {
        await report(`Watch page, slow, ${screen}`, WATCH, async () => await visitPage(browser, watch, { slow: true, screen }, playing))
        await report(
          `Home with ${VIDEOS} videos, slow, ${screen}`,
          HOME,
          async () => await visitPage(browser, url, { slow: true, screen }, scrolling)
        )
      }
      await report(
        'A page with nothing but one script of the same size, slow',
        [
          { name: 'first contentful paint', limit: Infinity, unit: 'ms', of: seen => seen.painted },
          { name: 'script has run', limit: Infinity, unit: 'ms', of: seen => seen.done! }
        ],
        async () => await visitPage(browser, bare.url, { slow: true, screen: 'desktop' }, ran)
      )
      await report(
        'A page with nothing but a video of the lowest quality, slow',
        [{ name: 'first video frame', limit: Infinity, unit: 'ms', of: seen => seen.frame! }],
        async () => await visitPage(browser, `${bare.url}/film`, { slow: true, screen: 'desktop' }, moving)
      )
      await report(
        'Watch page, not slowed',
        [
          { name: 'first contentful paint', limit: Infinity, unit: 'ms', of: seen => seen.painted },
          { name: 'first video frame', limit: 400, unit: 'ms', of: seen => seen.frame! }
        ],
        async () => await visitPage(browser, watch, { slow: false, screen: 'desktop' }, playing)
      )
      await report(
        'A page with nothing but a video of the lowest quality, not slowed',
        [{ name: 'first video frame', limit: Infinity, unit: 'ms', of: seen => seen.frame! }],
        async () => await visitPage(browser, `${bare.url}/film`, { slow: false, screen: 'desktop' }, moving)
      )
    } finally {
      bare.stop()
    }
  })
}

/** Prints every request and every long task of one slow visit to the watch page and to the home page, in their order. */
export async function printRequestWaterfall(): Promise<void> {
  await withPages(async (browser, url, uuid) => {
    for (const [path, act] of [
      [`/w/${shortUuid(uuid)}`, playing],
      ['/', settledDown]
    ] as const) {
      const seen = await visitPage(browser, url + path, { slow: true, screen: 'desktop' }, act)
      console.log(
        `\n${path}: first paint ${seen.painted.toFixed(0)}, largest ${seen.largest.toFixed(0)}, play ${seen.pressed?.toFixed(0) ?? '-'}, frame ${seen.frame?.toFixed(0) ?? '-'}, shift ${seen.shifted.toFixed(3)}, blocking ${blocking(seen).toFixed(0)} ms`
      )
      for (const { at, end, bytes, type, url } of seen.asked)
        console.log(
          `${at.toFixed(0).padStart(6)} to ${end.toFixed(0).padStart(8)} ${(bytes / 1000).toFixed(1).padStart(7)} kB  ${type.padEnd(10)} ${new URL(url).pathname}`
        )
      for (const [at, length] of seen.tasks) console.log(`${at.toFixed(0).padStart(6)} task of ${length.toFixed(0)} ms`)
    }
  })
}

async function withPages(act: (browser: Browser, url: string, uuid: string, film: string) => Promise<void>): Promise<void> {
  const bed = await createBenchEnvironment()
  const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGUMENTS })
  try {
    console.log(`Seeding ${VIDEOS} videos`)
    const seeding = await bed.serve(NOTHING_ENCODED)
    await seedVideoClips(seeding.url, VIDEOS - 1)
    await seeding.stop()
    // Under the same name: others know an instance by it.
    const port = Number(new URL(seeding.url).port)
    const { url } = await bed.serve({ listen: { port }, webserver: { https: false, hostname: '127.0.0.1', port } })
    const uuid = await seedTranscodedVideo(url)
    await act(browser, url, uuid, lowestRung(bed, uuid))
  } finally {
    await browser.close()
    await bed.remove()
  }
}

/** The file of the lowest picture of a film. */
function lowestRung(bed: BenchEnvironment, uuid: string): string {
  const found = readdirSync(bed.folder, { recursive: true, encoding: 'utf8' }).filter(
    name => name.includes(uuid) && /-[1-9]\d*-fragmented\.mp4$/.test(name)
  )
  return join(bed.folder, found.sort((a, b) => statSync(join(bed.folder, a)).size - statSync(join(bed.folder, b)).size)[0]!)
}

/** Until the film has moved for a while. */
async function playing(page: Page, framed: Promise<void>): Promise<void> {
  await framed
  await page.waitForTimeout(AFTER_FRAME)
}

async function moving(_page: Page, framed: Promise<void>): Promise<void> {
  await framed
}

async function ran(page: Page): Promise<void> {
  await page.waitForFunction(() => (window as never as { seen: PageMetrics }).seen.done !== null)
}

async function settledDown(page: Page): Promise<void> {
  await waitForPageIdle(page)
}

/** Until everything is there, then to the end of the list with the wheel. */
async function scrolling(page: Page): Promise<void> {
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

async function scriptsOf(browser: Browser, url: string): Promise<{ own: number; library: number }> {
  const { asked } = await visitPage(browser, url, { slow: false, screen: 'desktop' }, playing)
  const sums = { own: 0, library: 0 }
  for (const one of asked.filter(({ type }) => type === 'Script')) {
    const answer = await fetch(one.url, { headers: { 'accept-encoding': 'gzip' } })
    await answer.arrayBuffer()
    sums[/\/hls-[^/]*$/.test(one.url) ? 'library' : 'own'] += Number(answer.headers.get('content-length')) / 1000
  }
  return sums
}

/** What long tasks took beyond their first 50 ms, from the first paint on. */
function blocking({ tasks, painted }: PageMetrics): number {
  return tasks.filter(([at, length]) => at + length > painted).reduce((sum, [, length]) => sum + Math.max(0, length - 50), 0)
}

function withoutMedia({ asked }: PageMetrics): RecordedRequest[] {
  return asked.filter(({ url }) => !new URL(url).pathname.endsWith('.mp4'))
}

function kilobytes(asked: RecordedRequest[]): number {
  return asked.reduce((sum, { bytes }) => sum + bytes, 0) / 1000
}

async function report(title: string, figures: Figure[], run: () => Promise<PageMetrics>): Promise<void> {
  const runs: PageMetrics[] = []
  for (let number = 0; number < RUNS; number++) runs.push(await run())
  console.log(`\n${title}`)
  for (const { name, limit, unit, of } of figures) {
    const values = runs.map(of)
    const middle = median(values)
    const written = (value: number) => (unit === '' && value < 1 ? value.toFixed(3) : value.toFixed(0))
    const bound = limit === Infinity ? '' : `at most ${limit}${middle > limit ? '  OVER' : ''}`
    console.log(
      `  ${name.padEnd(42)}${written(middle).padStart(7)} ${unit.padEnd(3)} ${bound.padEnd(20)} best ${written(Math.min(...values))} (${values.map(written).join(', ')})`
    )
  }
}
