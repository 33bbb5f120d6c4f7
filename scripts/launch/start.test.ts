import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { ensureBuilt } from '../../server/test/ensure-built.ts'
import { processStartTime } from './process.ts'
import { findFreePort } from './free-port.ts'
import { cleanUpLauncherRuns, findRunningProcesses, findProcessesNaming, LauncherRun, makeLauncherRunFolder } from './launcher-run.ts'

// Runs scripts/start with the real server, as an administrator does.
beforeAll(async () => {
  await ensureBuilt()
  const site = await start(join(preparedFolder, 'data'))
  await stopAndCheck(site, 'SIGTERM')
}, 240_000)
afterEach(cleanUpLauncherRuns, 60_000)
afterAll(() => rmSync(preparedFolder, { recursive: true, force: true }))

/** A folder in which an instance was started before. */
const preparedFolder = mkdtempSync(join(realpathSync(tmpdir()), 'bobine-kept-'))
chmodSync(preparedFolder, 0o711)
const ALL_PROCESSES = ['launcher', 'postgres', 'redis', 'server']
const PASSWORD = 'correct-horse-1'

interface RunningSite {
  folder: string
  port: number
  run: LauncherRun
  url: string
}

async function start(
  folder = makeLauncherRunFolder(),
  port?: number,
  environment: NodeJS.ProcessEnv = {},
  parameters: string[] = []
): Promise<RunningSite> {
  const listen = port ?? (await findFreePort())
  const run = new LauncherRun(['--data', folder, '--port', String(listen), '--hostname', '127.0.0.1', ...parameters], {
    env: { BOBINE_ROOT_PASSWORD: PASSWORD, ...environment }
  })
  const url = await run.waitUntilReady()
  expect(url).toBe(`http://127.0.0.1:${listen}`)
  return { folder, port: listen, run, url }
}

/** Copies a data folder of an earlier start, so that tests of later starts need no new cluster. */
function copyPreparedFolder(): string {
  const folder = makeLauncherRunFolder()
  expect(spawnSync('cp', ['-a', `${preparedFolder}/data/.`, folder]).status).toBe(0)
  return folder
}

async function ping(url: string): Promise<string> {
  return await fetch(`${url}/api/v1/ping`).then(
    async answer => await answer.text(),
    () => 'nobody there'
  )
}

async function accessToken(url: string): Promise<string> {
  const client = (await (await fetch(`${url}/api/v1/oauth-clients/local`)).json()) as Record<string, string>
  const body = new URLSearchParams({ ...client, grant_type: 'password', username: 'root', password: PASSWORD })
  const answer = (await (await fetch(`${url}/api/v1/users/token`, { method: 'POST', body })).json()) as { access_token: string }
  return answer.access_token
}

/** The status of a login as root: 200 when the database has that password, 0 without a response. */
async function loginStatus(url: string, password = PASSWORD): Promise<number> {
  try {
    const client = (await (await fetch(`${url}/api/v1/oauth-clients/local`)).json()) as Record<string, string>
    const body = new URLSearchParams({ ...client, grant_type: 'password', username: 'root', password })
    return (await fetch(`${url}/api/v1/users/token`, { method: 'POST', body })).status
  } catch {
    return 0
  }
}

/** Sends a signal and checks that no process is left within 10 seconds. */
async function stopAndCheck({ run, folder, port }: RunningSite, signal: NodeJS.Signals): Promise<void> {
  const began = Date.now()
  // To the whole process group, as Ctrl-C in a terminal does.
  process.kill(-run.child.pid!, signal)
  expect(await run.ended).toBe('exit 0')
  expect(Date.now() - began).toBeLessThan(10_000)
  expect(findProcessesNaming(folder)).toEqual([])
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  await new Promise(resolve => server.close(resolve))
}

test('the first start prints a working login, Ctrl-C stops everything, the next start keeps the data', async () => {
  const first = await start(undefined, undefined, { BOBINE_ROOT_PASSWORD: '' })
  expect(await ping(first.url)).toBe('pong')
  expect(Object.keys(findRunningProcesses(first.folder)).sort()).toEqual(ALL_PROCESSES)
  const [, password] = await first.run.waitForOutput(/Log in as root with the password (\S+) /)
  expect(await loginStatus(first.url, password)).toBe(200)
  expect(await loginStatus(first.url, `${password}x`)).toBe(400)
  await stopAndCheck(first, 'SIGINT')

  const second = await start(first.folder, first.port, { BOBINE_ROOT_PASSWORD: 'another-password' })
  await second.run.waitForOutput(/Ctrl-C/)
  expect(second.run.output).not.toMatch(/Log in as/)
  expect(await loginStatus(second.url, password)).toBe(200)
  await stopAndCheck(second, 'SIGTERM')
})

test('--reset-password replaces a lost password once', async () => {
  const first = await start(copyPreparedFolder())
  await first.run.waitForOutput(/Ctrl-C/)
  await stopAndCheck(first, 'SIGINT')
  const second = await start(first.folder, first.port, {}, ['--reset-password', 'root'])
  const [, password] = await second.run.waitForOutput(/Log in as root with the password (\S+) /)
  expect(await loginStatus(second.url)).toBe(400)
  expect(await loginStatus(second.url, password)).toBe(200)
  process.kill(findRunningProcesses(first.folder).server!, 'SIGKILL')
  await second.run.waitForOutput(/ended \(SIGKILL\); starting it again/)
  await expect.poll(() => loginStatus(second.url, password), { timeout: 20_000, interval: 200 }).toBe(200)
  await stopAndCheck(second, 'SIGTERM')
  const third = new LauncherRun(['--data', first.folder, '--port', String(first.port), '--reset-password', 'nobody'])
  await third.waitForOutput(/There is no user nobody/)
  expect(await third.ended).not.toBe('exit 0')
})

test('--reset-password replaces the password of a site that runs, and ends the sessions of the user', async () => {
  const site = await start(copyPreparedFolder())
  await site.run.waitForOutput(/Ctrl-C/)
  const before = findRunningProcesses(site.folder)
  const me = async (token: string) => (await fetch(`${site.url}/api/v1/users/me`, { headers: { authorization: `Bearer ${token}` } })).status
  const token = await accessToken(site.url)
  expect(await me(token)).toBe(200)

  const reset = new LauncherRun(['--data', site.folder, '--reset-password'])
  const [, password] = await reset.waitForOutput(/Log in as root with the password (\S+) /)
  expect(await reset.ended).toBe('exit 0')
  expect(reset.output.split(password!).length, 'shown once').toBe(2)
  expect([await me(token), await loginStatus(site.url), await loginStatus(site.url, password)]).toEqual([401, 400, 200])
  // The site went on, and no log has the password.
  expect(findRunningProcesses(site.folder)).toEqual(before)
  expect(spawnSync('grep', ['-r', password!, join(site.folder, 'logs'), join(site.folder, 'run')]).status).toBe(1)

  const unknown = new LauncherRun(['--data', site.folder, '--reset-password', 'nobody'])
  expect(await unknown.ended).toBe('exit 1')
  expect(unknown.output).toMatch(/^There is no user nobody$/m)
  expect(await loginStatus(site.url, password)).toBe(200)
  await stopAndCheck(site, 'SIGTERM')
})

test('each process that is killed is restarted and works', async () => {
  const site = await start(copyPreparedFolder())
  for (const [count, part] of ['server', 'postgres', 'redis'].entries()) {
    const before = findRunningProcesses(site.folder)
    process.kill(before[part]!, 'SIGKILL')
    await expect
      .poll(() => site.run.output.match(/ended \(SIGKILL\); starting it again/g)?.length, { message: part, timeout: 20_000 })
      .toBe(count + 1)
    await expect
      .poll(() => findRunningProcesses(site.folder)[part] !== before[part] && findRunningProcesses(site.folder)[part] !== undefined, {
        message: part,
        timeout: 20_000
      })
      .toBe(true)
    await expect.poll(() => loginStatus(site.url), { message: part, timeout: 20_000, interval: 200 }).toBe(200)
  }
  await stopAndCheck(site, 'SIGTERM')
})

test('whichever processes were killed, the next start works and keeps the data', async () => {
  let site = await start(copyPreparedFolder())
  for (const parts of [['launcher'], ['launcher', 'server'], ['launcher', 'postgres'], ['launcher', 'redis'], ALL_PROCESSES]) {
    const before = findRunningProcesses(site.folder)
    for (const part of parts) process.kill(before[part]!, 'SIGKILL')
    site = await start(site.folder, site.port)
    for (const part of ALL_PROCESSES) expect(processStartTime(before[part]!), `${part} after ${parts.join(', ')}`).toBeUndefined()
    expect(Object.keys(findRunningProcesses(site.folder)).sort()).toEqual(ALL_PROCESSES)
    expect(await loginStatus(site.url)).toBe(200)
  }
  await stopAndCheck(site, 'SIGTERM')
})

test('the server stops by itself when the launcher is killed', async () => {
  const { folder, url } = await start(copyPreparedFolder())
  const before = findRunningProcesses(folder)
  process.kill(before.launcher!, 'SIGKILL')
  await expect.poll(() => processStartTime(before.server!), { timeout: 10_000 }).toBeUndefined()
  expect(await ping(url)).toBe('nobody there')
})

test('a second start on the same folder is refused, the first keeps running', async () => {
  const site = await start(copyPreparedFolder())
  const second = new LauncherRun(['--data', site.folder, '--port', String(await findFreePort())])
  expect(await second.ended).toBe('exit 1')
  expect(second.output).toBe(
    `Bobine already runs on ${site.folder} (process ${findRunningProcesses(site.folder).launcher}): stop that one, or choose another folder with --data\n`
  )
  expect(await ping(site.url)).toBe('pong')
})

test('two instances with two folders run side by side', async () => {
  const [firstSite, secondSite] = await Promise.all([
    start(undefined, undefined, { BOBINE_ROOT_PASSWORD: 'first-password' }),
    start(undefined, undefined, { BOBINE_ROOT_PASSWORD: 'second-password' })
  ])
  expect(await loginStatus(firstSite.url, 'first-password')).toBe(200)
  expect(await loginStatus(firstSite.url, 'second-password')).toBe(400)
  expect(await loginStatus(secondSite.url, 'second-password')).toBe(200)
  await stopAndCheck(firstSite, 'SIGTERM')
  expect(await loginStatus(secondSite.url, 'second-password')).toBe(200)
  await stopAndCheck(secondSite, 'SIGTERM')
})

test('a port in use is reported, and no process is left', async () => {
  const otherServer = createServer()
  const port = await findFreePort()
  await new Promise<void>(resolve => otherServer.listen(port, '127.0.0.1', resolve))
  try {
    const folder = makeLauncherRunFolder()
    const run = new LauncherRun(['--data', folder, '--port', String(port)])
    expect(await run.ended).toBe('exit 1')
    expect(run.output).toBe(`Port ${port} on 127.0.0.1 is used by another program: stop that one, or choose another port with --port\n`)
    expect(findProcessesNaming(folder)).toEqual([])
  } finally {
    otherServer.close()
  }
})

test('an invalid configuration is reported before anything starts', async () => {
  const folder = makeLauncherRunFolder()
  writeFileSync(join(folder, 'c.yaml'), 'signup: { enabled: perhaps }')
  const run = new LauncherRun(['--data', folder, '--config', join(folder, 'c.yaml')])
  expect(await run.ended).toBe('exit 1')
  expect(run.output).toMatch(/^Configuration: `signup\.enabled` in .*c\.yaml is not valid: .*\n$/)
})

test('prints --help and refuses unknown options', async () => {
  const help = new LauncherRun(['--help'])
  expect(await help.ended).toBe('exit 0')
  expect(help.output).toMatch(/^Usage: scripts\/start/)
  const invalid = new LauncherRun(['--colour'])
  expect(await invalid.ended).toBe('exit 2')
  expect(invalid.output).toBe('There is no option --colour. See scripts/start --help.\n')
})

test('with DATABASE_URL and REDIS_URL it starts neither', async () => {
  const { host, port, username } = inject('postgres')
  const client = new Client({ host, port, user: username, database: 'postgres' })
  await client.connect()
  await client.query('CREATE DATABASE test_start')
  try {
    const site = await start(undefined, undefined, {
      DATABASE_URL: `postgres://${username}@localhost:${port}/test_start?host=${encodeURIComponent(host)}`,
      REDIS_URL: `unix://${inject('redis').socket}`,
      BOBINE_CONFIG: '{"redis":{"prefix":"test_start"}}'
    })
    expect(await loginStatus(site.url)).toBe(200)
    expect(findProcessesNaming(site.folder).filter(line => /postgres|redis-server/.test(line))).toEqual([])
    await stopAndCheck(site, 'SIGTERM')
  } finally {
    await client.query('DROP DATABASE test_start WITH (FORCE)')
    await client.end()
  }
})

const isRoot = process.getuid!() === 0
/** Whether the account nobody can read this checkout. */
const canRunAsNobody =
  isRoot &&
  spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'test', '-r', join(import.meta.dirname, '../start')]).status ===
    0

test.runIf(canRunAsNobody)('runs as an ordinary user', async () => {
  const folder = makeLauncherRunFolder()
  chownSync(folder, 65534, 65534)
  const run = new LauncherRun(['--data', folder, '--port', String(await findFreePort())], {
    env: { BOBINE_ROOT_PASSWORD: PASSWORD, HOME: '/nonexistent' },
    as: 65534
  })
  const url = await run.waitUntilReady()
  expect(await loginStatus(url)).toBe(200)
  for (const pid of Object.values(findRunningProcesses(folder))) expect(statSync(`/proc/${pid}`).uid).toBe(65534)
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe('exit 0')
  expect(findProcessesNaming(folder)).toEqual([])
})

test('BOBINE_ROOT_PASSWORD is the first password; the data folder is closed to other accounts', async () => {
  const folder = join(makeLauncherRunFolder(), 'data')
  const site = await start(folder)
  await site.run.waitForOutput(new RegExp(`Log in as root with the password ${PASSWORD} `))
  expect(await loginStatus(site.url)).toBe(200)
  expect(statSync(folder).mode & 0o007).toBe(0)
  await stopAndCheck(site, 'SIGHUP')
})

test.runIf(canRunAsNobody)('a folder of another account is refused with a sentence', async () => {
  const folder = copyPreparedFolder()
  const site = await start(folder)
  await stopAndCheck(site, 'SIGTERM')
  const run = new LauncherRun(['--data', folder, '--port', String(site.port)], { as: 65534 })
  expect(await run.ended).toBe('exit 1')
  expect(run.output).toMatch(new RegExp(`^${folder}/run\\S*: permission denied\n$`))
})

test.runIf(isRoot)('Postgres of root runs under another account, also below a folder that only root can enter', async () => {
  const privateFolder = makeLauncherRunFolder()
  chmodSync(privateFolder, 0o700)
  const folder = join(privateFolder, 'data')
  mkdirSync(folder)
  const site = await start(folder)
  expect(statSync(join(folder, 'postgres')).uid).not.toBe(0)
  expect(statSync(`/proc/${findRunningProcesses(folder).postgres}`).uid).toBe(statSync(join(folder, 'postgres')).uid)
  expect(await loginStatus(site.url)).toBe(200)
  await stopAndCheck(site, 'SIGTERM')
})
