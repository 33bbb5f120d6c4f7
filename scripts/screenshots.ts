import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { CHROMIUM_ARGUMENTS, chromiumPath } from '../client/test/chromium.ts'
import { startHostilePeer, type HostilePeer } from '../server/test/hostile-peer.ts'
import { findFreePort } from './launch/free-port.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [folder = 'screenshots', ...nameFilters] = process.argv.slice(2)
const PASSWORD = 'a long password'
const VIDEO_NAMES = [
  'The last man on earth',
  'Morning on the river',
  'How a reel is wound',
  'A walk through the old town, from the harbour up to the mill and back again by night',
  'Two minutes of rain',
  'The bell founder',
  'Night train',
  'Paper boats'
]
const DESCRIPTION =
  'A short film about **time**, shot in one day.\n\n- Camera: Ada\n- Sound: Charles\n\nMore at https://example.com, and thank you for watching!\n\nThe music was recorded in the old mill, where the wheel still turns. It was cold, it was dark, and nobody wanted to go home afterwards, which is how we ended up with a second film that nobody has seen yet.'

type VideoIds = { id: number; uuid: string; shortUUID: string }
type DemoSite = {
  url: string
  publicVideo: VideoIds
  protectedVideo: VideoIds
  privateVideo: VideoIds
  videoFile: string
  /** The server of a remote commenter. */
  peer: HostilePeer
  stop(): Promise<unknown>
}
type Screenshot = {
  name: string
  path: (site: DemoSite) => string
  guest?: boolean
  admin?: boolean
  action?: (page: Page, site: DemoSite) => Promise<unknown>
}

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
    action: async page => await page.getByRole('button', { name: /Share|Partager/ }).click()
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

/** Starts an instance of its own with users, channels and videos. */
async function startDemoSite(): Promise<DemoSite> {
  const data = mkdtempSync(join(tmpdir(), 'bobine-screenshots-'))
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const settings = {
    signup: { enabled: true },
    rates_limit: { api: { window: '1 second', max: 10_000 }, login: { window: '1 second', max: 1000 } },
    transcoding: { preset: 'ultrafast' },
    federation: { prevent_ssrf: false },
    instance: { name: 'Bobine', description: 'A small house for **films** of all kinds.', terms: 'Be kind.', languages: ['en', 'fr'] }
  }
  const child = spawn(join(root, 'scripts/start'), ['--data', data, '--port', String(port), '--hostname', '127.0.0.1'], {
    env: { ...process.env, BOBINE_ROOT_PASSWORD: PASSWORD, BOBINE_CONFIG: JSON.stringify(settings) },
    stdio: ['ignore', 'pipe', 'inherit']
  })
  await new Promise<void>((ready, failed) => {
    child.stdout.on('data', (text: Buffer) => {
      if (String(text).includes('is ready')) ready()
    })
    child.once('exit', code => failed(new Error(`scripts/start ended with ${code}`)))
  })
  const stop = async () => {
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    await ended
    rmSync(data, { recursive: true, force: true })
  }
  try {
    const seeded = await seedSite(url, data)
    return { url, ...seeded, stop: async () => await Promise.all([seeded.peer.stop(), stop()]) }
  } catch (error) {
    await stop()
    throw error
  }
}

async function seedSite(url: string, data: string): Promise<Omit<DemoSite, 'url' | 'stop'>> {
  // First, as it takes a while: idle connections would be closed by then.
  const videoFiles = VIDEO_NAMES.map((_, index) => makeVideoFile(data, index))
  const call = async (method: string, path: string, token: string | null, body?: unknown) => {
    const headers: Record<string, string> = {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body instanceof FormData || body instanceof URLSearchParams || body === undefined ? {} : { 'content-type': 'application/json' })
    }
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers,
      body: body instanceof FormData || body instanceof URLSearchParams ? body : body === undefined ? undefined : JSON.stringify(body)
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${text}`)
    return text === '' ? null : JSON.parse(text)
  }
  const login = async (username: string) =>
    (
      await call(
        'POST',
        '/users/token',
        null,
        new URLSearchParams({ ...(await call('GET', '/oauth-clients/local', null)), grant_type: 'password', username, password: PASSWORD })
      )
    ).access_token as string
  await call('POST', '/users', await login('root'), {
    username: 'ada',
    password: PASSWORD,
    email: 'ada@example.com',
    role: 2,
    channelName: 'ada_channel'
  })
  const ada = await login('ada')
  await call('PUT', '/users/me', ada, { displayName: 'Ada Morel', description: 'I film what moves: *water*, wheels, people.' })
  await call('PUT', '/video-channels/ada_channel', ada, {
    displayName: 'Slow pictures',
    description: 'One short film every **Sunday**. https://example.com',
    support: 'You can help with a coffee: https://example.com'
  })
  const [channel] = (await call('GET', '/users/me', ada)).videoChannels
  await call('POST', '/video-channels', ada, {
    name: 'night_walks',
    displayName: 'Night walks',
    description: 'What a town says when it sleeps.'
  })
  const upload = async (name: string, videoFile: string, fields: Record<string, string>): Promise<VideoIds> => {
    const form = new FormData()
    for (const [key, value] of Object.entries({ name, channelId: String(channel.id), ...fields })) form.append(key, value)
    form.set('videofile', new Blob([readFileSync(videoFile)], { type: 'video/mp4' }), 'film.mp4')
    return (await call('POST', '/videos/upload', ada, form)).video
  }
  const videos: VideoIds[] = []
  for (const [index, name] of VIDEO_NAMES.entries()) videos.unshift(await upload(name, videoFiles[index]!, { privacy: '1' }))
  const publicVideo = await upload('A reel unwinds', videoFiles[0]!, {
    privacy: '1',
    description: DESCRIPTION,
    category: '2',
    language: 'en',
    licence: '2',
    'tags[0]': 'film',
    'tags[1]': 'slow'
  })
  const protectedVideo = await upload('For friends', videoFiles[1]!, { privacy: '5', 'videoPasswords[0]': 'friends' })
  const privateVideo = await upload('A draft', videoFiles[2]!, { privacy: '3' })
  await call('POST', '/users', await login('root'), { username: 'charles', password: PASSWORD, email: 'charles@example.com', role: 2 })
  const charles = await login('charles')
  await call('PUT', '/users/me', charles, { displayName: 'Charles Babin' })
  const postComment = async (token: string, text: string, parent?: number): Promise<number> =>
    (await call('POST', `/videos/${publicVideo.uuid}/${parent ? `comments/${parent}` : 'comment-threads'}`, token, { text })).comment.id
  await postComment(charles, 'Which lens is this?')
  const firstComment = await postComment(
    charles,
    'I have walked past this mill for **thirty years** and never knew that the wheel still turns.\n\n- the light at *minute four*\n- the sound of it'
  )
  await postComment(
    charles,
    'Then I will be there.',
    await postComment(ada, 'Twice a year, in May and in October. https://example.com', firstComment)
  )
  await call('PUT', `/videos/${publicVideo.uuid}/rate`, charles, { rating: 'like' })
  const report = (
    await call('POST', '/abuses', ada, {
      reason: 'The sound is from a record that came out last year.',
      predefinedReasons: ['rights'],
      video: { id: publicVideo.id }
    })
  ).abuse.id as number
  await call('POST', `/abuses/${report}/messages`, await login('root'), { message: 'Which record is it, and at what minute?' })
  await call('POST', `/abuses/${report}/messages`, ada, { message: 'At minute two. I will look for the name.' })
  // Nothing listens there.
  await call('POST', '/server/following', await login('root'), { hosts: ['127.0.0.1:1'], handles: ['slow_pictures@127.0.0.1:1'] })
  for (;;) {
    const states = await Promise.all(
      [...videos, publicVideo, protectedVideo, privateVideo].map(
        async ({ uuid }) => (await call('GET', `/videos/${uuid}/transcoding`, ada)).state as string
      )
    )
    if (states.every(state => state === 'done')) break
    if (states.includes('failed')) throw new Error('A video could not be transcoded')
    await new Promise(resolve => setTimeout(resolve, 1000))
  }
  const peer = await deliverFromAnotherServer(url, `${url}/videos/watch/${publicVideo.uuid}`, videoFiles[3]!)
  return {
    publicVideo: publicVideo,
    protectedVideo: protectedVideo,
    privateVideo: privateVideo,
    peer,
    videoFile: makeVideoFile(data, 0, 'my-holiday_film 2026.mp4')
  }
}

/** Delivers comments with a content warning and attachments, and activities that have no effect. */
async function deliverFromAnotherServer(url: string, video: string, videoFile: string): Promise<HostilePeer> {
  const peer = await startHostilePeer()
  const picture = execFileSync('ffmpeg', ['-v', 'error', '-i', videoFile, '-frames:v', '1', '-f', 'mjpeg', '-'])
  peer.serve('/wheel.jpg', (_, response) => response.writeHead(200, { 'content-type': 'image/jpeg' }).end(picture))
  const { url: actor } = await peer.actor('mina', 'Person', { name: 'Mina Oudin' })
  const to = 'https://www.w3.org/ns/activitystreams#Public'
  const deliver = async (activity: object) => {
    const { status } = await peer.post(`${url}/inbox`, { id: peer.id(), actor, ...activity })
    if (status >= 300) throw new Error(`The inbox answered ${status}`)
  }
  const note = { id: peer.id('notes'), type: 'Note', attributedTo: actor, to, inReplyTo: video, published: new Date().toISOString() }
  await deliver({
    type: 'Create',
    to,
    object: {
      ...note,
      summary: 'Says how it ends',
      content: '<p>The wheel stops, and nobody is there to see it.</p>',
      attachment: [
        { type: 'Document', mediaType: 'application/pdf', url: `${peer.url}/mill.pdf`, name: 'Plan of the mill' },
        { type: 'Document', mediaType: 'video/mp4', url: `${peer.url}/wheel.mp4` },
        { type: 'Document', mediaType: 'image/jpeg', url: `${peer.url}/wheel.jpg`, name: 'The wheel' }
      ]
    }
  })
  await deliver({ type: 'Like', object: `${url}/w/nothing` })
  await deliver({ type: 'Create', object: { type: 'Note', id: 'https://elsewhere.example/1' } })
  const comments = async (): Promise<{ total: number }> =>
    await (await fetch(`${url}/api/v1/videos/${video.split('/').at(-1)}/comment-threads`)).json()
  for (const before = Date.now(); (await comments()).total < 3;) {
    if (Date.now() - before > 20_000) throw new Error('The comment did not arrive')
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  return peer
}

/** Makes a video of a few seconds: real footage where it is beside the project, else a test pattern; each with other colours. */
function makeVideoFile(data: string, index: number, name = `film-${index}.mp4`): string {
  const real = resolve(root, '../shared/media/the-last-man-on-earth.mp4')
  const target = join(data, name)
  const source = existsSync(real)
    ? ['-ss', String(index * 1.2), '-t', '5', '-i', real]
    : ['-f', 'lavfi', '-i', 'testsrc2=size=1280x720:rate=25:duration=5', '-f', 'lavfi', '-i', 'sine=duration=5']
  execFileSync('ffmpeg', [
    '-v',
    'error',
    '-y',
    ...source,
    '-vf',
    `scale=854:480,setsar=1,colorchannelmixer=rr=${0.5 + ((index * 37) % 60) / 100}:gg=${0.5 + ((index * 53) % 60) / 100}:bb=${0.5 + ((index * 71) % 60) / 100}`,
    '-c:v',
    'libx264',
    '-preset',
    'ultrafast',
    '-g',
    '50',
    '-pix_fmt',
    'yuv420p',
    '-c:a',
    'aac',
    target
  ])
  return target
}
