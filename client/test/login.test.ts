import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../../server/core/sql.ts'
import { expectNoPageErrors, logInThroughForm, openTestSite, type TestSite } from './site.ts'

let site: TestSite
beforeAll(async () => {
  site = await openTestSite({ signup: { enabled: true } })
})
afterAll(async () => await site.stop())

test('a wrong password is told, an empty form too, and the right one leads to where one wanted to go', async () => {
  const visitor = await site.visit()
  const { page } = visitor
  await page.goto('/my/videos')
  await page.waitForURL('**/login?next=%2Fmy%2Fvideos')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').getByText('Please enter your name and your password.').waitFor()
  await page.getByLabel('Username or email').fill('root')
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('alert').getByText('The name or the password is not right.').waitFor()
  await page.getByRole('button', { name: 'Show' }).click()
  expect(await page.getByLabel('Password', { exact: true }).getAttribute('type')).toBe('text')
  await page.getByLabel('Password', { exact: true }).fill(site.rootPassword)
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'My videos' }).waitFor()
  expect(new URL(page.url()).pathname).toBe('/my/videos')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('a blocked person reads why', async () => {
  const { id } = await site.user('mallory')
  await site.call(`POST /users/${id}/block`, { token: await site.login() })
  const { page, context } = await site.visit()
  await page.goto('/login')
  await page.getByLabel('Username or email').fill('mallory')
  await page.getByLabel('Password', { exact: true }).fill('password1')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page
    .getByRole('alert')
    .getByText(/You cannot log in/)
    .waitFor()
  await context.close()
})

test('a session goes on when its access token ends: one exchange, however many questions wait and tabs are open', async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/settings')
  const grants: string[] = []
  context.on('request', request => {
    if (request.url().endsWith('/users/token')) grants.push(request.postData()!)
  })
  const other = await context.newPage()
  await runQuery(sql`UPDATE oauth_tokens SET access_token_expires_at = now() - interval '1 second'`)
  await Promise.all([page.reload(), other.goto('/settings')])
  for (const one of [page, other]) await one.getByText(/Your videos take/).waitFor()
  expect(grants.length).toBe(1)
  expect(grants[0]).toContain('grant_type=refresh_token')
  await page.getByLabel('Name people see').fill('The administrator')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Saved.').waitFor()
  expectNoPageErrors(visitor)
  await context.close()
})

test('a tab that sees late what another one stored loses no session', async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword, '/settings')
  const late = await context.newPage()
  await late.addInitScript(() => {
    const read = Storage.prototype.getItem
    const request = navigator.locks.request.bind(navigator.locks) as (...parameters: unknown[]) => Promise<unknown>
    const atFirst = read.call(localStorage, 'bobine.session')
    let staleUntil = Infinity
    Storage.prototype.getItem = function (key) {
      return key === 'bobine.session' && performance.now() < staleUntil ? atFirst : read.call(this, key)
    }
    Object.assign(navigator.locks, {
      request: async (...parameters: unknown[]) => {
        // The other tab asks and is answered first.
        await new Promise(resolve => setTimeout(resolve, 200))
        staleUntil = Math.min(staleUntil, performance.now() + 500)
        return await request(...parameters)
      }
    })
  })
  await runQuery(sql`UPDATE oauth_tokens SET access_token_expires_at = now() - interval '1 second'`)
  await Promise.all([page.reload(), late.goto('/settings')])
  for (const one of [page, late]) await one.getByText(/Your videos take/).waitFor()
  for (const one of [page, late]) expect(await one.locator('.bar-me').count()).toBe(1)
  expect(await page.evaluate(() => localStorage.getItem('bobine.session'))).not.toBe('null')
  expectNoPageErrors(visitor)
  await context.close()
})

test('logging out ends the session here, in other tabs, and on the server', async () => {
  const visitor = await site.visit()
  const { context, page } = visitor
  await logInThroughForm(page, 'root', site.rootPassword)
  const other = await context.newPage()
  await other.goto('/')
  await other.locator('.bar-me').waitFor()
  const token = await page.evaluate(() => (JSON.parse(localStorage.getItem('bobine.session')!) as { access: string }).access)
  await page.locator('.bar-me').click()
  await page.getByRole('menuitem', { name: 'Log out' }).click()
  for (const one of [page, other]) await one.getByRole('link', { name: 'Log in' }).waitFor()
  expect((await site.call('GET /users/me', { token })).status).toBe(401)
  expectNoPageErrors(visitor)
  await context.close()
})

test('a session that the server no longer knows ends quietly', async () => {
  const { context, page } = await site.visit()
  await logInThroughForm(page, 'root', site.rootPassword)
  await page.evaluate(() => localStorage.setItem('bobine.session', JSON.stringify({ access: 'gone', refresh: 'gone' })))
  await page.goto('/settings')
  await page.waitForURL('**/login?next=%2Fsettings')
  await context.close()
})

test('somebody signs up, reads what is wrong with the form first, and is logged in', async () => {
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
  await page.getByText(/Small letters a to z and digits/).waitFor()
  await page.getByText('This does not look like an email address.').waitFor()
  await page.getByText('Please take a longer one: at least 6 characters.').waitFor()
  await page.getByLabel('Username').fill('root')
  await page.getByLabel('Email').fill('grace@example.com')
  await page.getByLabel('Password', { exact: true }).fill('a long password')
  await page.getByRole('button', { name: 'Sign up' }).click()
  await page.getByText('This name or address is taken already.').waitFor()
  await page.getByLabel('Username').fill('grace')
  await page.getByRole('button', { name: 'Sign up' }).click()
  await page.getByRole('button', { name: 'Your menu, grace' }).waitFor()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('the own password is changed only with the old one', async () => {
  await site.user('ada')
  const visitor = await site.visit()
  const { page } = visitor
  await logInThroughForm(page, 'ada', 'password1', '/settings?tab=password')
  await page.getByLabel('Current password').fill('wrong')
  await page.getByLabel('New password').fill('a new password')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Your current password is not right.').waitFor()
  await page.getByLabel('Current password').fill('password1')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('Your password is changed.').waitFor()
  await site.login('ada', 'a new password')
  await expect(site.login('ada', 'password1')).rejects.toThrow()
  expectNoPageErrors(visitor)
  await visitor.context.close()
})

test('language and colours are kept, and the server writes the next page in them', async () => {
  const visitor = await site.visit({ colorScheme: 'light' })
  const { page } = visitor
  await page.goto('/')
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('menuitemradio', { name: 'Dark' }).click()
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('menuitemradio', { name: 'Français' }).click()
  await page.getByRole('link', { name: 'Nouveautés' }).waitFor()
  const answer = await page.reload()
  const text = await answer!.text()
  expect(text).toContain('<html lang="fr" data-theme="dark">')
  expect(text).toContain('Nouveautés')
  await page.getByRole('link', { name: 'Nouveautés' }).waitFor()
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)).toBe('rgb(22, 20, 18)')
  expectNoPageErrors(visitor)
  await visitor.context.close()
})
