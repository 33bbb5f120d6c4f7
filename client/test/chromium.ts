import { existsSync } from 'node:fs'

/** What Chromium is started with in tests: no sandbox (they may run as root), nothing of its own on the network. */
export const CHROMIUM_ARGUMENTS = ['--no-sandbox', '--disable-background-networking', '--no-first-run', '--disable-gpu', '--disable-quic', '--disable-component-update', '--disable-sync', '--autoplay-policy=document-user-activation-required', '--mute-audio']

/** Where the system's Chromium is. Throws where there is none. */
export function chromiumPath(): string {
  const found = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/Applications/Chromium.app/Contents/MacOS/Chromium', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'].find(path => existsSync(path))
  if (!found) throw new Error('There is no Chromium: install the package `chromium`.')
  return found
}
