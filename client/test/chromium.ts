import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

/** Command line arguments of Chromium in tests: no sandbox (tests may run as root), no network requests of the browser itself. */
export const CHROMIUM_ARGUMENTS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--no-first-run',
  '--disable-gpu',
  '--disable-quic',
  '--disable-component-update',
  '--disable-sync',
  '--autoplay-policy=document-user-activation-required',
  '--mute-audio'
]

/**
 * Returns the path of the system's Chromium, preferably the headless shell, which needs a quarter less CPU for the same pages. Throws if
 * there is none.
 */
export function chromiumPath(): string {
  const executable = [
    '/usr/bin/chromium-headless-shell',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
  ].find(path => existsSync(path))
  if (!executable) throw new Error('There is no Chromium: install the package `chromium-headless-shell` or `chromium`.')
  return executable
}

/** On `globalThis`, so that it outlives the modules that Vitest reloads for every test file. */
const shared = globalThis as { bobineTestBrowser?: Promise<Browser> }

/** Returns the Chromium of this process, which ends with it. Callers open and close contexts of their own. */
export async function testBrowser(): Promise<Browser> {
  const running = await shared.bobineTestBrowser
  if (running?.isConnected()) return running
  return await (shared.bobineTestBrowser = chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGUMENTS }))
}
