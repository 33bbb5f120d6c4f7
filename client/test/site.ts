import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { expect } from 'vitest'
import { ensureBuilt } from '../../server/test/ensure-built.ts'
import { makeFootageFile, realFootagePath } from '../../server/test/footage.ts'
import { deepMerge, startTestInstance, type TestInstance } from '../../server/test/instance.ts'
import { testBrowser } from './chromium.ts'

const exec = promisify(execFile)

/** An instance, a browser, and a folder for films; everything is gone after `stop`, but for the browser, whose pages are closed. */
export type TestSite = TestInstance & {
  browser: Browser
  films: string
  /** A browser of its own for one person; whatever goes wrong in its pages is kept for `expectNoPageErrors`. */
  visit(options?: BrowserContextOptions): Promise<Visitor>
}

/** Somebody with a browser. */
export type Visitor = { context: BrowserContext; page: Page; faults: string[] }

/** Starts an instance with the client as it is built from the sources now; encoding steps back for what is watched meanwhile. */
export async function openTestSite(overrides: { [key: string]: unknown } = {}): Promise<TestSite> {
  await ensureBuilt()
  const films = await mkdtemp(join(tmpdir(), 'bobine-films-'))
  const [instance, browser] = await Promise.all([startTestInstance(deepMerge({ transcoding: { nice: 4 } }, overrides)), testBrowser()])
  return {
    ...instance,
    browser,
    films,
    visit: async (options = {}) => await visit(browser, instance.url, options),
    stop: async () => {
      await Promise.all(browser.contexts().map(async context => await context.close()))
      await instance.stop()
      await rm(films, { recursive: true, force: true })
    }
  }
}

async function visit(browser: Browser, baseURL: string, options: BrowserContextOptions): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL,
    locale: 'en-GB',
    viewport: { width: 1280, height: 800 },
    serviceWorkers: 'block',
    ...options
  })
  context.setDefaultTimeout(60_000)
  await context.addInitScript(countGestures)
  const faults: string[] = []
  context.on('page', page => {
    page.on('pageerror', error => faults.push(error.stack ?? error.message))
    // A refused request is told in the console too; what the page makes of it is for the tests to see.
    page.on('console', message => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(message.text())
    })
    page.on('request', request => {
      if (!request.url().startsWith(baseURL) && !/^(blob|data):/.test(request.url())) faults.push(`asked another site: ${request.url()}`)
    })
  })
  return { context, page: await context.newPage(), faults }
}

/**
 * Runs in a page before its own scripts: lets it hear of people's gestures alone. The tool's questions count as such, so that films would
 * begin by themselves where a person only looks.
 */
function countGestures(): void {
  let active = false
  for (const type of ['mousedown', 'keydown', 'touchend'])
    addEventListener(
      type,
      ({ isTrusted }) => {
        active ||= isTrusted
      },
      true
    )
  Object.defineProperty(navigator, 'userActivation', { get: () => ({ hasBeenActive: active, isActive: active }) })
}

/** Nothing broke in the visitor's pages, no policy was violated, no other site was asked. */
export function expectNoPageErrors({ faults }: Visitor): void {
  expect(faults).toEqual([])
}

/** Logs in through the page, as a person does. */
export async function logInThroughForm(page: Page, username: string, password: string, next = '/'): Promise<void> {
  await page.goto(`/login?next=${encodeURIComponent(next)}`)
  await page.getByLabel('Username or email').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.locator('.bar-me').waitFor()
}

/** The video element of a page. */
export type VideoElementReading = { time: number; frames: number; height: number; paused: boolean; error: string | null; duration: number }

/** What the player of a page does at the moment. */
export async function readVideoElement(page: Page): Promise<VideoElementReading> {
  return await page.locator('video').evaluate((video: HTMLVideoElement) => ({
    time: video.currentTime,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    height: video.videoHeight,
    paused: video.paused,
    error: video.error?.message ?? null,
    duration: video.duration
  }))
}

/** Waits until the picture really moves: the time goes on and frames are decoded, without an error. */
export async function expectVideoToPlay(page: Page, seconds = 1): Promise<VideoElementReading> {
  const before = await readVideoElement(page)
  await expect.poll(async () => (await readVideoElement(page)).time, { timeout: 40_000 }).toBeGreaterThan(before.time + seconds)
  await expect.poll(async () => (await readVideoElement(page)).frames, { timeout: 10_000 }).toBeGreaterThan(before.frames + 5)
  const after = await readVideoElement(page)
  expect(after).toMatchObject({ paused: false, error: null })
  await expect.poll(async () => await page.locator('.player-fault').count()).toBe(0)
  return after
}

/** Opens the menu of the player; its bar hides while the picture plays. */
export async function openPlayerSettings(page: Page): Promise<void> {
  await page.locator('.player').hover()
  await page.getByRole('button', { name: 'Player settings' }).click()
}

/**
 * A film for uploading: real footage where it is (at least `seconds` long, looped), else a generated one. `keyframes`: seconds between
 * them.
 */
export async function makeTestVideo(
  site: TestSite,
  name: string,
  { seconds = 10, keyframes }: { seconds?: number; keyframes?: number } = {}
): Promise<string> {
  const target = join(site.films, name)
  const real = realFootagePath()
  if (!real)
    return await makeFootageFile(target, {
      seconds,
      size: '1280x720',
      rate: 30,
      video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(30 * (keyframes ?? 8))]
    })
  const encode =
    keyframes === undefined
      ? ['-c', 'copy']
      : ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', String(Math.round(29.97 * keyframes)), '-sc_threshold', '0', '-c:a', 'aac']
  await exec('ffmpeg', ['-v', 'error', '-y', '-stream_loop', '-1', '-t', String(seconds), '-i', real, ...encode, target])
  return target
}
