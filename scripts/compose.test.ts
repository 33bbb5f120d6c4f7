import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { loadConfig, projectFolder as root } from '../server/core/config.ts'
import { composeFile, interpolatedComposeFile, COMPOSE_VARIABLES } from './compose.ts'

const { caddy, web, worker, postgres, redis } = composeFile.services
const read = (path: string) => readFileSync(join(root, path), 'utf8')

test('defines the services of an instance, and publishes only the ports of Caddy', () => {
  expect(Object.keys(composeFile.services).sort()).toEqual(['caddy', 'postgres', 'redis', 'web', 'worker'])
  expect(
    Object.entries(composeFile.services)
      .filter(([, service]) => service.ports)
      .map(([name]) => name)
  ).toEqual(['caddy'])
  expect(interpolatedComposeFile).not.toMatch(/unknown variable|\$\{/)
})

test('documents every variable at the top of the file', () => {
  const head = read('docker-compose.yml').split('\nname:')[0]
  for (const name of Object.keys(COMPOSE_VARIABLES)) expect(head).toContain(`#   ${name}=`)
})

test('declares every volume that is used, and mounts files that exist', () => {
  const sources = Object.values(composeFile.services)
    .flatMap(service => service.volumes ?? [])
    .map(volume => volume.split(':')[0]!)
  expect([...new Set(sources.filter(source => !source.startsWith('.')))].sort()).toEqual(Object.keys(composeFile.volumes).sort())
  for (const file of sources.filter(source => source.startsWith('.'))) expect(existsSync(join(root, file))).toBe(true)
})

test('depends only on services that exist and have a health check where one is required', () => {
  for (const service of Object.values(composeFile.services)) {
    for (const [name, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(composeFile.services).toHaveProperty(name)
      if (condition === 'service_healthy') expect(composeFile.services[name]!.healthcheck).toBeDefined()
    }
  }
  expect(web!.depends_on).toHaveProperty('postgres')
  expect(worker!.depends_on).toHaveProperty('redis')
  expect(caddy!.depends_on).toHaveProperty('web')
})

test.each(Object.entries({ web, worker }))('every setting of %s is known to the configuration', (_, service) => {
  const environment = service!.environment!
  const config = read('server/core/config.ts')
  for (const name of Object.keys(environment)) expect(config).toMatch(new RegExp(`\\benv\\.${name}\\b`))
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value)
  try {
    expect(loadConfig()).toMatchObject({
      listen: { hostname: '0.0.0.0', port: 9000 },
      webserver: { https: true, hostname: 'videos.example.org', port: 443 },
      storage: { root: '/data' },
      database: { hostname: 'postgres', port: 5432, name: 'bobine', username: 'bobine', password: 'secret1' },
      redis: { hostname: 'redis', port: 6379, socket: '' }
    })
  } finally {
    vi.unstubAllEnvs()
  }
})

test('workers can be scaled: none has a port or a container name', () => {
  expect(worker!.ports).toBeUndefined()
  expect(Object.keys(worker!)).not.toContain('container_name')
  expect(worker!.volumes).toEqual(web!.volumes)
  expect(worker!.command!.slice(-2)).toEqual(['--roles', 'worker'])
  expect(web!.command!.slice(-2)).toEqual(['--roles', 'web'])
})

test('the settings of Postgres, Redis and Caddy match those of the server', () => {
  expect(postgres!.environment).toMatchObject({ POSTGRES_USER: 'bobine', POSTGRES_DB: 'bobine', POSTGRES_PASSWORD: 'secret1' })
  expect(redis!.command).toContain('noeviction')
  expect(read('Caddyfile')).toMatch(/^\{\$BOBINE_HOSTNAME\} \{[^}]*reverse_proxy web:9000\n\}/m)
  expect(caddy!.environment).toHaveProperty('BOBINE_HOSTNAME')
  expect(caddy!.ports).toEqual(expect.arrayContaining(['80:80', '443:443']))
})

test('a health check calls a program that its image has', () => {
  const programs: Record<string, string[]> = { bobine: ['node'], postgres: ['pg_isready'], redis: ['redis-cli'], caddy: ['wget'] }
  for (const { image, healthcheck } of Object.values(composeFile.services)) {
    if (healthcheck) expect(programs[image.split(':')[0]!]).toContain(healthcheck.test[1])
  }
})
