import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  ConfigError,
  configWarnings,
  instanceHost,
  loadConfig,
  mergeConfigLayers,
  instanceOrigin,
  parseYaml,
  projectFolder,
  storageFolder
} from './config.ts'

const configErrorMessage = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as Error).message
  }
  throw new Error('No ConfigError was thrown')
}

let folder: string
const originalEnv = { ...process.env }
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bobine-config-'))
})
afterEach(async () => {
  process.env = { ...originalEnv }
  await rm(folder, { recursive: true, force: true })
})

describe('a ConfigError names the key, where it was set and what was expected', () => {
  it.each<[string, object, RegExp]>([
    ['an unknown key', { foo: 1 }, /unknown key `foo` in the given overrides/],
    ['an unknown nested key', { transcoding: { hls: { enable: true } } }, /unknown key `transcoding\.hls\.enable` in the given overrides/],
    ['text instead of a number', { listen: { port: 'x' } }, /`listen\.port` in the given overrides is not valid: expected a port number/],
    ['a duration in an unknown unit', { rates_limit: { api: { window: '5 parsecs' } } }, /`rates_limit\.api\.window`.*expected a duration/],
    ['a negative duration', { rates_limit: { api: { window: -1 } } }, /`rates_limit\.api\.window`.*expected a duration/],
    ['a size without a number', { upload: { max_size: 'huge' } }, /`upload\.max_size`.*expected a size/],
    [
      'a feature that does not exist yet',
      { live: { enabled: true } },
      /`live\.enabled`.*expected false: this version does not have that feature/
    ],
    ['a value instead of a group', { listen: 5 }, /`listen`.*expected object/],
    ['a list instead of a value', { instance: { name: ['a'] } }, /`instance\.name`.*expected a text/],
    ['prototype pollution', JSON.parse('{"__proto__": {"polluted": true}}') as object, /unknown key `__proto__`/]
  ])('%s', (_what, overrides, sentence) => {
    expect(configErrorMessage(() => loadConfig({ overrides: overrides as never }))).toMatch(sentence)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  it('names the file that contains the mistake', async () => {
    const file = join(folder, 'mine.yaml')
    await writeFile(file, 'listen:\n  prot: 1\n')
    expect(configErrorMessage(() => loadConfig({ file }))).toContain(`unknown key \`listen.prot\` in ${file}`)
    await writeFile(file, 'listen: [\n')
    expect(configErrorMessage(() => loadConfig({ file }))).toContain(`${file} cannot be read`)
    expect(configErrorMessage(() => loadConfig({ file: join(folder, 'absent.yaml') }))).toContain('does not exist')
  })

  it('names the environment variable that contains the mistake', () => {
    process.env.BOBINE_CONFIG = '{"listen":{"port":"no"}}'
    expect(configErrorMessage(() => loadConfig())).toContain('`listen.port` in BOBINE_CONFIG')
    process.env.BOBINE_CONFIG = '{oops'
    expect(configErrorMessage(() => loadConfig())).toContain('BOBINE_CONFIG cannot be read')
    process.env.BOBINE_CONFIG = '[]'
    expect(configErrorMessage(() => loadConfig())).toContain('BOBINE_CONFIG must hold an object')
    delete process.env.BOBINE_CONFIG
    process.env.DATABASE_URL = 'not a url'
    expect(configErrorMessage(() => loadConfig())).toContain('DATABASE_URL is not a valid URL')
  })
})

describe('layers', () => {
  it('each overrides the ones before: file, DATABASE_URL and REDIS_URL, BOBINE_CONFIG, overrides', async () => {
    const file = join(folder, 'mine.yaml')
    await writeFile(file, 'instance:\n  name: From the file\n  terms: kept\ndatabase:\n  name: from_file\n')
    process.env.DATABASE_URL = 'postgres://me:s%40crt@db.example:5433/films?sslmode=require'
    process.env.REDIS_URL = 'unix:/run/redis.sock?db=3'
    process.env.BOBINE_CONFIG = '{"instance":{"name":"From the environment"}}'
    const config = loadConfig({ file, overrides: { listen: { port: 1234 } } })
    expect(config.instance).toMatchObject({ name: 'From the environment', terms: 'kept' })
    expect(config.database).toMatchObject({
      hostname: 'db.example',
      port: 5433,
      name: 'films',
      username: 'me',
      password: 's@crt',
      ssl: true
    })
    expect(config.redis).toMatchObject({ socket: '/run/redis.sock', db: 3 })
    expect(config.listen.port).toBe(1234)
  })

  it('durations and sizes are parsed in every spelling', () => {
    const parse = (window: unknown, max_size: unknown) => {
      const config = loadConfig({ overrides: { rates_limit: { api: { window } }, upload: { max_size } } })
      return [config.rates_limit.api.window, config.upload.max_size]
    }
    expect(parse('100 ms', -1)).toEqual([100, -1])
    expect(parse('1 second', '1KB')).toEqual([1000, 1024])
    expect(parse('90 minutes', '1.5 GB')).toEqual([5_400_000, 1_610_612_736])
    expect(parse(250, 4096)).toEqual([250, 4096])
  })
})

it('a file that contains only comments changes nothing, and one with two documents is refused', async () => {
  const file = join(folder, 'odd.yaml')
  for (const text of ['', '# listen:\n#   port: 1\n', '---\n']) {
    await writeFile(file, text)
    expect(loadConfig({ file }).listen.port).toBe(loadConfig().listen.port)
  }
  await writeFile(file, 'listen: { port: 1 }\n---\ninstance: { name: Two }\n')
  expect(() => loadConfig({ file })).toThrow(/odd\.yaml cannot be read: it holds more than one document/)
  await writeFile(file, 'listen: [\n')
  expect(() => loadConfig({ file })).toThrow(/odd\.yaml cannot be read: .*\(1:|\(2:/)
})

it('default.yaml contains every key of the schema, and no other', async () => {
  const text = await readFile(join(projectFolder, 'config/default.yaml'), 'utf8')
  expect(() => mergeConfigLayers([{ name: 'config/default.yaml', tree: parseYaml(text) as never }])).not.toThrow()
})

it('gives the public origin and host', () => {
  loadConfig({ overrides: { webserver: { https: true, hostname: 'films.example', port: 443 }, storage: { root: '/srv/films' } } })
  expect([instanceOrigin(), instanceHost()]).toEqual(['https://films.example', 'films.example'])
  expect(storageFolder('thumbnails')).toBe('/srv/films/thumbnails')
  loadConfig({ overrides: { webserver: { https: false, hostname: '127.0.0.1', port: 9001 } } })
  expect([instanceOrigin(), instanceHost()]).toEqual(['http://127.0.0.1:9001', '127.0.0.1:9001'])
})

describe('a key that became an internal', () => {
  it('is accepted in a file, has no effect, and is named in a warning with where it stands', async () => {
    const file = join(folder, 'old.yaml')
    await writeFile(
      file,
      'federation:\n  inbox:\n    max_waiting: 7\n    lease: 1 minute\n  outbox:\n    breaker:\n      failures: 9\n  collections:\n    page_size: 20\n'
    )
    expect(loadConfig({ file }).federation.inbox).toMatchObject({ max_waiting: 7 })
    expect(loadConfig({ file }).federation).not.toHaveProperty('collections')
    expect(configWarnings()).toEqual(
      ['inbox.lease', 'outbox.breaker', 'collections'].map(
        key => `Configuration: \`federation.${key}\` in ${file} is no setting any more and has no effect; remove it`
      )
    )
  })

  it('is one of a list; others that do not exist are refused, and those that exist give no warning', () => {
    expect(configErrorMessage(() => loadConfig({ overrides: { federation: { inbox: { leese: 1 } } } }))).toContain(
      'unknown key `federation.inbox.leese`'
    )
    loadConfig({ overrides: { federation: { inbox: { keep: '1 day' } } } })
    expect(configWarnings()).toEqual([])
  })
})
