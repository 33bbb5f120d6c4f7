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
  await runQuery(
    sql`INSERT INTO transcodings (video_id, state, attempts, not_before, resolutions, error, created_at, updated_at) VALUES (${id}, 'failed', 3, now(), '{}', 'Nothing in the file could be decoded.', now(), now())`
  )
}, 180_000)
afterAll(async () => await site?.stop())

const fits = async (page: Page) =>
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), page.url()).toBe(true)
const go = async (page: Page, room: string) => {
  await page.getByRole('navigation', { name: 'Run this site' }).getByRole('link', { name: room }).click()
  await page.getByRole('heading', { name: room, level: 1 }).waitFor()
  await fits(page)
}

for (const width of [390, 1280]) {
  test(`an administrator walks through the rooms at ${width} pixels`, async () => {
    const visitor = await site.visit({ viewport: { width, height: 800 }, reducedMotion: 'reduce' })
    const { page } = visitor
    const name = `guest${width}`
    await logInThroughForm(page, 'root', site.rootPassword)
    await page.getByRole('button', { name: /Your menu/ }).click()
    await page.getByRole('menuitem', { name: 'Run this site' }).click()
    await page.waitForURL('**/admin/health')

    await page.getByRole('heading', { name: 'Health', level: 1 }).waitFor()
    const verdict = page.locator('.health-verdict')
    await verdict
      .getByText(/could not be prepared lately|All is well/)
      .first()
      .waitFor()
    await page.getByRole('heading', { name: 'Disk', exact: true }).waitFor()
    await page.getByRole('definition').filter({ hasText: '500 MB' }).waitFor()
    await fits(page)

    await go(page, 'Users')
    await page.getByRole('button', { name: 'Create a user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Username').fill('ada')
    await dialog.getByLabel('Email').fill(`${name}@example.com`)
    await dialog.getByLabel('Password', { exact: true }).fill('short')
    await dialog.getByRole('button', { name: 'Create a user' }).click()
    await dialog.getByText('Please take a longer one').waitFor()
    await dialog.getByLabel('Password', { exact: true }).fill('password1')
    await dialog.getByRole('button', { name: 'Create a user' }).click()
    await dialog.getByText('This name or address is taken already.').waitFor()
    await dialog.getByLabel('Username').fill(name)
    await dialog.getByLabel('Space in GB').fill('much')
    await dialog.getByText('Please write a size in gigabytes').waitFor()
    await dialog.getByRole('button', { name: 'Create a user' }).click()
    await dialog.getByLabel('Space in GB').fill('1.5')
    await dialog.getByRole('button', { name: 'Create a user' }).click()
    await page.getByText(`${name} has an account now.`).waitFor()
    const line = (who: string) => page.getByRole('listitem').filter({ hasText: `@${who}` })
    await line(name).getByText('0 bytes of 1.5 GB').waitFor()
    await line('ada').getByText('500 MB of 2 GB').waitFor()
    await line('judge').getByText('Moderator').waitFor()
    expect(await line('root').getByRole('button', { name: 'More about root' }).count()).toBe(0)

    await page.getByLabel('Search by name or email').fill(name)
    await page.getByText('1 user', { exact: true }).waitFor()
    await page.getByRole('button', { name: `Edit ${name}` }).click()
    await dialog.getByLabel('Role').selectOption({ label: 'Moderator' })
    await dialog.getByLabel('Space in GB').fill('')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await line(name).getByText('0 bytes, no limit').waitFor()
    await line(name).getByText('Moderator').waitFor()
    const more = async (what: string) => {
      await page.getByRole('button', { name: `More about ${name}` }).click()
      await page.getByRole('menuitem', { name: what }).click()
    }
    await more('Block')
    await dialog.getByLabel('Why?').fill('For <b>nothing</b>')
    await dialog.getByRole('button', { name: 'Block' }).click()
    await line(name).getByText('Blocked because: For <b>nothing</b>').waitFor()
    await page.getByLabel('Show').selectOption({ label: 'Only blocked ones' })
    await line(name).waitFor()
    await more('Unblock')
    await page.getByText('Nobody found').waitFor()
    await page.getByLabel('Show').selectOption({ label: 'All' })
    await more('Delete')
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await more('Delete')
    await dialog.getByRole('button', { name: 'Delete' }).click()
    await page.getByText('Nobody found').waitFor()

    await go(page, 'Jobs')
    const broken = page.getByRole('listitem').filter({ hasText: 'A broken film' })
    await broken.getByText(/Nothing in the file could be decoded|Something went wrong on the server/).waitFor()
    await page.getByRole('tab', { name: 'Planned' }).click()
    await page.getByRole('listitem').filter({ hasText: 'sweep-uploads' }).getByText('Remove uploads that were given up').waitFor()
    await (await openQueue('maintenance')).add(`fall-over-${width}`, { why: 'a test' })
    await page.getByRole('tab', { name: 'Failed' }).click()
    const failed = page.getByRole('listitem').filter({ hasText: `fall-over-${width}` })
    await failed.getByText(`No handler for the job fall-over-${width}`, { exact: true }).waitFor()
    await failed.getByText('{"why":"a test"}').waitFor()
    await failed.getByText('Details').click()
    await fits(page)

    await go(page, 'Site settings')
    const [title, short] = [page.getByLabel('Name of the site'), page.getByLabel('In one sentence')]
    expect(await page.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true)
    await title.fill(' ')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The site needs a name.').waitFor()
    await title.fill(`Reels ${width}`)
    await short.fill('Films, and nothing else')
    await page.getByLabel('Terms').fill('Be **kind**.')
    await page.getByRole('switch', { name: 'Everybody may sign up' }).check()
    await page.getByLabel('Accounts at most').fill('')
    await page.getByLabel('Space in GB').fill('20')
    await page.getByRole('checkbox', { name: '1080p' }).uncheck()
    // Only what some worker has is offered; this machine has no hardware for it.
    expect(await page.getByLabel('Encoder').locator('option').allTextContents()).toEqual(['The fastest that works', 'Software (x264)'])
    await page.getByLabel('Encoder').selectOption('auto')
    await page.getByText('Offer every quality as one file').click()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByRole('link', { name: `Reels ${width}, home` }).waitFor()
    expect((await site.call('GET /config')).json).toMatchObject({
      instance: { name: `Reels ${width}`, shortDescription: 'Films, and nothing else' },
      signup: { allowed: true },
      user: { videoQuota: 20_000_000_000 },
      transcoding: { enabledResolutions: [240, 360, 480, 720], web_videos: { enabled: true } }
    })
    expect((await site.call('GET /config/custom', { token: await site.login() })).json.transcoding).toMatchObject({
      encoder: 'auto',
      webVideos: { enabled: true }
    })
    await page.goto('/about')
    await page.getByText('kind', { exact: true }).waitFor()
    await page.goto('/admin/settings')
    expect(await title.inputValue()).toBe(`Reels ${width}`)
    await page.getByRole('button', { name: 'Back to the files' }).click()
    await dialog.getByRole('button', { name: 'Back to the files' }).click()
    await page.getByRole('link', { name: 'Bobine, home' }).waitFor()
    await expect.poll(async () => await title.inputValue()).toBe('Bobine')
    expect((await site.call('GET /config')).json).toMatchObject({ instance: { name: 'Bobine' }, signup: { allowed: false } })

    await go(page, 'Federation')
    await go(page, 'Reports')
    expectNoPageErrors(visitor)
    await visitor.context.close()
  })
}

test('what failed is tried again, and halted jobs are let go on', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  const token = await site.login()
  await site.call('POST /jobs/pause', { token })
  await logInThroughForm(page, 'root', site.rootPassword, '/admin/jobs')
  await page.getByRole('button', { name: 'Try again: A broken film' }).click()
  const broken = page.getByRole('listitem').filter({ hasText: 'A broken film' })
  await broken.getByText('Waiting', { exact: true }).waitFor()
  await page.getByRole('tab', { name: 'Waiting' }).click()
  await page.getByRole('listitem').filter({ hasText: 'video-transcoding' }).getByText('Halted').waitFor()
  await page.goto('/admin/health')
  await page.getByText('All jobs are halted.').waitFor()
  await page.getByRole('button', { name: 'Let them start again' }).click()
  await expect.poll(async () => await page.getByText('All jobs are halted.').count()).toBe(0)
  expect((await site.call('GET /server/health', { token })).json.jobs.paused).toBe(false)
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('an administrator says which film goes first, and stops one; its owner reads the place in the queue', async () => {
  const mia = await site.user('mia')
  const token = await site.login()
  await site.call('POST /jobs/pause', { token })
  for (const name of ['The first in the queue', 'The second in the queue']) await uploadVideo(site, mia, { name, privacy: 3 })
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/admin/jobs')
  const film = page.getByRole('listitem').filter({ hasText: 'The second in the queue' })
  await film.getByText('Number 2 in the queue').waitFor()
  const choose = async (name: string) => {
    await page.getByRole('button', { name: 'More about The second in the queue' }).click()
    await page.getByRole(name === 'Stop' ? 'menuitem' : 'menuitemradio', { name }).click()
  }
  await choose('Before all others')
  await film.getByText('Number 1 in the queue').waitFor()
  await film.getByText('Before all others', { exact: true }).waitFor()
  const owner = await site.visit({ reducedMotion: 'reduce' })
  await logInThroughForm(owner.page, 'mia', 'password1', '/my/videos')
  await owner.page.getByText('Waiting for its turn · Number 2 in the queue').waitFor()
  await choose('Stop')
  await page.getByRole('dialog').getByRole('button', { name: 'Stop' }).click()
  await film.getByText('An administrator stopped the encoding.').waitFor()
  await film.getByText('Failed', { exact: true }).waitFor()
  await expect.poll(async () => await owner.page.getByText('Waiting for its turn · Number 1 in the queue').count()).toBe(1)
  await site.call('POST /jobs/resume', { token })
  await expect
    .poll(async () => (await site.call('GET /server/transcodings?state=waiting', { token })).json.total, { timeout: 60_000 })
    .toBe(0)
  for (const one of [visitor, owner]) {
    expectNoPageErrors(one)
    await one.context.close()
  }
})

test('moderators see users and reports, and others nothing at all', async () => {
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page } = visitor
  await page.goto('/admin')
  await page.waitForURL('**/login?next=%2Fadmin')
  await logInThroughForm(page, 'judge', 'password1', '/admin')
  await page.waitForURL('**/admin/users')
  const ways = page.getByRole('navigation', { name: 'Run this site' }).getByRole('link')
  await expect.poll(async () => await ways.allInnerTexts()).toEqual(['Users', 'Reports'])
  await page.getByRole('button', { name: 'Edit ada' }).waitFor()
  for (const who of ['root', 'judge'])
    expect(await page.getByRole('button', { name: new RegExp(`(Edit|More about) ${who}`) }).count(), who).toBe(0)
  await page.getByRole('button', { name: 'Edit ada' }).click()
  expect(await page.getByRole('dialog').getByLabel('Role').count()).toBe(0)
  await page.keyboard.press('Escape')
  for (const room of ['health', 'jobs', 'settings', 'federation']) {
    await page.goto(`/admin/${room}`)
    await page.getByRole('heading', { name: 'This page is for administrators' }).waitFor()
  }
  await page.evaluate(() => localStorage.clear())
  await logInThroughForm(page, 'ada', 'password1')
  await page.getByRole('button', { name: /Your menu/ }).click()
  expect(await page.getByRole('menuitem', { name: 'Run this site' }).count()).toBe(0)
  for (const room of ['', '/users']) {
    await page.goto(`/admin${room}`)
    await page.getByRole('heading', { name: 'This page is for moderators' }).waitFor()
  }
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
