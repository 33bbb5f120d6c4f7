import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { config, configWithOverrides, replaceConfig } from '../core/config.ts'
import { startAdminOverrides, refreshAdminOverrides } from '../core/admin-overrides.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'

const recorded = JSON.parse(readFileSync(new URL('recorded.json', import.meta.url), 'utf8'))
let instance: TestInstance
let root: string
beforeAll(async () => {
  instance = await startTestInstance(
    { instance: { name: 'The reel', terms: 'Of the files' }, user: { video_quota: '5GB' }, signup: { enabled: false } },
    ['web']
  )
  root = await instance.login()
})
afterEach(async () => {
  config.webadmin.configuration.edition.allowed = true
  await instance.call('DELETE /config/custom', { token: root })
})
afterAll(async () => await instance?.stop())

const get = async () => (await instance.call('GET /config/custom', { token: root })).json
const put = async (body: unknown, token = root) => await instance.call('PUT /config/custom', { token, body })
const seen = async () => (await instance.call('GET /config')).json
const stored = async () => (await runQuery<{ settings: object }>(sql`SELECT settings FROM custom_config`))[0]!.settings
/** What a process that hears nothing has after a change in another one. */
const changeElsewhere = async (settings: object) =>
  void (await runQuery(sql`UPDATE custom_config SET revision = revision + 1, settings = ${JSON.stringify(settings)}::jsonb`))
const person = (username: string) => ({ username, password: 'password1', email: `${username}@example.com` })

test('the configuration has the recorded shape and says what the files say', async () => {
  const json = await get()
  expect(findJsonShapeDifferences(recorded.custom, json)).toEqual([])
  expect(json).toMatchObject({
    instance: { name: 'The reel', terms: 'Of the files' },
    user: { videoQuota: 5 * 2 ** 30 },
    signup: { enabled: false, limit: 10 },
    live: { enabled: false },
    transcoding: { resolutions: { '240p': true, '2160p': false }, webVideos: { enabled: false } }
  })
})

test('a change is seen in the very next answer, by everybody, on the pages, and in what the server does', async () => {
  expect((await seen()).instance.name).toBe('The reel')
  expect((await instance.call('GET /config/about')).json.instance.description).toBe('Welcome to this Bobine instance!')
  expect((await instance.call('POST /users/register', { body: person('early') })).status).toBe(403)
  const answer = await put({
    instance: {
      name: 'Golden',
      shortDescription: 'In short',
      description: 'A **long** one',
      languages: ['en', 'fr'],
      isNSFW: true,
      defaultNSFWPolicy: 'display'
    },
    signup: { enabled: true, limit: -1 },
    user: { videoQuota: 1_000_000_000, videoQuotaDaily: 5 },
    transcoding: { resolutions: { '1080p': false, '144p': true } },
    followers: { instance: { manualApproval: true } }
  })
  expect([answer.status, answer.json]).toEqual([200, await get()])
  expect(answer.json).toMatchObject({
    instance: { name: 'Golden', terms: 'Of the files' },
    signup: { enabled: true, limit: -1, minimumAge: 16 }
  })
  expect(await seen()).toMatchObject({
    instance: { name: 'Golden', shortDescription: 'In short', isNSFW: true },
    signup: { allowed: true },
    user: { videoQuota: 1_000_000_000, videoQuotaDaily: 5 },
    transcoding: { enabledResolutions: [144, 240, 360, 480, 720] }
  })
  expect((await instance.call('GET /config/about')).json.instance).toMatchObject({
    name: 'Golden',
    description: 'A **long** one',
    terms: 'Of the files',
    languages: ['en', 'fr']
  })
  expect((await instance.call('GET //manifest.webmanifest')).json.name).toBe('Golden')
  expect(config.followers.instance.manual_approval).toBe(true)
  expect((await instance.call('POST /users/register', { body: person('newcomer') })).status).toBe(204)
  expect((await instance.call('GET /users?search=newcomer', { token: root })).json.data[0]).toMatchObject({
    videoQuota: 1_000_000_000,
    videoQuotaDaily: 5
  })
})

test('it survives a restart, and the files count again when it is taken back', async () => {
  await put({ instance: { terms: 'Be kind' } })
  replaceConfig(configWithOverrides({}))
  expect(config.instance.terms).toBe('Of the files')
  ;(await startAdminOverrides()).stop()
  expect(config.instance.terms).toBe('Be kind')
  const answer = await instance.call('DELETE /config/custom', { token: root })
  expect([answer.status, answer.json.instance.terms]).toEqual([200, 'Of the files'])
  expect((await instance.call('GET /config/about')).json.instance.terms).toBe('Of the files')
})

test('only what differs from the files is kept', async () => {
  expect((await put(await get())).status).toBe(200)
  expect(await stored()).toEqual({})
  await put({ instance: { name: 'Other', terms: 'Other' }, signup: { limit: 3 } })
  expect(await stored()).toEqual({ instance: { name: 'Other', terms: 'Other' }, signup: { limit: 3 } })
  await put({ instance: { name: 'The reel' }, signup: { limit: 10 } })
  expect(await stored()).toEqual({ instance: { terms: 'Other' } })
})

describe('another process that changes something', () => {
  test('is heeded in the very next answer, and before anybody is let in', async () => {
    expect((await seen()).instance.name).toBe('The reel')
    await changeElsewhere({ instance: { name: 'From elsewhere' }, signup: { enabled: true, limit: -1 } })
    expect((await seen()).instance.name).toBe('From elsewhere')
    await changeElsewhere({ signup: { enabled: false } })
    expect((await instance.call('POST /users/register', { body: person('late') })).status).toBe(403)
    await changeElsewhere({ instance: { name: 'Again' } })
    expect((await get()).instance.name).toBe('Again')
  })

  test('is heard of', async () => {
    const other = new Redis({ path: inject('redis').socket })
    await changeElsewhere({ instance: { terms: 'Heard' } })
    await eventually(
      async () => {
        await other.publish(`${config.redis.prefix}:news`, JSON.stringify({ from: 'another', name: 'config.changed', event: {} }))
        return config.instance.terms === 'Heard'
      },
      5,
      'the news'
    )
    other.disconnect()
  })

  test('of another version may have stored what is unknown here: the rest counts', async () => {
    await changeElsewhere({ instance: { name: 'Kept', slogan: 'Newer' }, signup: { limit: 'many' }, newer: { thing: true } })
    expect(await seen()).toMatchObject({ instance: { name: 'Kept' } })
    expect(config.signup.limit).toBe(10)
    expect((await get()).instance.name).toBe('Kept')
  })
})

test('of two changes at once none is lost', async () => {
  const names = ['terms', 'codeOfConduct', 'administrator', 'creationReason', 'businessModel', 'description']
  const answers = await Promise.all(names.map(async name => await put({ instance: { [name]: `The ${name}` } })))
  expect(answers.map(one => one.status)).toEqual(names.map(() => 200))
  expect((await get()).instance).toMatchObject(Object.fromEntries(names.map(name => [name, `The ${name}`])))
})

test.each<[string, object, string]>([
  ['no name', { instance: { name: null } }, 'instance.name'],
  ['an empty name', { instance: { name: '  ' } }, 'instance.name'],
  ['a list for a text', { instance: { terms: ['x'] } }, 'instance.terms'],
  ['a text in a list of numbers', { instance: { categories: [1, 'x'] } }, 'instance.categories'],
  ['an unknown policy', { instance: { defaultNSFWPolicy: 'hide' } }, 'instance.defaultNSFWPolicy'],
  ['half an account', { signup: { limit: 1.5 } }, 'signup.limit'],
  ['less than no limit', { signup: { limit: -2 } }, 'signup.limit'],
  ['a text for a yes', { signup: { enabled: 'yes' } }, 'signup.enabled'],
  ['a feature that is not there', { live: { enabled: true } }, 'live.enabled'],
  ['another that is not there', { signup: { requiresApproval: true } }, 'signup.requiresApproval'],
  ['one without a key', { contactForm: { enabled: true } }, 'contactForm.enabled'],
  ['what only the files say', { transcoding: { concurrency: 9 } }, 'transcoding.concurrency'],
  ['a key that is not there', { instance: { slogan: 'x' } }, 'instance.slogan'],
  ['a key of the configuration, not of the interface', { database: { name: 'x' } }, 'database.name'],
  ['a value for a group', { transcoding: 5 }, 'transcoding'],
  ['nothing for a group', { instance: null }, 'instance'],
  ['a size of no unit', { user: { videoQuota: '5 parsecs' } }, 'user.videoQuota'],
  ['the way into prototypes', JSON.parse('{"instance": {"__proto__": {"polluted": true}}}') as object, 'instance.__proto__.polluted'],
  ['a NUL', { instance: { terms: 'a\0b' } }, 'instance']
])('%s is refused, and nothing of its company is taken', async (_what, bad, name) => {
  const before = await get()
  const company: Record<string, object> = { instance: { shortDescription: 'Half' }, signup: { minimumAge: 99 } }
  const answer = await put({
    ...company,
    ...Object.fromEntries(
      Object.entries(bad).map(([key, part]) => [
        key,
        typeof part === 'object' && part !== null ? { ...company[key], ...(part as object) } : (part as unknown)
      ])
    )
  })
  expect(answer.status).toBe(400)
  expect(Object.keys(answer.json['invalid-params'])).toContain(name)
  expect(await get()).toEqual(before)
  expect(await stored()).toEqual({})
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

test.each(['[]', '"x"', '5', 'null', '{oops'])('the body %s is refused or changes nothing', async text => {
  const before = await get()
  const { status } = await instance.call('PUT /config/custom', {
    token: root,
    headers: { 'content-type': 'application/json' },
    body: new TextEncoder().encode(text)
  })
  expect(status).toBeLessThan(500)
  expect(await get()).toEqual(before)
})

test('only administrators see and change it', async () => {
  const people = [await instance.user('plain'), await instance.user('judge', { role: 1 })]
  for (const key of ['GET /config/custom', 'PUT /config/custom', 'DELETE /config/custom']) {
    const body = key.startsWith('PUT') ? { instance: { name: 'Stolen' } } : undefined
    expect((await instance.call(key, { body })).json, key).toMatchObject({ status: 401, code: 'unauthorized_request' })
    for (const { token } of people) expect((await instance.call(key, { token, body })).status, key).toBe(403)
  }
  expect((await seen()).instance.name).toBe('The reel')
})

test('where the files allow no change there is none', async () => {
  config.webadmin.configuration.edition.allowed = false
  expect((await put({ instance: { name: 'Other' } })).status).toBe(405)
  expect((await instance.call('DELETE /config/custom', { token: root })).status).toBe(405)
  expect((await get()).instance.name).toBe('The reel')
  expect((await instance.call('GET /config', { token: root })).json.webadmin.configuration.edition.allowed).toBe(false)
  await refreshAdminOverrides()
  expect(config.instance.name).toBe('The reel')
})
