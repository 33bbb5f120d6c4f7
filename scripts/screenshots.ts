import { mkdirSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../client/test/chromium.ts'
import { PASSWORD, startDemoSite, type DemoSite } from './demo-site.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [folder = 'screenshots', ...nameFilters] = process.argv.slice(2)
type Screenshot = {
  name: string
  path: (site: DemoSite) => string
  guest?: boolean
  admin?: boolean
  action?: (page: Page, site: DemoSite) => Promise<unknown>
}

const LATER = /^(Watch later|À regarder plus tard)$/
const SCREENSHOTS: Screenshot[] = [
  { name: 'home', path: () => '/', guest: true },
  { name: 'home-trending', path: () => '/?sort=trending', guest: true },
  { name: 'home-menu', path: () => '/', action: async page => await page.locator('.bar [aria-haspopup=menu]').click() },
  { name: 'watch', path: site => `/w/${site.publicVideo.shortUUID}`, guest: true },
  { name: 'watch-playing', path: site => `/w/${site.publicVideo.shortUUID}`, action: startPlayback },
  {
    name: 'watch-settings',
    path: site => `/w/${site.publicVideo.shortUUID}`,
    action: async page => {
      await startPlayback(page)
      await page.locator('.settings [aria-haspopup]').click()
    }
  },
  {
    name: 'watch-seek',
    path: site => `/w/${site.publicVideo.shortUUID}`,
    action: async page => {
      await startPlayback(page)
      await page.locator('.seek').hover()
      await page.waitForTimeout(800)
    }
  },
  { name: 'watch-keys', path: site => `/w/${site.publicVideo.shortUUID}`, action: async page => await page.keyboard.press('?') },
  {
    name: 'watch-stats',
    path: site => `/w/${site.publicVideo.shortUUID}`,
    action: async page => {
      await startPlayback(page)
      await page.keyboard.press('s')
    }
  },
  {
    name: 'watch-share',
    path: site => `/w/${site.publicVideo.shortUUID}`,
    action: async page => {
      await startPlayback(page)
      await page.waitForFunction(() => document.querySelector('video')!.currentTime > 1.5)
      await page.getByRole('button', { name: /Share|Partager/ }).click()
      await page.getByRole('checkbox').first().check()
    }
  },
  { name: 'watch-talk', path: site => `/w/${site.publicVideo.shortUUID}`, action: openComments },
  { name: 'watch-warning', path: site => `/w/${site.publicVideo.shortUUID}`, action: openWarnings },
  {
    name: 'watch-reply',
    path: site => `/w/${site.publicVideo.shortUUID}`,
    action: async page => {
      await openComments(page)
      await page.locator('.replies .comment-act').first().click()
    }
  },
  {
    name: 'watch-later',
    path: site => `/w/${site.publicVideo.shortUUID}`,
    action: async page => {
      const save = page.getByRole('button', { name: LATER }).and(page.locator(':not([aria-busy])'))
      await save.waitFor()
      if ((await save.getAttribute('aria-pressed')) === 'false') await save.click()
      await page.getByRole('button', { name: LATER, pressed: true }).waitFor()
      await page.locator('.bar [aria-haspopup=menu]').click()
      await page.getByRole('menuitem', { name: LATER }).click()
      await page.locator('.playlist-element').first().waitFor()
    }
  },
  {
    name: 'watch-saved',
    path: site => `/w/${site.publicVideo.shortUUID}`,
    action: async page => await page.getByRole('button', { name: LATER, pressed: true }).scrollIntoViewIfNeeded()
  },
  {
    name: 'watch-download',
    path: site => `/w/${site.publicVideo.shortUUID}`,
    guest: true,
    action: async page => await page.locator('.watch-actions [aria-haspopup=menu]').click()
  },
  { name: 'watch-password', path: site => `/w/${site.protectedVideo.shortUUID}`, guest: true },
  { name: 'watch-private', path: site => `/w/${site.privateVideo.shortUUID}`, guest: true },
  { name: 'watch-missing', path: () => '/w/9c9de5e8-0a1e-484a-b099-e80766180a6d', guest: true },
  { name: 'embed', path: site => `/videos/embed/${site.publicVideo.uuid}`, guest: true },
  { name: 'embed-password', path: site => `/videos/embed/${site.protectedVideo.uuid}`, guest: true },
  { name: 'embed-private', path: site => `/videos/embed/${site.privateVideo.uuid}`, guest: true },
  { name: 'offline', path: () => '/offline', guest: true },
  { name: 'upload', path: () => '/upload' },
  {
    name: 'upload-sending',
    path: () => '/upload',
    action: async (page, site) => {
      await page.route(/upload-resumable\?/, async route => {
        if (route.request().headers()['content-range']?.startsWith('bytes */')) await route.continue()
      })
      await page.setInputFiles('input[type=file]', site.videoFile)
    }
  },
  {
    name: 'upload-playing',
    path: () => '/upload',
    action: async (page, site) => {
      await page.setInputFiles('input[type=file]', site.videoFile)
      await page.locator('.player video').waitFor({ timeout: 60_000 })
      await page.waitForTimeout(1500)
    }
  },
  {
    name: 'upload-refused',
    path: () => '/upload',
    action: async page =>
      await page.setInputFiles('input[type=file]', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('no film') })
  },
  { name: 'my-videos', path: () => '/my/videos' },
  {
    name: 'my-videos-delete',
    path: () => '/my/videos',
    action: async page => {
      await page.locator('.shelf [aria-haspopup=menu]').first().click()
      await page.locator('.menu-danger').click()
    }
  },
  {
    name: 'my-videos-several',
    path: () => '/my/videos',
    action: async page => {
      for (const index of [0, 1, 3]) await page.locator('.shelf .check').nth(index).click()
    }
  },
  {
    name: 'my-videos-privacy',
    path: () => '/my/videos',
    action: async page => {
      for (const index of [0, 1]) await page.locator('.shelf .check').nth(index).click()
      await page.locator('.bulk-acts button').first().click()
    }
  },
  { name: 'my-channels', path: () => '/my/channels' },
  {
    name: 'new-channel',
    path: () => '/my/new-channel',
    action: async page => {
      await page.locator('main input').first().fill('Été à Paris')
      await page.locator('.channel-name-state:not(:empty)').waitFor()
      await page.waitForTimeout(600)
    }
  },
  { name: 'edit-channel', path: () => '/my/channels/ada_channel' },
  {
    name: 'remove-channel',
    path: () => '/my/channels/night_walks',
    action: async page => await page.locator('.channel-end button').click()
  },
  {
    name: 'edit-files',
    path: site => `/my/videos/${site.publicVideo.shortUUID}`,
    admin: true,
    action: async page => await page.locator('.video-files').scrollIntoViewIfNeeded()
  },
  { name: 'edit', path: site => `/my/videos/${site.publicVideo.shortUUID}` },
  {
    name: 'edit-frame',
    path: site => `/my/videos/${site.publicVideo.shortUUID}`,
    action: async page => {
      await page.getByRole('button', { name: /Choose a frame|Choisir dans la vidéo/ }).click()
      await page.locator('.dialog .button-primary:enabled').waitFor()
    }
  },
  { name: 'channel', path: () => '/c/ada_channel', guest: true },
  { name: 'account', path: () => '/a/ada', guest: true },
  { name: 'settings', path: () => '/settings' },
  { name: 'settings-password', path: () => '/settings?tab=password' },
  { name: 'settings-display', path: () => '/settings?tab=display' },
  { name: 'admin-health', path: () => '/admin/health', admin: true },
  { name: 'admin-users', path: () => '/admin/users', admin: true },
  {
    name: 'admin-users-edit',
    path: () => '/admin/users',
    admin: true,
    action: async page => await page.locator('.user-acts .button').first().click()
  },
  { name: 'admin-comments', path: () => '/admin/comments', admin: true },
  { name: 'admin-jobs-videos', path: () => '/admin/jobs', admin: true },
  { name: 'admin-jobs-planned', path: () => '/admin/jobs?tab=delayed', admin: true },
  { name: 'admin-settings', path: () => '/admin/settings', admin: true },
  { name: 'federation-following', path: () => '/admin/federation', admin: true },
  { name: 'federation-followers', path: () => '/admin/federation?tab=followers', admin: true },
  { name: 'federation-servers', path: () => '/admin/federation?tab=peers', admin: true },
  { name: 'federation-activities', path: () => '/admin/federation?tab=activities', admin: true },
  { name: 'reports', path: () => '/admin/reports', admin: true, action: openReportMessages },
  { name: 'my-reports', path: () => '/my/reports', action: openReportMessages },
  { name: 'search', path: () => '/search?search=mill', guest: true },
  { name: 'subscriptions', path: () => '/my/subscriptions' },
  { name: 'login', path: () => '/login', guest: true },
  {
    name: 'login-wrong',
    path: () => '/login',
    guest: true,
    action: async page => {
      await page.locator('main input').first().fill('ada')
      await page.locator('input[type=password]').fill('wrong')
      await page.locator('main button[type=submit]').click()
      await page.waitForTimeout(1200)
    }
  },
  { name: 'signup', path: () => '/signup', guest: true },
  { name: 'about', path: () => '/about', guest: true },
  { name: 'not-found', path: () => '/nothing/here', guest: true }
]

const browser = await chromium.launch({ executablePath: chromiumPath(), args: CHROMIUM_ARGUMENTS })
const site = await startDemoSite()
try {
  mkdirSync(resolve(root, folder), { recursive: true })
  for (const width of [390, 1280]) {
    for (const theme of ['light', 'dark'] as const) {
      for (const language of ['en', 'fr']) await takeScreenshots(browser, site, width, theme, language)
    }
  }
} finally {
  await browser.close()
  await site.stop()
}

async function takeScreenshots(browser: Browser, site: DemoSite, width: number, theme: 'light' | 'dark', language: string): Promise<void> {
  const options = {
    viewport: { width, height: width < 600 ? 844 : 800 },
    colorScheme: theme,
    locale: language,
    reducedMotion: 'reduce' as const,
    hasTouch: width < 600
  }
  const [guest, member, admin] = await Promise.all([browser.newContext(options), browser.newContext(options), browser.newContext(options)])
  for (const [context, username] of [
    [member, 'ada'],
    [admin, 'root']
  ] as const) {
    const loginPage = await context.newPage()
    await loginPage.goto(`${site.url}/login?next=/settings`)
    await loginPage.locator('main input').first().fill(username)
    await loginPage.locator('input[type=password]').fill(PASSWORD)
    await loginPage.locator('main button[type=submit]').click()
    await loginPage.locator('.bar-me').waitFor()
    await loginPage.close()
  }
  for (const shot of SCREENSHOTS.filter(
    ({ name }) => nameFilters.length === 0 || nameFilters.some(word => `${name}-${width}-${theme}-${language}`.includes(word))
  )) {
    const page = await (shot.guest ? guest : shot.admin ? admin : member).newPage()
    try {
      await page.goto(site.url + shot.path(site))
      await page.waitForLoadState('networkidle')
      // Lists are marked as busy while they load.
      await page
        .locator('main [aria-busy=true]')
        .first()
        .waitFor({ state: 'detached', timeout: 10_000 })
        .catch(() => null)
      await shot.action?.(page, site)
      if (!shot.action)
        await page.evaluate(async () => {
          // Images further down are loaded lazily.
          for (const image of document.images) image.loading = 'eager'
          await Promise.all([...document.images].map(async image => await image.decode().catch(() => null)))
        })
      await page.waitForTimeout(500)
      await page.screenshot({ path: resolve(root, folder, `${shot.name}-${width}-${theme}-${language}.png`), fullPage: !shot.action })
    } catch (error) {
      console.error(`${shot.name} ${width} ${theme} ${language}: ${(error as Error).message}`)
    }
    await page.close()
  }
  await Promise.all([guest.close(), member.close(), admin.close()])
}

async function startPlayback(page: Page): Promise<void> {
  await page.locator('.player-start').click()
  await page.waitForFunction(() => document.querySelector('video')!.currentTime > 0.5)
  await page.locator('.player').hover()
}

/** Scrolls to the comments and opens the first replies. */
async function openComments(page: Page): Promise<void> {
  await page.locator('#comments-title').scrollIntoViewIfNeeded()
  await page.locator('.comment-more').first().click()
  await page.locator('.replies .comment').first().waitFor()
  await page.locator('#comments-title').evaluate(title => title.scrollIntoView())
}

/** Opens what the authors of comments have folded behind a content warning. */
async function openWarnings(page: Page): Promise<void> {
  await page.locator('#comments-title').scrollIntoViewIfNeeded()
  await page.locator('.comment details summary').first().click()
  await page.locator('.comment details').first().scrollIntoViewIfNeeded()
}

/** Opens the messages between moderators and the reporter. */
async function openReportMessages(page: Page): Promise<void> {
  await page.locator('.talk button').first().click()
  await page.locator('.talk-line').first().waitFor()
}
