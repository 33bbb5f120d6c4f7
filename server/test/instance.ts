import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { inject } from 'vitest'
import { findFreePort } from '../../scripts/launch/free-port.ts'
import { config, loadConfig } from '../core/config.ts'
import { overrideTestInternals, type InternalsOverrides } from './internals.ts'
import { responseValidation } from '../core/route.ts'
import { checkPublishedVideos, findTemporaryFiles, keepUploadedFiles } from './published-media.ts'
import { startProcess, type ProcessRole } from '../app/process.ts'

/**
 * Configuration of a test's instance over the usual one, and internals that are changed. `checkPublishedMedia: false` is for tests that break
 * files or rows on purpose: otherwise all that was published is checked when the instance stops (published-media.ts).
 */
export type TestOverrides = { [key: string]: unknown; internals?: InternalsOverrides; checkPublishedMedia?: boolean }
type Settings = { [key: string]: unknown }
type CallOptions = { token?: string; headers?: Record<string, string>; body?: unknown; form?: Record<string, string>; multipart?: FormData }
/** A response; `json` is the parsed body if it is JSON. */
export type TestResponse = { status: number; headers: Headers; text: string; json: any }

/** An instance with its own database, Redis prefix, storage folder and port. */
export type TestInstance = {
  url: string
  folder: string
  rootPassword: string
  /** Calls the API: `await call('GET /videos?count=2', { token })`. A path that begins with `//` is outside the API. */
  call(key: string, options?: CallOptions): Promise<TestResponse>
  /** Logs in (as root by default) and returns the access token. */
  login(username?: string, password?: string): Promise<string>
  /** Creates a user as administrator and logs in as it. */
  user(username: string, more?: Settings): Promise<{ id: number; token: string; channelId: number }>
  stop(): Promise<void>
}

/** Starts an instance in this process, with small keys and a low password cost; to be stopped in afterAll. */
export async function startTestInstance(
  { internals = {}, checkPublishedMedia = true, ...overrides }: TestOverrides = {},
  roles: ProcessRole[] = ['web', 'worker']
): Promise<TestInstance> {
  const name = `test_${randomBytes(6).toString('hex')}`
  const folder = await mkdtemp(join(tmpdir(), 'bobine-instance-'))
  await createTestDatabase(name)
  const port = await findFreePort()
  loadConfig({ overrides: deepMerge(testInstanceConfig(name, folder, port), overrides) })
  overrideTestInternals(internals)
  responseValidation.checked = true
  const storyboards = config.storyboards.enabled
  const uploaded = checkPublishedMedia ? await keepUploadedFiles(folder) : null
  const running = await startProcess(roles)
  const url = `http://127.0.0.1:${port}`
  const rootPassword = running.login!.password
  const client = await createTestClient(url)
  return {
    url,
    folder,
    rootPassword,
    ...client,
    login: async (username = 'root', password = rootPassword) => await client.login(username, password),
    user: async (username, more = {}) => {
      const root = await client.login('root', rootPassword)
      const created = await client.call('POST /users', {
        token: root,
        body: { username, password: 'password1', email: `${username}@example.com`, role: 2, ...more }
      })
      if (created.status !== 200) throw new Error(created.text)
      const token = await client.login(username, 'password1')
      const me = await client.call('GET /users/me', { token })
      return { id: created.json.user.id, token, channelId: me.json.videoChannels[0].id }
    },
    stop: async () => {
      const findings = uploaded
        ? await checkPublishedVideos({
            url,
            storyboards,
            storage: folder,
            database: testDatabaseConfig(name),
            uploaded: uploaded.folder,
            checked: inject('checkedMedia')
          }).catch(error => [`what is published cannot be checked: ${error}`])
        : []
      await running.stop()
      if (uploaded) findings.push(...(await findTemporaryFiles(folder)))
      await uploaded?.stop()
      await withTestDatabase(async client => await client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`))
      await rm(folder, { recursive: true, force: true })
      if (findings.length > 0) throw new Error(`What this instance published is wrong:\n- ${findings.join('\n- ')}`)
    }
  }
}

/** Returns the configuration of a test instance, for `loadConfig` or BOBINE_CONFIG. */
export function testInstanceConfig(databaseName: string, folder: string, port: number): Settings {
  const { host, port: databasePort, username } = inject('postgres')
  const unlimited = { window: '10 seconds', max: 100_000 }
  return {
    listen: { port },
    webserver: { https: false, hostname: '127.0.0.1', port },
    database: { hostname: host, port: databasePort, name: databaseName, username },
    redis: { socket: inject('redis').socket, prefix: databaseName },
    storage: { root: folder },
    log: { level: 'error' },
    security: { password_cost: 4, actor_key_bits: 1024 },
    // Speed is more important than quality, and hardware encoders would make results depend on the machine.
    transcoding: { preset: 'ultrafast', encoder_devices: [], nice: 0 },
    // Storyboards need three processes per upload; tests of them enable them.
    storyboards: { enabled: false },
    // A lower priority than other tests would only make this one poll longer.
    jobs: { nice: Math.max(0, getPriority()) },
    rates_limit: {
      api: unlimited,
      login: unlimited,
      signup: unlimited,
      upload: unlimited,
      client: unlimited,
      files: unlimited,
      video_password: unlimited,
      activity_pub: unlimited
    },
    // Tests look as visitors at what other servers sent, without an instance that follows them.
    search: { remote_uri: { anonymous: true } },
    federation: { prevent_ssrf: false, min_key_bits: 1024 }
  }
}

/** Runs `act` with a connection to a database of the test cluster (default `postgres`). */
export async function withTestDatabase<T>(act: (client: pg.Client) => Promise<T>, name = 'postgres'): Promise<T> {
  const client = new pg.Client(testDatabaseConfig(name))
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}

function testDatabaseConfig(database: string): pg.ClientConfig {
  const { host, port, username } = inject('postgres')
  return { host, port, user: username, database }
}

/** Creates the database of an instance as a copy of the migrated template. */
export async function createTestDatabase(name: string): Promise<void> {
  await withTestDatabase(async client => await client.query(`CREATE DATABASE ${name} TEMPLATE ${inject('postgres').template}`))
}

/** Returns `call` and `login` for the instance at `url`. */
export async function createTestClient(
  url: string
): Promise<Pick<TestInstance, 'call'> & { login(username: string, password: string): Promise<string> }> {
  const call: TestInstance['call'] = async (key, { token, headers = {}, body, form, multipart } = {}) => {
    const [method, path] = key.split(' ') as [string, string]
    const response = await fetch(`${url}${path.startsWith('//') ? path.slice(1) : `/api/v1${path}`}`, {
      method,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(body === undefined || body instanceof Uint8Array ? {} : { 'content-type': 'application/json' }),
        ...headers
      },
      body:
        multipart ??
        (form
          ? new URLSearchParams(form)
          : body instanceof Uint8Array
            ? (body as BodyInit)
            : body === undefined
              ? undefined
              : JSON.stringify(body)),
      redirect: 'manual'
    })
    const text = await response.text()
    let json: unknown
    try {
      json = JSON.parse(text)
    } catch {
      json = undefined
    }
    return { status: response.status, headers: response.headers, text, json }
  }
  const login = async (username: string, password: string) => {
    const client = (await call('GET /oauth-clients/local')).json
    const answer = await call('POST /users/token', {
      form: { ...client, grant_type: 'password', response_type: 'code', username, password }
    })
    if (answer.status !== 200) throw new Error(`${username} cannot log in: ${answer.text}`)
    return answer.json.access_token as string
  }
  return { call, login }
}

/** The factor of all waiting times, for machines under load. */
const TIMEOUT_FACTOR = 4

/** Waits until `ready` returns a truthy value and returns it. Throws after `seconds` times TIMEOUT_FACTOR. */
export async function eventually<T>(ready: () => Promise<T | null | undefined | false>, seconds = 30, what = 'it'): Promise<T> {
  const end = Date.now() + seconds * 1000 * TIMEOUT_FACTOR
  for (;;) {
    const value = await ready()
    if (value) return value
    if (Date.now() > end) throw new Error(`Waited ${seconds * TIMEOUT_FACTOR} s for ${what} in vain`)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** Returns a deep merge of two objects of settings; `over` takes precedence. */
export function deepMerge(base: Settings, over: Settings): Settings {
  const merged: Settings = { ...base }
  for (const [key, value] of Object.entries(over)) {
    const existing = merged[key]
    merged[key] = isSettings(value) && isSettings(existing) ? deepMerge(existing, value) : value
  }
  return merged
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
