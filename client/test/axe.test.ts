import { AxeBuilder } from '@axe-core/playwright'
import type { BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { waitForTranscoding, uploadVideo } from '../../server/test/upload.ts'
import { makeFootageBytes } from '../../server/test/footage.ts'
import { logInThroughForm, openTestSite, type TestSite } from './site.ts'

type VideoIds = { id: number; uuid: string; shortUUID: string }
let site: TestSite
let openVideo: VideoIds
let lockedVideo: VideoIds
let moderatedVideo: VideoIds
let watchLaterId: number

beforeAll(async () => {
  site = await openTestSite({
    signup: { enabled: true },
    instance: { description: 'A **house** for films.', terms: 'Be kind.' },
    transcoding: { preset: 'ultrafast', resolutions: { '240p': true, '360p': false, '480p': false, '720p': false, '1080p': false } }
  })
  const ada = await site.user('ada')
  const bytes = await makeFootageBytes({ seconds: 3, size: '426x240' })
  openVideo = await uploadVideo(
    site,
    ada,
    {
      name: 'A film to look at',
      description: 'Some **words** and https://example.com',
      category: 2,
      language: 'fr',
      licence: 2,
      tags: ['one', 'two'],
      support: 'Coffee'
    },
    bytes
  )
  moderatedVideo = await uploadVideo(site, ada, { name: 'Another film', commentsPolicy: 3 }, bytes)
  lockedVideo = await uploadVideo(site, ada, { name: 'A locked film', privacy: 5, videoPasswords: ['secret'] }, bytes)
  for (const { id } of [openVideo, lockedVideo, moderatedVideo]) await waitForTranscoding(site, ada, id)
  await runQuery(sql`
    INSERT INTO video_captions (video_id, language, automatic, filename, url)
    VALUES (${openVideo.id}, 'fr', false, '6f0d5a2e-1111-4222-8333-000000000001.vtt', 'https://a.example/fr.vtt')`)
  watchLaterId = (await site.call('GET /users/me', { token: ada.token })).json.specialPlaylists[0].id
  const later = await uploadVideo(site, ada, { name: 'A film that is gone' })
  for (const { id } of [openVideo, later, lockedVideo])
    await site.call(`POST /video-playlists/${watchLaterId}/videos`, { token: ada.token, body: { videoId: id } })
  await site.call(`DELETE /videos/${later.id}`, { token: ada.token })
  await site.call('POST /video-channels', { token: ada.token, body: { name: 'second', displayName: 'A second channel' } })
  const bob = await site.user('bob')
  const postComment = async ({ uuid }: VideoIds, user: { token: string }, text: string, parent?: number) =>
    (await site.call(`POST /videos/${uuid}/${parent ? `comments/${parent}` : 'comment-threads'}`, { token: user.token, body: { text } }))
      .json.comment.id as number
  const first = await postComment(openVideo, bob, 'A **fine** film, see https://example.com')
  await postComment(openVideo, ada, 'Thank you', await postComment(openVideo, bob, 'One more thing', first))
  await postComment(moderatedVideo, bob, 'May I?')
  const { json } = await site.call('POST /abuses', {
    token: ada.token,
    body: { reason: 'Somebody else made this', predefinedReasons: ['rights'], video: { id: openVideo.id } }
  })
  await site.call(`POST /abuses/${json.abuse.id}/messages`, { token: await site.login(), body: { message: 'Who did?' } })
  await insertOtherServers()
}, 180_000)
afterAll(async () => await site.stop())

/** Inserts other servers in every state that the federation pages show: followers, followed ones, failing ones and suspended ones. */
async function insertOtherServers(): Promise<void> {
  for (const [host, state, direction] of [
    ['a.example', 'accepted', 'to'],
    ['b.example', 'pending', 'to'],
    ['c.example', 'pending', 'from'],
    ['d.example', 'rejected', 'from']
  ]) {
    const url = `https://${host}/accounts/peertube`
    await runQuery(sql`
      INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
      VALUES ('Application', ${url}, 'peertube', ${host}, ${`${url}/inbox`}, now(), now())`)
    await runQuery(sql`
      INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
      SELECT ${`${url}/follows/1`}, CASE WHEN ${direction} = 'to' THEN us.id ELSE them.id END,
        CASE WHEN ${direction} = 'to' THEN them.id ELSE us.id END, ${state}, now(), now()
      FROM actors us, actors them WHERE us.host IS NULL AND us.preferred_username = 'peertube' AND them.url = ${url}`)
  }
  await runQuery(sql`
    INSERT INTO wanted_follows (actor_id, handle, attempts, not_before, error)
    SELECT id, 'nobody@e.example', 1, 'infinity', 'Nobody of that name'
    FROM actors WHERE host IS NULL AND preferred_username = 'peertube'`)
  await runQuery(sql`
    INSERT INTO peers
      (host, failures, first_failure_at, open_until, suspended_at, last_success_at, last_failure_at, last_error, missed_since)
    VALUES
      ('a.example', 0, NULL, NULL, NULL, now(), NULL, NULL, NULL),
      ('b.example', 2, now(), NULL, NULL, now() - interval '1 hour', now(), 'Status 502', NULL),
      ('c.example', 9, now(), now() + interval '1 hour', NULL, NULL, now(), 'connect ECONNREFUSED', NULL),
      ('d.example', 90, now(), NULL, now(), NULL, now(), 'getaddrinfo ENOTFOUND d.example', now())`)
  await runQuery(sql`
    INSERT INTO ineffective_activities (activity_key, digest, type, actor, signer, proof, host, subject, body, reason, received_at)
    SELECT 'https://a.example/likes/' || reason, '', 'Like', 'https://a.example/a', 'https://a.example/a', 'http', 'a.example', 'x', '{}',
      reason, now() FROM unnest(ARRAY['it concerns nothing here', 'dropped: it is about another actor', 'failed: no']) AS reason`)
  await runQuery(sql`
    INSERT INTO outgoing (actor, type, activity, audience, lane, subject, set_aside_at, sign_error)
    VALUES ('https://here.example/keyless', 'Follow', '{"id": "https://here.example/1"}', '{}', 0, 'x', now(), 'It has no key')`)
}

/** A page to check: its path, a selector that appears once it is ready, and what to do there first. */
type PageToCheck = { path: () => string; ready: string; act?: (page: Page) => Promise<unknown> }
const GUEST: Record<string, PageToCheck> = {
  home: { path: () => '/', ready: '.card' },
  'home, trending': { path: () => '/?sort=trending', ready: '.card' },
  'home with its menu open': {
    path: () => '/',
    ready: '.card',
    act: async page => await page.getByRole('button', { name: 'Menu' }).click()
  },
  watch: { path: () => `/w/${openVideo.shortUUID}`, ready: '.watch-list' },
  'watch with replies shown': {
    path: () => `/w/${openVideo.shortUUID}`,
    ready: '.comment',
    act: async page => {
      await page.getByRole('button', { name: /replies/ }).click()
      await page.locator('.replies .replies').waitFor()
    }
  },
  "watch with the player's menu open": {
    path: () => `/w/${openVideo.shortUUID}`,
    ready: '.controls',
    act: async page => {
      await page.getByRole('button', { name: 'Player settings' }).click()
      await page.getByRole('menuitem', { name: /Speed/ }).click()
    }
  },
  'watch with statistics': {
    path: () => `/w/${openVideo.shortUUID}`,
    ready: '.controls',
    act: async page => {
      await page.keyboard.press('s')
      await page.locator('.player-stats').waitFor()
    }
  },
  'watch with the keyboard shortcuts': {
    path: () => `/w/${openVideo.shortUUID}`,
    ready: '.controls',
    act: async page => {
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
    }
  },
  'watch with a password': { path: () => `/w/${lockedVideo.shortUUID}`, ready: '.unavailable-form' },
  'watch, missing video': { path: () => '/w/9c9de5e8-0a1e-484a-b099-e80766180a6d', ready: '.state' },
  channel: { path: () => '/c/ada_channel', ready: '.card' },
  account: { path: () => '/a/ada', ready: '.card' },
  login: {
    path: () => '/login',
    ready: '.panel',
    act: async page => await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  },
  signup: { path: () => '/signup', ready: '.panel' },
  about: { path: () => '/about', ready: '.about-software' },
  'not found': { path: () => '/nothing', ready: '.state' },
  search: { path: () => '/search?search=film', ready: '.card' },
  offline: { path: () => '/offline', ready: '.state' },
  embed: { path: () => `/videos/embed/${openVideo.uuid}`, ready: '.controls' },
  'embed with a password': { path: () => `/videos/embed/${lockedVideo.uuid}`, ready: '.unavailable-form' },
  'embed, missing video': { path: () => '/videos/embed/9c9de5e8-0a1e-484a-b099-e80766180a6d', ready: '.embed-nothing a' }
}
const MEMBER: Record<string, PageToCheck> = {
  'own watch page, sharing': {
    path: () => `/w/${openVideo.shortUUID}?subtitle=fr`,
    ready: '.controls',
    act: async page => {
      await page.locator('track').waitFor({ state: 'attached' })
      await page.getByRole('button', { name: 'Share' }).click()
      await page.getByLabel('With subtitles: French').check()
    }
  },
  'watch later': {
    path: () => `/w/p/${watchLaterId}`,
    ready: '.playlist-element button',
    act: async page => {
      await page.locator('.controls').waitFor()
      await page.getByText('Deleted video').waitFor()
    }
  },
  'own watch page, replying': {
    path: () => `/w/${openVideo.shortUUID}`,
    ready: '.comment',
    act: async page => {
      await page.getByRole('button', { name: 'Reply to bob' }).click()
      await page.getByLabel('Your reply to bob').fill('Hm')
    }
  },
  'own watch page, reporting a comment': {
    path: () => `/w/${openVideo.shortUUID}`,
    ready: '.comment',
    act: async page => {
      await page.getByRole('button', { name: 'Report comment by bob' }).first().click()
      await page.getByRole('button', { name: 'Send report' }).click()
      await page.getByRole('alert').waitFor()
    }
  },
  'own watch page, a comment held for review': { path: () => `/w/${moderatedVideo.shortUUID}`, ready: '.comment-held' },
  upload: { path: () => '/upload', ready: '.drop' },
  'upload with a refused file': {
    path: () => '/upload',
    ready: '.drop',
    act: async page => {
      await page.setInputFiles('input[type=file]', { name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('x') })
      await page.getByRole('alert').waitFor()
    }
  },
  'upload in progress': {
    path: () => '/upload',
    ready: '.drop',
    act: async page => {
      await page.route(/upload-resumable\?/, async () => {
        /* never answered */
      })
      await page.setInputFiles('input[type=file]', { name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(1000) })
      await page.getByLabel('Title').waitFor()
    }
  },
  'own videos': { path: () => '/my/videos', ready: '.shelf-line' },
  'own videos, deleting': {
    path: () => '/my/videos',
    ready: '.shelf-line',
    act: async page => {
      await page.locator('.shelf-line [aria-haspopup]').first().click()
      await page.getByRole('menuitem', { name: 'Delete' }).click()
      await page.getByRole('dialog').waitFor()
    }
  },
  'own videos, several selected': {
    path: () => '/my/videos',
    ready: '.shelf-line',
    act: async page => {
      await page.getByLabel('Select all').check()
      await page.getByRole('button', { name: 'Visibility' }).click()
      await page.getByRole('dialog').waitFor()
    }
  },
  'own videos, bulk action failing': {
    path: () => '/my/videos',
    ready: '.shelf-line',
    act: async page => {
      await page.route(/\/api\/v1\/videos\/\d+$/, async route => await route.fulfill({ status: 500, json: { detail: 'A disk is full' } }))
      await page.getByLabel('Select A locked film').check()
      await page.getByRole('group', { name: 'Bulk actions' }).getByRole('button', { name: 'Delete' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
      await page.getByRole('alert').waitFor()
    }
  },
  'own channels': { path: () => '/my/channels', ready: '.own-channel' },
  'a new channel with a name that is taken': {
    path: () => '/my/new-channel',
    ready: 'form',
    act: async page => {
      await page.getByLabel('Handle').fill('ada')
      await page.getByText('This handle is taken').waitFor()
    }
  },
  'edit channel': { path: () => '/my/channels/ada_channel', ready: '.image-fields' },
  'edit channel, deleting it': {
    path: () => '/my/channels/second',
    ready: '.channel-end',
    act: async page => {
      await page.getByRole('button', { name: 'Delete channel' }).click()
      await page.getByRole('dialog').waitFor()
    }
  },
  edit: { path: () => `/my/videos/${openVideo.shortUUID}`, ready: '.edit-foot' },
  'edit, choosing a frame': {
    path: () => `/my/videos/${openVideo.shortUUID}`,
    ready: '.edit-foot',
    act: async page => {
      await page.getByRole('button', { name: 'Choose a frame' }).click()
      await page.getByRole('button', { name: 'Use this frame' }).and(page.locator(':enabled')).waitFor()
    }
  },
  settings: { path: () => '/settings', ready: 'form' },
  'settings, password': { path: () => '/settings?tab=password', ready: 'form' },
  'own reports': {
    path: () => '/my/reports',
    ready: '.report',
    act: async page => {
      await page.getByRole('button', { name: /^1 message/ }).click()
      await page.locator('.talk-line').waitFor()
    }
  },
  'settings, display': { path: () => '/settings?tab=display', ready: '.switch' }
}
const ADMINISTRATOR: Record<string, PageToCheck> = {
  comments: { path: () => '/admin/comments', ready: '.report' },
  health: { path: () => '/admin/health', ready: '.health-group' },
  users: { path: () => '/admin/users', ready: '.user' },
  'users, creating': {
    path: () => '/admin/users',
    ready: '.user',
    act: async page => {
      await page.getByRole('button', { name: 'Create user' }).click()
      await page.getByRole('dialog').getByLabel('Storage quota (GB)').fill('x')
    }
  },
  'users, blocking': {
    path: () => '/admin/users',
    ready: '.user',
    act: async page => {
      await page.getByRole('button', { name: 'More actions for bob' }).click()
      await page.getByRole('menuitem', { name: 'Block' }).click()
      await page.getByRole('dialog').waitFor()
    }
  },
  'jobs, videos': { path: () => '/admin/jobs', ready: '.job' },
  'jobs, planned': { path: () => '/admin/jobs?tab=delayed', ready: '.job' },
  configuration: {
    path: () => '/admin/settings',
    ready: '.site-foot',
    act: async page => {
      await page.getByLabel('Instance name').fill('')
      await page.getByRole('button', { name: 'Save' }).click()
      await page.getByRole('alert').first().waitFor()
    }
  },
  'configuration, with an image that is refused': {
    path: () => '/admin/settings',
    ready: '.image-field',
    act: async page => {
      await page
        .getByLabel('Choose a banner')
        .last()
        .setInputFiles({ name: 'a.png', mimeType: 'image/png', buffer: Buffer.from('x') })
      await page.getByRole('alert').waitFor()
    }
  },
  'federation, following': { path: () => '/admin/federation', ready: '.server' },
  'federation, a wrong handle': {
    path: () => '/admin/federation',
    ready: '.server',
    act: async page => {
      await page.getByLabel('Follow instances').fill('!')
      await page.getByRole('button', { name: 'Follow', exact: true }).click()
      await page.getByRole('alert').waitFor()
    }
  },
  'federation, followers': { path: () => '/admin/federation?tab=followers', ready: '.server' },
  'federation, activities without effect': { path: () => '/admin/federation?tab=activities', ready: '.server' },
  'federation, servers': { path: () => '/admin/federation?tab=peers', ready: '.server' },
  reports: {
    path: () => '/admin/reports',
    ready: '.report',
    act: async page => {
      await page.getByRole('button', { name: /^1 message/ }).click()
      await page.locator('.talk-line').waitFor()
    }
  }
}

for (const [width, title] of [
  [390, 'on a phone'],
  [1280, 'light and dark']
] as const) {
  test(`every page is accessible, ${title}`, { timeout: 300_000 }, async () => {
    const options = { colorScheme: 'light' as const, viewport: { width, height: 800 }, reducedMotion: 'reduce' as const }
    const [guest, member, administrator] = [await site.visit(options), await site.visit(options), await site.visit(options)]
    await Promise.all([
      checkPages(guest.context, GUEST),
      logInThroughForm(member.page, 'ada', 'password1').then(async () => await checkPages(member.context, MEMBER)),
      logInThroughForm(administrator.page, 'root', site.rootPassword).then(
        async () => await checkPages(administrator.context, ADMINISTRATOR)
      )
    ])
    await guest.context.close()
    await member.context.close()
    await administrator.context.close()
  })
}

async function checkPages(context: BrowserContext, pages: Record<string, PageToCheck>): Promise<void> {
  // One page for all of them: a new one costs a process.
  const page = await context.newPage()
  // Leaving a form that was begun.
  page.on('dialog', async dialog => await dialog.accept())
  for (const [name, { path, ready, act }] of Object.entries(pages)) {
    await page.goto(path())
    await page.locator(ready).first().waitFor()
    await act?.(page)
    // What a sticky bar covers is not covered elsewhere.
    await page.evaluate(() => scrollTo({ top: 0, behavior: 'instant' }))
    await expectNoViolations(axe(page).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']), name)
    expect.soft(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} fits the screen`).toBe(true)
    // Colours are the same at every width.
    if (page.viewportSize()!.width > 1000) await checkInDarkTheme(page, name)
    await page.unrouteAll()
    await page.emulateMedia({ colorScheme: 'light' })
  }
}

/** Checks contrasts in the dark theme, which differs from the light one in its colours only. */
async function checkInDarkTheme(page: Page, name: string): Promise<void> {
  const lightColor = await textColor(page)
  await page.emulateMedia({ colorScheme: 'dark' })
  await expect.poll(async () => await textColor(page)).not.toBe(lightColor)
  await expectNoViolations(axe(page).withRules(['color-contrast', 'link-in-text-block']), `${name}, dark`)
}

/** Axe for this page without iframes, reporting violations only. */
function axe(page: Page): AxeBuilder {
  return new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] })
}

async function expectNoViolations(builder: AxeBuilder, name: string): Promise<void> {
  const { violations } = await builder.analyze()
  expect
    .soft(
      violations.map(
        ({ id, nodes }) => `${id}: ${nodes.map(node => `${node.target.join(' ')} (${node.any[0]?.message ?? ''})`).join(', ')}`
      ),
      name
    )
    .toEqual([])
}

async function textColor(page: Page): Promise<string> {
  return await page.evaluate(() => getComputedStyle(document.documentElement).color)
}
