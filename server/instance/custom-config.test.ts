import { readFileSync } from 'node:fs'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest'
import { config, configWithOverrides, replaceConfig, type ConfigTree } from '../core/config.ts'
import { configLeaves, startAdminOverrides, refreshAdminOverrides, withConfigValue } from '../core/admin-overrides.ts'
import { runQuery, sql } from '../core/sql.ts'
import { eventually, startTestInstance, type TestInstance } from '../test/instance.ts'
import { findJsonShapeDifferences } from '../test/json-shape.ts'
import { READ_ONLY_CONFIG_KEYS, REQUIRED_CONFIG_KEYS } from './custom-config.shape.ts'

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
const put = async (body: unknown) => await instance.call('PUT /config/custom', { token: root, body })
const patch = async (body: unknown, token = root) => await instance.call('PATCH /config/custom', { token, body })
const clientConfig = async () => (await instance.call('GET /config')).json
const storedOverrides = async () => (await runQuery<{ settings: object }>(sql`SELECT settings FROM custom_config`))[0]!.settings
/** Simulates a change by another process whose event is not received. */
const changeElsewhere = async (settings: object) =>
  void (await runQuery(sql`UPDATE custom_config SET revision = revision + 1, settings = ${JSON.stringify(settings)}::jsonb`))
const newUser = (username: string) => ({ username, password: 'password1', email: `${username}@example.com` })

test('the configuration has the recorded shape and the values of the files', async () => {
  const json = await get()
  expect(findJsonShapeDifferences(recorded.custom, json)).toEqual([])
  expect(json).toMatchObject({
    instance: { name: 'The reel', terms: 'Of the files' },
    user: { videoQuota: 5 * 2 ** 30 },
    signup: { enabled: false, limit: 10 },
    live: { enabled: false },
    transcoding: { resolutions: { '240p': true, '2160p': false }, webVideos: { enabled: true } }
  })
})

test('a change applies to the next response, for everybody, on the pages, and to the behaviour of the server', async () => {
  expect((await clientConfig()).instance.name).toBe('The reel')
  expect((await instance.call('GET /config/about')).json.instance.description).toBe('Welcome to this Bobine instance!')
  expect((await instance.call('POST /users/register', { body: newUser('early') })).status).toBe(403)
  const answer = await patch({
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
  expect(await clientConfig()).toMatchObject({
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
  expect((await instance.call('POST /users/register', { body: newUser('newcomer') })).status).toBe(204)
  expect((await instance.call('GET /users?search=newcomer', { token: root })).json.data[0]).toMatchObject({
    videoQuota: 1_000_000_000,
    videoQuotaDaily: 5
  })
})

test('a change survives a restart, and its removal restores the values of the files', async () => {
  await patch({ instance: { terms: 'Be kind' } })
  replaceConfig(configWithOverrides({}))
  expect(config.instance.terms).toBe('Of the files')
  ;(await startAdminOverrides()).stop()
  expect(config.instance.terms).toBe('Be kind')
  const answer = await instance.call('DELETE /config/custom', { token: root })
  expect([answer.status, answer.json.instance.terms]).toEqual([200, 'Of the files'])
  expect((await instance.call('GET /config/about')).json.instance.terms).toBe('Of the files')
})

test('only differences from the files are stored', async () => {
  expect((await put(await get())).status).toBe(200)
  expect(await storedOverrides()).toEqual({})
  await patch({ instance: { name: 'Other', terms: 'Other' }, signup: { limit: 3 } })
  expect(await storedOverrides()).toEqual({ instance: { name: 'Other', terms: 'Other' }, signup: { limit: 3 } })
  await patch({ instance: { name: 'The reel' }, signup: { limit: 10 } })
  expect(await storedOverrides()).toEqual({ instance: { terms: 'Other' } })
})

describe('a change by another process', () => {
  test('applies to the next response and before a registration', async () => {
    expect((await clientConfig()).instance.name).toBe('The reel')
    await changeElsewhere({ instance: { name: 'From elsewhere' }, signup: { enabled: true, limit: -1 } })
    expect((await clientConfig()).instance.name).toBe('From elsewhere')
    await changeElsewhere({ signup: { enabled: false } })
    expect((await instance.call('POST /users/register', { body: newUser('late') })).status).toBe(403)
    await changeElsewhere({ instance: { name: 'Again' } })
    expect((await get()).instance.name).toBe('Again')
  })

  test('applies when its event is received', async () => {
    const other = new Redis({ path: inject('redis').socket })
    await changeElsewhere({ instance: { terms: 'Heard' } })
    await eventually(
      async () => {
        await other.publish(`${config.redis.prefix}:news`, JSON.stringify({ from: 'another', name: 'config.changed', event: {} }))
        return config.instance.terms === 'Heard'
      },
      5,
      'the event'
    )
    other.disconnect()
  })

  test('of another version may contain unknown values: the others apply', async () => {
    await changeElsewhere({ instance: { name: 'Kept', slogan: 'Newer' }, signup: { limit: 'many' }, newer: { thing: true } })
    expect(await clientConfig()).toMatchObject({ instance: { name: 'Kept' } })
    expect(config.signup.limit).toBe(10)
    expect((await get()).instance.name).toBe('Kept')
  })
})

test('concurrent changes are not lost', async () => {
  const names = ['terms', 'codeOfConduct', 'administrator', 'creationReason', 'businessModel', 'description']
  const answers = await Promise.all(names.map(async name => await patch({ instance: { [name]: `The ${name}` } })))
  expect(answers.map(one => one.status)).toEqual(names.map(() => 200))
  expect((await get()).instance).toMatchObject(Object.fromEntries(names.map(name => [name, `The ${name}`])))
})

test.each<[string, object, string]>([
  ['no name', { instance: { name: null } }, 'instance.name'],
  ['an empty name', { instance: { name: '  ' } }, 'instance.name'],
  ['a list instead of text', { instance: { terms: ['x'] } }, 'instance.terms'],
  ['text in a list of numbers', { instance: { categories: [1, 'x'] } }, 'instance.categories'],
  ['an unknown policy', { instance: { defaultNSFWPolicy: 'hide' } }, 'instance.defaultNSFWPolicy'],
  ['a fraction of an account', { signup: { limit: 1.5 } }, 'signup.limit'],
  ['a limit below -1', { signup: { limit: -2 } }, 'signup.limit'],
  ['text instead of a boolean', { signup: { enabled: 'yes' } }, 'signup.enabled'],
  ['a feature that does not exist', { live: { enabled: true } }, 'live.enabled'],
  ['another feature that does not exist', { signup: { requiresApproval: true } }, 'signup.requiresApproval'],
  ['a feature without a configuration key', { contactForm: { enabled: true } }, 'contactForm.enabled'],
  ['a key that only the files set', { transcoding: { concurrency: 9 } }, 'transcoding.concurrency'],
  ['an unknown key', { instance: { slogan: 'x' } }, 'instance.slogan'],
  ['a key of the configuration, not of the interface', { database: { name: 'x' } }, 'database.name'],
  ['a value instead of a group', { transcoding: 5 }, 'transcoding'],
  ['null instead of a group', { instance: null }, 'instance'],
  ['a size in an unknown unit', { user: { videoQuota: '5 parsecs' } }, 'user.videoQuota'],
  ['a size that Postgres does not hold', { user: { videoQuota: 1e308 } }, 'user.videoQuota'],
  ['a size that is no exact number', { user: { videoQuotaDaily: 2 ** 53 } }, 'user.videoQuotaDaily'],
  ['an object instead of text', { instance: { name: {} } }, 'instance.name'],
  ['an object instead of a number of an absent feature', { live: { maxDuration: {} } }, 'live.maxDuration'],
  ['prototype pollution', JSON.parse('{"instance": {"__proto__": {"polluted": true}}}') as object, 'instance.__proto__.polluted'],
  ['a NUL', { instance: { terms: 'a\0b' } }, 'instance']
])('%s is refused together with the valid values of the same body', async (_what, bad, name) => {
  const before = await get()
  const validValues: Record<string, object> = { instance: { shortDescription: 'Half' }, signup: { minimumAge: 99 } }
  const answer = await patch({
    ...validValues,
    ...Object.fromEntries(
      Object.entries(bad).map(([key, part]) => [
        key,
        typeof part === 'object' && part !== null ? { ...validValues[key], ...(part as object) } : (part as unknown)
      ])
    )
  })
  expect(answer.status).toBe(400)
  expect(Object.keys(answer.json['invalid-params'])).toContain(name)
  expect(await get()).toEqual(before)
  expect(await storedOverrides()).toEqual({})
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
})

test.each(['PUT', 'PATCH'].flatMap(method => ['[]', '"x"', '5', 'null', '{oops'].map(text => [method, text] as const)))(
  '%s with the body %s is refused or changes nothing',
  async (method, text) => {
    const before = await get()
    const { status } = await instance.call(`${method} /config/custom`, {
      token: root,
      headers: { 'content-type': 'application/json' },
      body: new TextEncoder().encode(text)
    })
    expect(status).toBeLessThan(500)
    expect(await get()).toEqual(before)
  }
)

describe('the whole object of PeerTube', () => {
  /** The recorded configuration, with the values of this instance where only its files may change them, and every absent feature off. */
  const acceptable = async (): Promise<ConfigTree> => {
    const ours = new Map(configLeaves(await get()).map(([path, value]) => [path.join('.'), value]))
    return configLeaves(recorded.custom as ConfigTree).reduce<ConfigTree>((tree, [path, value]) => {
      const name = path.join('.')
      const isReadOnly = READ_ONLY_CONFIG_KEYS.includes(name)
      const switchesOn = value === true && ours.get(name) === false && !EXISTING_SWITCHES.has(name)
      return withConfigValue(tree, path, isReadOnly ? ours.get(name) : switchesOn ? false : value)
    }, {})
  }
  /** Booleans of features that exist; every other one belongs to a feature that does not. */
  const EXISTING_SWITCHES = new Set([
    ...['instance.isNSFW', 'signup.enabled', 'user.history.videos.enabled', 'client.videos.miniature.preferAuthorDisplayName'],
    ...['client.menu.login.redirectOnSingleExternalAuth', 'transcoding.enabled', 'transcoding.originalFile.keep', 'storyboards.enabled'],
    ...['transcoding.allowAdditionalExtensions', 'transcoding.allowAudioFiles', 'transcoding.alwaysTranscodeOriginalResolution'],
    ...['transcoding.webVideos.enabled', 'transcoding.hls.enabled', 'transcoding.hls.splitAudioAndVideo', 'search.remoteUri.users'],
    ...['search.remoteUri.anonymous', 'followers.instance.enabled', 'followers.instance.manualApproval'],
    'followings.instance.autoFollowBack.enabled',
    ...['0p', '144p', '240p', '360p', '480p', '720p', '1080p', '1440p', '2160p'].map(name => `transcoding.resolutions.${name}`)
  ])
  /** What an absent feature would do if it were on: accepted, and without effect. */
  const SETTINGS_OF_ABSENT_FEATURES =
    /^(live\.(?!enabled)|videoStudio\.(?!enabled)|videoTranscription\.(?!enabled)|broadcastMessage\.(?!enabled)|search\.searchIndex\.(?!enabled))/
  const without = (tree: ConfigTree, path: string[]) => withConfigValue(tree, path, undefined)

  test('is accepted with absent features off; settings of those are answered as they stand', async () => {
    const before = await get()
    const answer = await put(await acceptable())
    expect([answer.status, answer.json]).toEqual([200, await get()])
    expect(answer.json).toMatchObject({
      instance: { name: 'PeerTube' },
      signup: { enabled: true, requiresApproval: false },
      live: before.live,
      cache: before.cache,
      services: before.services,
      export: before.export
    })
    expect(recorded.custom.live.maxUserLives).not.toBe(before.live.maxUserLives)
    expect(recorded.custom.cache.previews.size).not.toBe(before.cache.previews.size)
  })

  test('that switches absent features on is refused by the name of each', async () => {
    const before = await get()
    const answer = await put({ ...recorded.custom, admin: before.admin, theme: before.theme })
    expect(answer.status).toBe(400)
    expect(Object.keys(answer.json['invalid-params'])).toEqual(
      expect.arrayContaining(['contactForm.enabled', 'videoStudio.enabled', 'import.users.enabled'])
    )
    expect(await get()).toEqual(before)
  })

  const wholeObject = configLeaves(recorded.custom as ConfigTree)
  const jsonType = (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value)
  const valuesOfOtherTypes = (value: unknown) =>
    [null, 'text', '', 7, -3, 1.5, true, false, [], ['x'], {}, { enabled: true }].filter(other => jsonType(other) !== jsonType(value))

  test('without a key is refused if the key is required, and changes nothing else if it is not', async () => {
    const whole = await acceptable()
    const complete = (await put(whole)).json
    for (const [path] of wholeObject) {
      const name = path.join('.')
      const answer = await put(without(whole, path))
      if (REQUIRED_CONFIG_KEYS.includes(name)) {
        expect([answer.status, Object.keys(answer.json['invalid-params'])], name).toEqual([400, [name]])
      } else expect([answer.status, answer.json], name).toEqual([200, complete])
    }
    expect(await get()).toEqual(complete)
  })

  test('with a switch of an absent feature turned on is refused by its name', async () => {
    const whole = await acceptable()
    const complete = (await put(whole)).json
    const switches = configLeaves(complete as ConfigTree).filter(
      ([path, value]) => typeof value === 'boolean' && !EXISTING_SWITCHES.has(path.join('.'))
    )
    expect(switches.length).toBeGreaterThan(30)
    for (const [path] of switches) {
      const answer = await put(withConfigValue(whole, path, true))
      if (SETTINGS_OF_ABSENT_FEATURES.test(path.join('.'))) {
        expect([answer.status, answer.json], path.join('.')).toEqual([200, complete])
        continue
      }
      expect([answer.status, Object.keys(answer.json['invalid-params'])], path.join('.')).toEqual([400, [path.join('.')]])
    }
    expect(await get()).toEqual(complete)
  })

  test('with a value of another type is refused by its name and changes nothing', async () => {
    const whole = await acceptable()
    const complete = (await put(whole)).json
    for (const [path, value] of wholeObject) {
      for (const other of valuesOfOtherTypes(value)) {
        const name = path.join('.')
        const answer = await put(withRawValue(whole, path, other))
        expect(answer.status, `${name} = ${JSON.stringify(other)}`).toBe(400)
        expect(Object.keys(answer.json['invalid-params']).every(key => key === name || key.startsWith(`${name}.`))).toBe(true)
      }
    }
    expect(await get()).toEqual(complete)
  })
})

/** Like `withConfigValue`, for any value. */
function withRawValue(tree: ConfigTree, [key, ...rest]: string[], value: unknown): ConfigTree {
  return { ...tree, [key!]: rest.length === 0 ? value : withRawValue((tree[key!] ?? {}) as ConfigTree, rest, value) }
}

test('only administrators can read and change it', async () => {
  const users = [await instance.user('plain'), await instance.user('judge', { role: 1 })]
  for (const key of ['GET /config/custom', 'PUT /config/custom', 'PATCH /config/custom', 'DELETE /config/custom']) {
    const body = key.startsWith('P') ? { instance: { name: 'Stolen' } } : undefined
    expect((await instance.call(key, { body })).json, key).toMatchObject({ status: 401, code: 'unauthorized_request' })
    for (const { token } of users) expect((await instance.call(key, { token, body })).status, key).toBe(403)
  }
  expect((await clientConfig()).instance.name).toBe('The reel')
})

test('changes are refused with 405 if the files do not allow them', async () => {
  config.webadmin.configuration.edition.allowed = false
  expect((await patch({ instance: { name: 'Other' } })).status).toBe(405)
  expect((await put(await get())).status).toBe(405)
  expect((await instance.call('DELETE /config/custom', { token: root })).status).toBe(405)
  expect((await get()).instance.name).toBe('The reel')
  expect((await instance.call('GET /config', { token: root })).json.webadmin.configuration.edition.allowed).toBe(false)
  await refreshAdminOverrides()
  expect(config.instance.name).toBe('The reel')
})
