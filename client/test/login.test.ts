import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
beforeAll(async () => {
  site = await openTestSite({ signup: { enabled: true } })
})
afterAll(async () => await site.stop())

test('an empty form and a wrong password show an error; the right password leads to the requested page', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/my/videos')
  await page.waitForURL('**/login?next=%2Fmy%2Fvideos')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').getByText('Enter your username and password.').waitFor()
  await page.getByLabel('Username or email').fill('root')
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').getByText('Incorrect username or password.').waitFor()
  await page.getByRole('button', { name: 'Show' }).click()
  expect(await page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text')
  await page.getByLabel('Password', { exact: true }).fill(site.rootPassword)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'My videos' }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/my/videos')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a blocked user is told why they cannot log in', async () => {
  const { id } = await site.user('mallory')
  await site.call(`POST /users/${id}/block`, { token: await site.login() })
  const { page, context } = await site.visit()
  await page.goto('/login')
  await page.getByLabel('Username or email').fill('mallory')
  await page.getByLabel('Password', { exact: true }).fill('password1')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page
    .getByRole('alert')
    .getByText(/You can’t log in/)
    .waitFor()
  await context.close()
})

test('an expired access token is refreshed once, however many requests wait and tabs are open', async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/settings')
  const tokenRequests: string[] = []
  context.on('request', request => {
    if (request.url().endsWith('/users/token')) tokenRequests.push(request.postData()!)
  })
  const otherTab = await context.newPage()
  await runQuery(sql`UPDATE oauth_tokens SET access_token_expires_at = now() - interval '1 second'`)
  await Promise.all([page.reload(), otherTab.goto('/settings')])
  for (const tab of [page, otherTab]) await tab.getByText(/Your videos use/).waitFor()
  expect(tokenRequests.length).toBe(1)
  expect(tokenRequests[0]).toContain('grant_type=refresh_token')
  await page.getByLabel('Display name').fill('The administrator')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  expectNoPageErrors(visitor)
  await context.close()
})

test('a tab that reads a stale session from storage keeps its session', async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/settings')
  const staleTab = await context.newPage()
  await staleTab.addInitScript(() => {
    const read = Storage.prototype.getItem
    const request = navigator.locks.request.bind(navigator.locks) as (...parameters: unknown[]) => Promise<unknown>
    const staleValue = read.call(localStorage, 'bobine.session')
    let staleUntil = Infinity
    Storage.prototype.getItem = function (key) {
      return key === 'bobine.session' && performance.now() < staleUntil ? staleValue : read.call(this, key)
    }
    Object.assign(navigator.locks, {
      request: async (...parameters: unknown[]) => {
        // Lets the other tab refresh the token first.
        await new Promise(resolve => setTimeout(resolve, 200))
        staleUntil = Math.min(staleUntil, performance.now() + 500)
        return await request(...parameters)
      }
    })
  })
  await runQuery(sql`UPDATE oauth_tokens SET access_token_expires_at = now() - interval '1 second'`)
  await Promise.all([page.reload(), staleTab.goto('/settings')])
  for (const tab of [page, staleTab]) await tab.getByText(/Your videos use/).waitFor()
  for (const tab of [page, staleTab]) expect(await tab.locator('.bar-me').count()).toBe(1)
  expect(await page.evaluate(() => localStorage.getItem('bobine.session'))).not.toBe('null')
  expectNoPageErrors(visitor)
  await context.close()
})

test('logging out ends the session in every tab and on the server', async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword)
  const otherTab = await context.newPage()
  await otherTab.goto('/')
  await otherTab.locator('.bar-me').waitFor()
  const token = await page.evaluate(() => (JSON.parse(localStorage.getItem('bobine.session')!) as { access: string }).access)
  await page.locator('.bar-me').click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  for (const tab of [page, otherTab]) await tab.getByRole('link', { name: 'Log in' }).waitFor()
  expect((await site.call('GET /users/me', { token })).status).toBe(401)
  expectNoPageErrors(visitor)
  await context.close()
})

test('a session that the server does not know leads to the login page', async () => {
  const { context, page } = await site.visit()
  await logInThroughForm(page, 'root', site.rootPassword)
  await page.evaluate(() => localStorage.setItem('bobine.session', JSON.stringify({ access: 'gone', refresh: 'gone' })))
  await page.goto('/settings')
  await page.waitForURL('**/login?next=%2Fsettings')
  await context.close()
})

test('signing up shows what is wrong with the form, then logs in', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/')
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('menuitem', { name: 'Sign up' }).click()
  await page.getByLabel('Username').fill('grace hopper')
  await page.getByLabel('Email').fill('grace')
  await page.getByLabel('Password', { exact: true }).fill('short')
  expect(await page.getByRole('button', { name: 'Sign up' }).isDisabled()).toBe(true)
  await page.getByLabel('I am at least 16 years old').check()
  await page.getByRole('button', { name: 'Sign up' }).click()
  await page.getByText(/Lowercase letters a to z and digits/).waitFor()
  await page.getByText('Enter a valid email address.').waitFor()
  await page.getByText('Use at least 6 characters.').waitFor()
  await page.getByLabel('Username').fill('root_channel')
  await page.getByLabel('Email').fill('grace@example.com')
  await page.getByLabel('Password', { exact: true }).fill('a long password')
  await page.getByRole('button', { name: 'Sign up' }).click()
  await page.getByText('This username or email is already taken.').waitFor()
  await page.getByLabel('Username').fill('grace')
  await page.getByRole('button', { name: 'Sign up' }).click()
  await page.getByRole('button', { name: 'Account menu, grace' }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('changing the password requires the current one', async () => {
  await site.user('ada')
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/settings?tab=password')
  await page.getByLabel('Current password').fill('wrong')
  await page.getByLabel('New password').fill('a new password')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Your current password is incorrect.').waitFor()
  await page.getByLabel('Current password').fill('password1')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Password changed.').waitFor()
  await site.login('ada', 'a new password')
  await expect(site.login('ada', 'password1')).rejects.toThrow()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('language and theme are stored, and the server renders the next page with them', async () => {
  const visitor = await site.visit({ colorScheme: 'light' })
  const { page } = visitor
  await page.goto('/')
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('menuitemradio', { name: 'Dark' }).click()
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('menuitemradio', { name: 'Français' }).click()
  await page.getByRole('link', { name: 'Nouveautés' }).waitFor()
  const response = await page.reload()
  const text = await response!.text()
  expect(text).toContain('<html lang="fr" data-theme="dark">')
  expect(text).toContain('Nouveautés')
  await page.getByRole('link', { name: 'Nouveautés' }).waitFor()
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe('rgb(22, 20, 18)')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a user deletes the own account with the password', async () => {
  const { id } = await site.user('leaver')
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page, context } = visitor
  await logInThroughForm(page, 'leaver', 'password1', '/settings')
  const exists = async () => (await runQuery(sql`SELECT id FROM users WHERE id = ${id}`)).length === 1
  await page.getByRole('button', { name: 'Delete account' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('heading', { name: 'Delete the account leaver?' }).waitFor()
  // An empty password is not sent, though the login is fresh.
  await dialog.getByRole('button', { name: 'Delete account' }).click()
  expect(await dialog.getByLabel('Current password').evaluate(input => (input as HTMLInputElement).validity.valueMissing)).toBe(true)
  await dialog.getByLabel('Current password').fill('a guess')
  await dialog.getByRole('button', { name: 'Delete account' }).click()
  await dialog.getByText('Your current password is incorrect.').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  expect(await exists()).toBe(true)
  await page.getByRole('button', { name: 'Delete account' }).click()
  await dialog.getByLabel('Current password').fill('password1')
  await dialog.getByRole('button', { name: 'Delete account' }).click()
  await page.getByText('Your account has been deleted.').waitFor()
  await page.waitForURL(url => url.pathname === '/login')
  expect(await exists()).toBe(false)
  expect(await page.getByRole('button', { name: /Account menu/ }).count()).toBe(0)
  await page.reload()
  await page.getByRole('banner').getByRole('link', { name: 'Log in' }).waitFor()
  expectNoPageErrors(visitor)
  await context.close()
})

test('too many wrong passwords, and root, are told so', async () => {
  await site.user('guesser')
  const visitor = await site.visit({ reducedMotion: 'reduce' })
  const { page, context } = visitor
  await logInThroughForm(page, 'guesser', 'password1', '/settings')
  await page.route('**/api/v1/users/me', async route => {
    if (route.request().method() !== 'DELETE') return await route.continue()
    await route.fulfill({
      status: 429,
      contentType: 'application/problem+json',
      body: JSON.stringify({ status: 429, detail: 'No', code: 'too_many_requests' })
    })
  })
  await page.getByRole('button', { name: 'Delete account' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Current password').fill('password1')
  await dialog.getByRole('button', { name: 'Delete account' }).click()
  await dialog.getByText('Too many attempts. Try again in a few minutes.').waitFor()
  await page.evaluate(() => localStorage.clear())
  await logInThroughForm(page, 'root', site.rootPassword, '/settings')
  await page.getByRole('button', { name: 'Save' }).waitFor()
  expect(await page.getByRole('button', { name: 'Delete account' }).count()).toBe(0)
  await context.close()
})

test('a reserved name is refused with a reason', async () => {
  const visitor = await site.visit()
  const { page, context } = visitor
  await page.goto('/signup')
  await page.getByLabel('Username').fill('m0derator')
  await page.getByLabel('Email').fill('moderator@example.com')
  await page.getByLabel('Password', { exact: true }).fill('password1')
  await page.getByLabel('I am at least 16 years old').check()
  await page.getByRole('main').getByRole('button', { name: 'Sign up' }).click()
  await page.getByText('This username is reserved. Choose another one.').waitFor()
  await context.close()
})
