import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { loadConfig, projectFolder } from '../../server/core/config.ts'
import { CliError } from './cli-error.ts'
import { readLaunchSettings, serverEnvironment } from './settings.ts'

const roles = ['web']
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bobine-settings-'))
  for (const name of ['DATABASE_URL', 'REDIS_URL', 'BOBINE_CONFIG']) vi.stubEnv(name, '')
})

afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** Reads the settings with a configuration file of the given YAML. */
function withFile(yaml: string, options = {}) {
  const config = join(folder, 'c.yaml')
  writeFileSync(config, yaml)
  return readLaunchSettings({ roles, config, ...options })
}

test('defaults: localhost without TLS on port 9000, data below the project, private services', () => {
  const settings = withFile('')
  expect(settings).toMatchObject({
    data: join(projectFolder, 'data'),
    listen: { hostname: '127.0.0.1', port: 9000 },
    privatePostgres: true,
    privateRedis: true
  })
  expect(settings.overrides.webserver).toEqual({ https: false, hostname: 'localhost', port: 9000 })
})

test.each([
  [{ hostname: 'videos.example.org' }, '', { https: true, hostname: 'videos.example.org', port: 443 }, '127.0.0.1'],
  [{ hostname: 'videos.example.org', port: 8080 }, '', { https: true, hostname: 'videos.example.org', port: 443 }, '127.0.0.1'],
  [{ hostname: 'a.localhost', port: 8080 }, '', { https: false, hostname: 'a.localhost', port: 8080 }, '127.0.0.1'],
  [{ hostname: '192.168.1.5' }, '', { https: false, hostname: '192.168.1.5', port: 9000 }, '0.0.0.0'],
  [{ hostname: '192.168.1.5' }, 'listen: { hostname: 192.168.1.5 }', { https: false, hostname: '192.168.1.5', port: 9000 }, '192.168.1.5'],
  [{ hostname: '127.0.0.1' }, '', { https: false, hostname: '127.0.0.1', port: 9000 }, '127.0.0.1'],
  [{ port: 8080 }, '', { https: false, hostname: 'localhost', port: 8080 }, '127.0.0.1'],
  [{}, 'listen: { port: 8080 }', { https: false, hostname: 'localhost', port: 8080 }, '127.0.0.1'],
  [{ port: 8080 }, 'webserver: { hostname: v.example.org }', { https: true, hostname: 'v.example.org', port: 443 }, '127.0.0.1'],
  [
    { port: 8080 },
    'webserver: { hostname: localhost, https: false, port: 3000 }',
    { https: false, hostname: 'localhost', port: 3000 },
    '127.0.0.1'
  ],
  [
    { hostname: 'w.example.org' },
    'webserver: { hostname: localhost, https: false, port: 3000 }',
    { https: true, hostname: 'w.example.org', port: 443 },
    '127.0.0.1'
  ]
])('options %j over "%s": the public address is %j', (options, yaml, webserver, listen) => {
  const settings = withFile(yaml, options)
  expect(settings.overrides.webserver).toEqual(webserver)
  expect(settings.listen.hostname).toBe(listen)
})

test.each([
  ['database: { hostname: db.example.org }', {}, false, true],
  ['database: { name: other, pool: { max: 3 } }', {}, true, true],
  ['redis: { socket: /run/redis.sock }', {}, true, false],
  ['redis: { prefix: other }', {}, true, true],
  ['', { DATABASE_URL: 'postgres://u:p@h/d' }, false, true],
  ['', { REDIS_URL: 'redis://h' }, true, false],
  ['', { BOBINE_CONFIG: '{"database":{"port":5433},"redis":{"hostname":"h"}}' }, false, false]
])('"%s" with %j: private Postgres %s, private Redis %s', (yaml, environment, postgres, redis) => {
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value as string)
  expect(withFile(yaml)).toMatchObject({ privatePostgres: postgres, privateRedis: redis })
})

test('--data is relative to the working folder, storage.root to the project, and --data wins', () => {
  expect(withFile('storage: { root: elsewhere }').data).toBe(join(projectFolder, 'elsewhere'))
  expect(withFile('storage: { root: elsewhere }', { data: 'here' }).data).toBe(resolve('here'))
})

test("the server gets what the launcher decided, merged with the caller's configuration", () => {
  vi.stubEnv('BOBINE_CONFIG', '{"instance":{"name":"Mine"},"listen":{"port":1}}')
  const settings = withFile('signup: { enabled: true }', { port: 9009, data: folder })
  const environment = serverEnvironment(settings, { host: '/s', port: 5432, name: 'bobine', username: 'bobine' }, { socket: '/s/r' })
  vi.stubEnv('BOBINE_CONFIG', environment.BOBINE_CONFIG)
  const config = loadConfig({ file: settings.file })
  expect(config).toMatchObject({
    instance: { name: 'Mine' },
    signup: { enabled: true },
    listen: { port: 9009 },
    storage: { root: folder },
    database: { hostname: '/s', name: 'bobine', username: 'bobine', password: '' },
    redis: { socket: '/s/r' }
  })
})

test.each([
  ['nonsense: 1', /unknown key `nonsense`/],
  ['listen: { port: many }', /`listen\.port`/],
  ['- a list', /must hold an object/],
  ['a: [', /cannot be read/]
])('a file with "%s" is refused with a sentence', (yaml, sentence) => {
  expect(() => withFile(yaml)).toThrow(CliError)
  expect(() => withFile(yaml)).toThrow(sentence)
})
