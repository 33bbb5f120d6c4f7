import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openQueue } from '../../server/core/job.ts'
import { runQuery, sql } from '../../server/core/sql.ts'
import { seedVideo } from '../../server/test/seed-video.ts'
import { uploadVideo } from '../../server/test/upload.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
beforeAll(async () => {
  site = await openTestSite({ webadmin: { health: { low_disk: 0, low_memory: 0 } }, upload: { keep_free: 0 } })
  const ada = await site.user('ada', { videoQuota: 2_000_000_000 })
  await site.user('judge', { role: 1 })
  await seedVideo({ channelId: ada.channelId, sourceSize: 500_000_000 })
  const { id } = await seedVideo({ channelId: ada.channelId, state: 7, sourceSize: 5, ageHours: 30 })
  await runQuery(sql`UPDATE videos SET name = 'A broken film' WHERE id = ${id}`)
  await runQuery(sql`
    INSERT INTO transcodings (video_id, state, attempts, not_before, resolutions, error, created_at, updated_at)
    VALUES (${id}, 'failed', 3, now(), '{}', 'Nothing in the file could be decoded.', now(), now())`)
}, 180_000)
afterAll(async () => await site?.stop())

const expectToFitScreen = async (page: Page) =>
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), page.url()).toBe(true)
const openSection = async (page: Page, section: string) => {
  await page.getByRole('navigation', { name: 'Administration' }).getByRole('link', { name: section }).click()
  await page.getByRole('heading', { name: section, level: 1 }).waitFor()
  await expectToFitScreen(page)
}

for (const width of [390, 1280]) {
  test(`an administrator uses every section of the administration at ${width} pixels`, async () => {
    const visitor = await site.visit({ viewport: { width, height: 800 }, reducedMotion: 'reduce' })
    const { page } = visitor
    const name = `guest${width}`
    await logInThroughForm(page, 'root', site.rootPassword)
    await page.getByRole('button', { name: /Account menu/ }).click()
    await page.getByRole('menuitem', { name: 'Administration' }).click()
    await page.waitForURL('**/admin/health')

    await page.getByRole('heading', { name: 'Health', level: 1 }).waitFor()
    const problems = page.locator('.health-verdict')
    await problems
      .getByText(/failed to transcode recently|Everything is working/)
      .first()
      .waitFor()
    await page.getByRole('heading', { name: 'Disk', exact: true }).waitFor()
    await page.getByRole('definition').filter({ hasText: '500 MB' }).waitFor()
    await expectToFitScreen(page)

    await openSection(page, 'Users')
    await page.getByRole('button', { name: 'Create user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Username').fill('ada')
    await dialog.getByLabel('Email').fill(`${name}@example.com`)
    await dialog.getByLabel('Password', { exact: true }).fill('short')
    await dialog.getByRole('button', { name: 'Create user' }).click()
    await dialog.getByText('Use at least').waitFor()
    await dialog.getByLabel('Password', { exact: true }).fill('password1')
    await dialog.getByRole('button', { name: 'Create user' }).click()
    await dialog.getByText('This username or email is already taken.').waitFor()
    await dialog.getByLabel('Username').fill(name)
    await dialog.getByLabel('Storage quota (GB)').fill('much')
    await dialog.getByText('Enter a size in gigabytes').waitFor()
    await dialog.getByRole('button', { name: 'Create user' }).click()
    await dialog.getByLabel('Storage quota (GB)').fill('1.5')
    await dialog.getByRole('button', { name: 'Create user' }).click()
    await page.getByText(`User ${name} created.`).waitFor()
    const userItem = (username: string) => page.getByRole('listitem').filter({ hasText: `@${username}` })
    await userItem(name).getByText('0 bytes of 1.5 GB').waitFor()
    await userItem('ada').getByText('500 MB of 2 GB').waitFor()
    await userItem('judge').getByText('Moderator').waitFor()
    expect(await userItem('root').getByRole('button', { name: 'More actions for root' }).count()).toBe(0)

    await page.getByLabel('Search by name or email').fill(name)
    await page.getByText('1 user', { exact: true }).waitFor()
    await page.getByRole('button', { name: `Edit ${name}` }).click()
    await dialog.getByLabel('Role').selectOption({ label: 'Moderator' })
    await dialog.getByLabel('Storage quota (GB)').fill('')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await userItem(name).getByText('0 bytes, no limit').waitFor()
    await userItem(name).getByText('Moderator').waitFor()
    const chooseAction = async (action: string) => {
      await page.getByRole('button', { name: `More actions for ${name}` }).click()
      await page.getByRole('menuitem', { name: action }).click()
    }
    await chooseAction('Block')
    await dialog.getByLabel('Reason').fill('For <b>nothing</b>')
    await dialog.getByRole('button', { name: 'Block' }).click()
    await userItem(name).getByText('Reason: For <b>nothing</b>').waitFor()
    await page.getByLabel('Show').selectOption({ label: 'Blocked only' })
    await userItem(name).waitFor()
    await chooseAction('Unblock')
    await page.getByText('No users found').waitFor()
    await page.getByLabel('Show').selectOption({ label: 'All' })
    await chooseAction('Delete')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await chooseAction('Delete')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('No users found').waitFor()

    await openSection(page, 'Jobs')
    const broken = page.getByRole('listitem').filter({ hasText: 'A broken film' })
    await broken.getByText(/Nothing in the file could be decoded|Something went wrong on the server/).waitFor()
    await page.getByRole('tab', { name: 'Scheduled' }).click()
    await page.getByRole('listitem').filter({ hasText: 'videos-views-stats' }).waitFor()
    await (await openQueue('maintenance')).add(`fall-over-${width}`, { why: 'a test' })
    await page.getByRole('tab', { name: 'Failed' }).click()
    const failed = page.getByRole('listitem').filter({ hasText: `fall-over-${width}` })
    await failed.getByText(`No handler for the job fall-over-${width}`, { exact: true }).waitFor()
    await failed.getByText('{"why":"a test"}').waitFor()
    await failed.getByText('Details').click()
    await expectToFitScreen(page)

    await openSection(page, 'Configuration')
    const [title, short] = [page.getByLabel('Instance name'), page.getByLabel('Short description')]
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true)
    await title.fill(' ')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Enter a name for the instance.').waitFor()
    await title.fill(`Reels ${width}`)
    await short.fill('Films, and nothing else')
    await page.getByLabel('Terms of use').fill('Be **kind**.')
    await page.getByRole('switch', { name: 'Anyone can sign up' }).check()
    await page.getByLabel('Maximum number of accounts').fill('')
    await page.getByLabel('Storage quota (GB)').fill('20')
    await page.getByRole('checkbox', { name: '1080p' }).uncheck()
    // Only encoders that some worker supports are offered; this machine has no hardware encoder.
    expect(await page.getByLabel('Encoder').locator('option').allTextContents()).toEqual(['Fastest available', 'Software (x264)'])
    await page.getByLabel('Encoder').selectOption('auto')
    await page.getByText('Also offer each quality as a single file').click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('link', { name: `Reels ${width}, home` }).waitFor()
    expect((await site.call('GET /config')).json).toMatchObject({
      instance: { name: `Reels ${width}`, shortDescription: 'Films, and nothing else' },
      signup: { allowed: true },
      user: { videoQuota: 20_000_000_000 },
      transcoding: { enabledResolutions: [240, 360, 480, 720], web_videos: { enabled: false } }
    })
    expect((await site.call('GET /config/custom', { token: await site.login() })).json.transcoding).toMatchObject({
      encoder: 'auto',
      webVideos: { enabled: false }
    })
    await page.goto('/about')
    await page.getByText('kind', { exact: true }).waitFor()
    await page.goto('/admin/settings')
    expect(await title.inputValue()).toBe(`Reels ${width}`)
    await page.getByRole('button', { name: 'Reset' }).click()
    await dialog.getByRole('button', { name: 'Reset' }).click()
    await page.getByRole('link', { name: 'Bobine, home' }).waitFor()
    await expect.poll(async () => await title.inputValue()).toBe('Bobine')
    expect((await site.call('GET /config')).json).toMatchObject({ instance: { name: 'Bobine' }, signup: { allowed: false } })

    await openSection(page, 'Federation')
    await openSection(page, 'Reports')
    await openSection(page, 'Comments')
    expectNoPageErrors(visitor)
    await visitor.context.close()
  })
}

test('a failed transcoding is retried, and paused jobs are resumed', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  const token = await site.login()
  await site.call('POST /jobs/pause', { token })
  await logInThroughForm(page, 'root', site.rootPassword, '/admin/jobs')
  await page.getByRole('button', { name: 'Try again: A broken film' }).click()
  const broken = page.getByRole('listitem').filter({ hasText: 'A broken film' })
  await broken.getByText('Waiting', { exact: true }).waitFor()
  await page.getByRole('tab', { name: 'Waiting' }).click()
  await page.getByRole('listitem').filter({ hasText: 'video-transcoding' }).getByText('Paused').waitFor()
  await page.goto('/admin/health')
  await page.getByText('All jobs are paused.').waitFor()
  await page.getByRole('button', { name: 'Resume jobs' }).click()
  await expect.poll(async () => await page.getByText('All jobs are paused.').count()).toBe(0)
  expect((await site.call('GET /server/health', { token })).json.jobs.paused).toBe(false)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('an administrator prioritizes and stops a transcoding; the owner of the video sees its position in the queue', async () => {
  const mia = await site.user('mia')
  const token = await site.login()
  await site.call('POST /jobs/pause', { token })
  for (const name of ['The first in the queue', 'The second in the queue']) await uploadVideo(site, mia, { name, privacy: 3 })
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/admin/jobs')
  const item = page.getByRole('listitem').filter({ hasText: 'The second in the queue' })
  await item.getByText('Position 2 in the queue').waitFor()
  const chooseMenuItem = async (name: string) => {
    await page.getByRole('button', { name: 'More actions for The second in the queue' }).click()
    await page.getByRole(name === 'Stop' ? 'menuitem' : 'menuitemradio', { name }).click()
  }
  await chooseMenuItem('High priority')
  await item.getByText('Position 1 in the queue').waitFor()
  await item.getByText('High priority', { exact: true }).waitFor()
  const owner = await site.visit({ reducedMotion: 'reduce' })
  await logInThroughForm(owner.page, 'mia', 'password1', '/my/videos')
  await owner.page.getByText('Waiting to be processed · Position 2 in the queue').waitFor()
  await chooseMenuItem('Stop')
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
  await item.getByText('An administrator stopped the encoding.').waitFor()
  await item.getByText('Failed', { exact: true }).waitFor()
  await expect.poll(async () => await owner.page.getByText('Waiting to be processed · Position 1 in the queue').count()).toBe(1)
  await site.call('POST /jobs/resume', { token })
  await expect
    .poll(async () => (await site.call('GET /server/transcodings?state=waiting', { token })).json.total, { timeout: 60_000 })
    .toBe(0)
  for (const each of [visitor, owner]) {
    expectNoPageErrors(each)
    await each.context.close()
  }
})

test('moderators see users, reports and comments only, other users no administration at all', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto('/admin')
  await page.waitForURL('**/login?next=%2Fadmin')
  await logInThroughForm(page, 'judge', 'password1', '/admin')
  await page.waitForURL('**/admin/users')
  const sectionLinks = page.getByRole('navigation', { name: 'Administration' }).getByRole('link')
  await expect.poll(async () => await sectionLinks.allInnerTexts()).toEqual(['Users', 'Reports', 'Comments'])
  await page.getByRole('button', { name: 'Edit ada' }).waitFor()
  for (const username of ['root', 'judge'])
    expect(await page.getByRole('button', { name: new RegExp(`(Edit|More actions for) ${username}`) }).count(), username).toBe(0)
  await page.getByRole('button', { name: 'Edit ada' }).click()
  expect(await page.getByRole('dialog').getByLabel('Role').count()).toBe(0)
  await page.keyboard.press('Escape')
  for (const section of ['health', 'jobs', 'settings', 'federation']) {
    await page.goto(`/admin/${section}`)
    await page.getByRole('heading', { name: 'Only administrators can view this page' }).waitFor()
  }
  await page.evaluate(() => localStorage.clear())
  await logInThroughForm(page, 'ada', 'password1')
  await page.getByRole('button', { name: /Account menu/ }).click()
  expect(await page.getByRole('menuitem', { name: 'Administration' }).count()).toBe(0)
  for (const path of ['/admin', '/admin/users']) {
    await page.goto(path)
    await page.getByRole('heading', { name: 'Only moderators can view this page' }).waitFor()
  }
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

for (const width of [390, 1280]) {
  test(`the health page shows what limits refused at ${width} pixels`, async () => {
    await runQuery(sql`INSERT INTO rate_limit_refusals VALUES
      (date_trunc('hour', now()), 'login', '203.0.113.5', 1200, now() - interval '5 minutes'),
      (date_trunc('hour', now()), 'login', '2001:db8:1:2::/64', 30, now() - interval '2 hours'),
      (date_trunc('hour', now()), 'login', '', 7, now() - interval '2 hours'),
      (date_trunc('hour', now()), 'inbox', ${'a-long-name.'.repeat(12) + 'example'}, 1, now() - interval '2 minutes') ON CONFLICT DO NOTHING`)
    const visitor = await site.visit({ viewport: { width, height: 800 }, reducedMotion: 'reduce' })
    const { page } = visitor
    await logInThroughForm(page, 'root', site.rootPassword, '/admin/health')
    const section = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: 'Requests refused by limits in the last day' }) })
    const logins = section.getByRole('listitem').filter({ hasText: 'Logins and wrong passwords' })
    await logins.getByText('1,237 requests, the last 5 minutes ago').waitFor()
    const addresses = await logins.getByRole('listitem').allInnerTexts()
    expect(addresses.map(text => text.replace(/\s+/g, ' ').trim())).toEqual([
      '203.0.113.5 1,200',
      '2001:db8:1:2::/64 30',
      'Other addresses 7'
    ])
    await section.getByText('1 request, 2 minutes ago').waitFor()
    await expectToFitScreen(page)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  })
}

test('another administrator is not offered the login of root, root is', async () => {
  await site.user('deputy', { role: 0 })
  for (const [name, password, offered] of [
    ['deputy', 'password1', 0],
    ['root', site.rootPassword, 1]
  ] as const) {
    const visitor = await site.visit({ reducedMotion: 'reduce' })
    const { page } = visitor
    await logInThroughForm(page, name, password, '/admin/users')
    await page.getByRole('button', { name: 'Edit root' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Storage quota (GB)').waitFor()
    expect(await dialog.getByLabel('Email').count()).toBe(offered)
    expect(await dialog.getByLabel('New password').count()).toBe(offered)
    expect(await dialog.getByText('Only root can change this email address and password.').count()).toBe(1 - offered)
    expectNoPageErrors(visitor)
    await visitor.context.close()
  }
})
