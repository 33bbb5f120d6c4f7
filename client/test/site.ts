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

/** A test instance with a browser and a folder for test videos. `stop` removes everything and closes all pages; the browser stays open. */
export type TestSite = TestInstance & {
  browser: Browser
  videosFolder: string
  /** Opens a browser context of its own; errors in its pages are recorded for `expectNoPageErrors`. */
  visit(options?: BrowserContextOptions): Promise<Visitor>
}

/** A browser context with one page, and the errors recorded in its pages. */
export type Visitor = { context: BrowserContext; page: Page; pageErrors: string[] }

/** Starts an instance with the client built from the current sources; encoding runs at low priority so that playback stays smooth. */
export async function openTestSite(overrides: { [key: string]: unknown } = {}): Promise<TestSite> {
  await ensureBuilt()
  const videosFolder = await mkdtemp(join(tmpdir(), 'bobine-films-'))
  const [instance, browser] = await Promise.all([startTestInstance(deepMerge({ transcoding: { nice: 4 } }, overrides)), testBrowser()])
  return {
    ...instance,
    browser,
    videosFolder,
    visit: async (options = {}) => await openVisitor(browser, instance.url, options),
    stop: async () => {
      await Promise.all(browser.contexts().map(async context => await context.close()))
      await instance.stop()
      await rm(videosFolder, { recursive: true, force: true })
    }
  }
}

async function openVisitor(browser: Browser, baseURL: string, options: BrowserContextOptions): Promise<Visitor> {
  const context = await browser.newContext({
    baseURL,
    locale: 'en-GB',
    viewport: { width: 1280, height: 800 },
    serviceWorkers: 'block',
    ...options
  })
  context.setDefaultTimeout(60_000)
  await context.addInitScript(trackUserGestures)
  const pageErrors: string[] = []
  context.on('page', page => {
    page.on('pageerror', error => pageErrors.push(error.stack ?? error.message))
    // Chromium logs refused requests as errors, too; how the page handles them is up to the tests.
    page.on('console', message => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) pageErrors.push(message.text())
    })
    page.on('request', request => {
      if (!request.url().startsWith(baseURL) && !/^(blob|data):/.test(request.url()))
        pageErrors.push(`request to another site: ${request.url()}`)
    })
  })
  return { context, page: await context.newPage(), pageErrors }
}

/**
 * Runs in a page before its own scripts: `navigator.userActivation` then reflects real gestures only. Playwright's evaluations count as
 * gestures, so videos would start playing by themselves.
 */
function trackUserGestures(): void {
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

/** Asserts that no error, no violation of the content security policy and no request to another site occurred in the visitor's pages. */
export function expectNoPageErrors({ pageErrors }: Visitor): void {
  expect(pageErrors).toEqual([])
}

/** Logs in through the form of the login page. */
export async function logInThroughForm(page: Page, username: string, password: string, next = '/'): Promise<void> {
  await page.goto(`/login?next=${encodeURIComponent(next)}`)
  await page.getByLabel('Username or email').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.locator('.bar-me').waitFor()
}

/** The state of a page's video element; times in seconds. */
export type VideoElementReading = { time: number; frames: number; height: number; paused: boolean; error: string | null; duration: number }

/** Reads the state of the page's video element. */
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

/** Waits until the video really plays: `seconds` pass and frames are decoded, without an error. */
export async function expectVideoToPlay(page: Page, seconds = 1): Promise<VideoElementReading> {
  const before = await readVideoElement(page)
  await expect.poll(async () => (await readVideoElement(page)).time, { timeout: 40_000 }).toBeGreaterThan(before.time + seconds)
  await expect.poll(async () => (await readVideoElement(page)).frames, { timeout: 10_000 }).toBeGreaterThan(before.frames + 5)
  const after = await readVideoElement(page)
  expect(after).toMatchObject({ paused: false, error: null })
  await expect.poll(async () => await page.locator('.player-fault').count()).toBe(0)
  return after
}

/** Opens the settings menu of the player, whose control bar is hidden during playback until the pointer moves. */
export async function openPlayerSettings(page: Page): Promise<void> {
  await page.locator('.player').hover()
  await page.getByRole('button', { name: 'Player settings' }).click()
}

/**
 * Writes a video file for uploading and returns its path: real footage if there is any (looped to at least `seconds`), else a generated
 * one. `keyframes`: seconds between keyframes.
 */
export async function makeTestVideo(
  site: TestSite,
  name: string,
  { seconds = 10, keyframes }: { seconds?: number; keyframes?: number } = {}
): Promise<string> {
  const target = join(site.videosFolder, name)
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
