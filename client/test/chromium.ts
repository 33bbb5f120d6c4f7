import { existsSync } from 'node:fs'
import { chromium, type Browser } from 'playwright-core'

/** What Chromium is started with in tests: no sandbox (they may run as root), nothing of its own on the network. */
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
 * Where the system's Chromium is; the one without windows needs a quarter less processor for the same pages. Throws where there is none.
 */
export function chromiumPath(): string {
  const found = [
    '/usr/bin/chromium-headless-shell',
    '/usr/bin/chromium',
    '/usr/bin/chromium-browser',
    '/usr/bin/google-chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'
  ].find(path => existsSync(path))
  if (!found) throw new Error('There is no Chromium: install the package `chromium-headless-shell` or `chromium`.')
  return found
}

/** Of this process, whatever is loaded anew between its files. */
const shared = globalThis as { bobineTestBrowser?: Promise<Browser> }

/** The one Chromium of this process; it ends with it. Whoever uses it opens contexts of their own, and closes them. */
export async function testBrowser(): Promise<Browser> {
  const known = await shared.bobineTestBrowser
  if (known?.isConnected()) return known
  return await (shared.bobineTestBrowser = chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGUMENTS }))
}
