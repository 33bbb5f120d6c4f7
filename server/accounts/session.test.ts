import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestResponse, type TestInstance } from '../test/instance.ts'
import { sweepTokens } from './sweep-tokens.job.ts'

let instance: TestInstance
let client: { client_id: string; client_secret: string }
beforeAll(async () => {
  instance = await startTestInstance()
  client = (await instance.call('GET /oauth-clients/local')).json
})
afterAll(async () => {
  await instance?.stop()
})

const requestToken = async (form: Record<string, string>, headers: Record<string, string> = {}): Promise<TestResponse> =>
  await instance.call('POST /users/token', { form: { ...client, ...form }, headers })
const login = async (username: string, password: string) =>
  await requestToken({ grant_type: 'password', response_type: 'code', username, password })
const refresh = async (token: string) => await requestToken({ grant_type: 'refresh_token', refresh_token: token })
const getMe = async (token: string) => await instance.call('GET /users/me', { token })

test("the web client's credentials are public", () => {
  expect(client).toEqual({ client_id: expect.stringMatching(/^\w{32}$/), client_secret: expect.stringMatching(/^\w{32}$/) })
})

test('the password grant gives a pair of tokens, not to be cached, of which only hashes are stored', async () => {
  const answer = await login('root', instance.rootPassword)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('cache-control')).toBe('no-store')
  expect(answer.json).toEqual({
    token_type: 'Bearer',
    access_token: expect.stringMatching(/^[0-9a-f]{40}$/),
    refresh_token: expect.stringMatching(/^[0-9a-f]{40}$/),
    expires_in: expect.closeTo(86_399, -1),
    refresh_token_expires_in: expect.closeTo(1_209_599, -1)
  })
  expect((await getMe(answer.json.access_token)).json.username).toBe('root')
  const rows = await runQuery<Record<string, unknown>>(sql`SELECT * FROM oauth_tokens`)
  const stored = JSON.stringify(rows)
  expect(stored).not.toContain(answer.json.access_token)
  expect(stored).not.toContain(answer.json.refresh_token)
  expect(stored).toContain(createHash('sha256').update(answer.json.access_token).digest('hex'))
})

test('a login with username or e-mail address is case-insensitive', async () => {
  await instance.user('mailer')
  for (const name of ['mailer', 'MAILER', 'mailer@example.com', 'Mailer@Example.com'])
    expect((await login(name, 'password1')).status, name).toBe(200)
})

const REFUSALS: [string, Record<string, string>, number, string, string][] = [
  [
    'a wrong password',
    { grant_type: 'password', username: 'root', password: 'nope' },
    400,
    'invalid_grant',
    'Invalid grant: user credentials are invalid'
  ],
  [
    'an unknown user',
    { grant_type: 'password', username: 'nobody', password: 'test1' },
    400,
    'invalid_grant',
    'Invalid grant: user credentials are invalid'
  ],
  [
    'a wrong client',
    { client_id: 'x', grant_type: 'password', username: 'root', password: 'x' },
    400,
    'invalid_client',
    'Invalid client: client is invalid'
  ],
  [
    'a wrong client secret',
    { client_secret: 'x', grant_type: 'password', username: 'root', password: 'x' },
    400,
    'invalid_client',
    'Invalid client: client is invalid'
  ],
  ['no grant type', { username: 'root', password: 'x' }, 400, 'invalid_request', 'Missing parameter: `grant_type`'],
  [
    'an unknown grant type',
    { grant_type: 'magic', username: 'root', password: 'x' },
    400,
    'unsupported_grant_type',
    'Unsupported grant type: `grant_type` is invalid'
  ],
  [
    'a grant that exists elsewhere',
    { grant_type: 'client_credentials' },
    400,
    'unauthorized_client',
    'Unauthorized client: `grant_type` is invalid'
  ],
  ['no password', { grant_type: 'password', username: 'root' }, 400, 'invalid_request', 'Missing parameter: `password`'],
  [
    'an unknown refresh token',
    { grant_type: 'refresh_token', refresh_token: 'unknown' },
    400,
    'invalid_grant',
    'Invalid grant: refresh token is invalid'
  ]
]
test.each(REFUSALS)('%s is refused as PeerTube does', async (_, form, status, code, detail) => {
  const answer = await requestToken(form)
  expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8')
  expect(answer.json).toMatchObject({ status, code, detail, error: detail })
  expect(answer.status).toBe(status)
})

test('an empty form is refused with invalid_client', async () => {
  const answer = await instance.call('POST /users/token', { form: {} })
  expect(answer.json).toMatchObject({ status: 400, code: 'invalid_client', detail: 'Invalid client: cannot retrieve client credentials' })
})

test('a JSON body is refused', async () => {
  const answer = await instance.call('POST /users/token', {
    body: { ...client, grant_type: 'password', username: 'root', password: instance.rootPassword }
  })
  expect(answer.json).toMatchObject({
    status: 400,
    code: 'invalid_request',
    detail: 'Invalid request: content must be application/x-www-form-urlencoded'
  })
})

test('arrays and objects instead of strings are refused with 400', async () => {
  for (const extra of [
    { 'username[]': 'root' },
    { 'password[a]': 'x' },
    { 'refresh_token[x]': 'y', grant_type: 'refresh_token' },
    { 'grant_type[]': 'password' }
  ] as Record<string, string>[]) {
    const answer = await requestToken({ grant_type: 'password', username: 'root', password: 'x', ...extra })
    expect(answer.status, JSON.stringify(extra)).toBe(400)
  }
})

test('a refresh gives a new pair and revokes the old one', async () => {
  const first = (await login('root', instance.rootPassword)).json
  const second = await refresh(first.refresh_token)
  expect(second.status).toBe(200)
  expect(second.json.access_token).not.toBe(first.access_token)
  expect((await getMe(first.access_token)).status).toBe(401)
  expect((await getMe(second.json.access_token)).status).toBe(200)
  expect((await refresh(first.refresh_token)).json).toMatchObject({
    status: 400,
    code: 'invalid_grant',
    detail: 'Invalid grant: refresh token is invalid'
  })
  // The reuse of a token does not end the session.
  expect((await refresh(second.json.refresh_token)).status).toBe(200)
})

test('of concurrent refreshes with one token exactly one succeeds', async () => {
  const { refresh_token } = (await login('root', instance.rootPassword)).json
  const answers = await Promise.all(Array.from({ length: 6 }, async () => await refresh(refresh_token)))
  expect(answers.map(one => one.status).sort()).toEqual([200, 400, 400, 400, 400, 400])
})

test('expired tokens are refused, and removed once they cannot be refreshed', async () => {
  const { access_token, refresh_token } = (await login('root', instance.rootPassword)).json
  const hash = createHash('sha256').update(access_token).digest('hex')
  await runQuery(sql`UPDATE oauth_tokens SET access_token_expires_at = now() - interval '1 second' WHERE access_token_hash = ${hash}`)
  expect((await getMe(access_token)).json).toMatchObject({ status: 401, code: 'invalid_token' })
  await sweepTokens.run({}, { progress: () => undefined, signal: new AbortController().signal })
  expect(await runQuery(sql`SELECT id FROM oauth_tokens WHERE access_token_hash = ${hash}`)).toHaveLength(1)
  await runQuery(sql`UPDATE oauth_tokens SET refresh_token_expires_at = now() - interval '1 second' WHERE access_token_hash = ${hash}`)
  expect((await refresh(refresh_token)).json).toMatchObject({
    status: 400,
    code: 'invalid_grant',
    detail: 'Invalid grant: refresh token has expired'
  })
  await sweepTokens.run({}, { progress: () => undefined, signal: new AbortController().signal })
  expect(await runQuery(sql`SELECT id FROM oauth_tokens WHERE access_token_hash = ${hash}`)).toHaveLength(0)
})

test('a refresh token is not accepted as an access token', async () => {
  const { refresh_token } = (await login('root', instance.rootPassword)).json
  expect((await getMe(refresh_token)).json).toMatchObject({ status: 401, code: 'invalid_token' })
})

test('a missing, an unknown and a malformed token give different codes', async () => {
  expect((await instance.call('GET /users/me')).json).toMatchObject({
    status: 401,
    code: 'unauthorized_request',
    detail: 'Token is invalid'
  })
  expect((await getMe('bad')).json).toMatchObject({ status: 401, code: 'invalid_token', detail: 'Token is invalid' })
  for (const authorization of ['nonsense', 'Basic cm9vdDpyb290', 'Bearer', 'Bearer a b', `Bearer ${'x'.repeat(600)}`]) {
    expect((await instance.call('GET /users/me', { headers: { authorization } })).json, authorization).toMatchObject({
      status: 400,
      code: 'invalid_request',
      detail: 'Token is invalid'
    })
  }
})

test('a logout ends this session and no other', async () => {
  const { token } = await instance.user('leaver')
  const other = await instance.login('leaver', 'password1')
  const answer = await instance.call('POST /users/revoke-token', { token })
  expect(answer.status).toBe(200)
  expect(answer.json).toEqual({ success: true })
  expect((await getMe(token)).json).toMatchObject({ status: 401, code: 'invalid_token' })
  expect((await getMe(other)).status).toBe(200)
})

test('blocking ends all sessions, refresh included, and refuses the login', async () => {
  const root = await instance.login()
  const { id, token } = await instance.user('rowdy')
  const { refresh_token } = (await login('rowdy', 'password1')).json
  expect((await instance.call(`POST /users/${id}/block`, { token: root, body: { reason: 'because' } })).status).toBe(204)
  expect((await getMe(token)).json).toMatchObject({ status: 401, code: 'invalid_token' })
  expect((await refresh(refresh_token)).json).toMatchObject({ status: 400, code: 'invalid_grant' })
  expect((await login('rowdy', 'password1')).json).toMatchObject({ status: 400, code: 'access_denied', detail: 'User is blocked.' })
  // Without the password the block is not revealed.
  expect((await login('rowdy', 'wrong')).json).toMatchObject({ code: 'invalid_grant' })
  expect((await instance.call(`POST /users/${id}/unblock`, { token: root })).status).toBe(204)
  expect((await getMe(token)).status).toBe(401)
  expect((await login('rowdy', 'password1')).status).toBe(200)
})

test('a changed password ends all sessions, except the current one', async () => {
  const { token } = await instance.user('changer')
  const other = await instance.login('changer', 'password1')
  expect((await instance.call('PUT /users/me', { token, body: { currentPassword: 'password1', password: 'password2' } })).status).toBe(204)
  expect((await getMe(token)).status).toBe(200)
  expect((await getMe(other)).status).toBe(401)
  expect((await login('changer', 'password1')).status).toBe(400)
  expect((await login('changer', 'password2')).status).toBe(200)
})

test('a password set by an administrator ends all sessions', async () => {
  const { id, token } = await instance.user('forgetful')
  expect((await instance.call(`PUT /users/${id}`, { token: await instance.login(), body: { password: 'password3' } })).status).toBe(204)
  expect((await getMe(token)).status).toBe(401)
  expect((await login('forgetful', 'password3')).status).toBe(200)
})

test('passwords of more than 72 bytes or with a NUL are not truncated', async () => {
  const long = 'x'.repeat(80)
  await instance.call('POST /users', {
    token: await instance.login(),
    body: { username: 'longpass', email: 'longpass@example.com', password: `${long}1`, role: 2 }
  })
  expect((await login('longpass', `${long}1`)).status).toBe(200)
  expect((await login('longpass', `${long}2`)).status).toBe(400)
  await instance.call('POST /users', {
    token: await instance.login(),
    body: { username: 'nulpass', email: 'nulpass@example.com', password: 'abcdef\0one', role: 2 }
  })
  expect((await login('nulpass', 'abcdef\0two')).status).toBe(400)
})

test('a user lists the own sessions and ends one of them', async () => {
  const { id, token } = await instance.user('several')
  const second = await instance.login('several', 'password1')
  const sessions = (await instance.call(`GET /users/${id}/token-sessions`, { token })).json
  expect(sessions.total).toBe(2)
  expect(sessions.data.filter((one: { currentSession: boolean }) => one.currentSession)).toHaveLength(1)
  const other = sessions.data.find((one: { currentSession: boolean }) => !one.currentSession)
  expect((await instance.call(`POST /users/${id}/token-sessions/${other.id}/revoke`, { token })).status).toBe(204)
  expect((await getMe(second)).status).toBe(401)
  expect((await getMe(token)).status).toBe(200)
  expect((await instance.call(`POST /users/${id}/token-sessions/${other.id}/revoke`, { token })).status).toBe(404)
})

test('the sessions of a user are visible only to the user and to those who manage it', async () => {
  const { id, token } = await instance.user('private')
  const stranger = await instance.user('curious')
  const moderator = await instance.user('warden', { role: 1 })
  const [session] = (await instance.call(`GET /users/${id}/token-sessions`, { token })).json.data
  expect((await instance.call(`GET /users/${id}/token-sessions`, { token: stranger.token })).status).toBe(403)
  expect((await instance.call('GET /users/99999/token-sessions', { token: stranger.token })).status).toBe(403)
  expect((await instance.call(`POST /users/${id}/token-sessions/${session.id}/revoke`, { token: stranger.token })).status).toBe(403)
  // A session is not found under the id of another user.
  expect((await instance.call(`POST /users/${stranger.id}/token-sessions/${session.id}/revoke`, { token: stranger.token })).status).toBe(
    404
  )
  expect((await instance.call('GET /users/1/token-sessions', { token: moderator.token })).status).toBe(403)
  expect((await instance.call(`GET /users/${id}/token-sessions`, { token: moderator.token })).json.total).toBe(1)
  expect((await instance.call('GET /users/99999/token-sessions', { token: moderator.token })).status).toBe(404)
})

test('the use of a session updates its date at most once per activity_interval', async () => {
  const { token } = await instance.user('active')
  const hash = createHash('sha256').update(token).digest('hex')
  const setAge = async (ms: number) =>
    await runQuery(sql`UPDATE oauth_tokens SET updated_at = now() - ${ms} * interval '1 millisecond' WHERE access_token_hash = ${hash}`)
  const wasUpdated = async () =>
    (
      await runQuery<{ now: boolean }>(
        sql`SELECT updated_at > now() - interval '5 seconds' AS now FROM oauth_tokens WHERE access_token_hash = ${hash}`
      )
    )[0]!.now
  await setAge(config.oauth2.activity_interval - 60_000)
  await getMe(token)
  expect(await wasUpdated()).toBe(false)
  await setAge(config.oauth2.activity_interval + 1000)
  await getMe(token)
  expect(await wasUpdated()).toBe(true)
})
