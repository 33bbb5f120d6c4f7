import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { ensureBuilt } from '../../server/test/ensure-built.ts'
import { processStartTime } from './process.ts'
import {
  cleanUpLauncherRuns,
  findFreePort,
  findRunningProcesses,
  findProcessesNaming,
  LauncherRun,
  makeLauncherRunFolder
} from './launcher-run.ts'

// The real thing: scripts/start with the real server, as an admin uses it.
beforeAll(async () => {
  await ensureBuilt()
  const site = await start(join(kept, 'data'))
  await stop(site, 'SIGTERM')
}, 240_000)
afterEach(cleanUpLauncherRuns, 60_000)
afterAll(() => rmSync(kept, { recursive: true, force: true }))

/** Where Bobine has run before. */
const kept = mkdtempSync(join(realpathSync(tmpdir()), 'bobine-kept-'))
chmodSync(kept, 0o711)
const ALL = ['launcher', 'postgres', 'redis', 'server']
const PASSWORD = 'correct-horse-1'

interface Site {
  folder: string
  port: number
  trial: LauncherRun
  url: string
}

async function start(
  folder = makeLauncherRunFolder(),
  port?: number,
  environment: NodeJS.ProcessEnv = {},
  parameters: string[] = []
): Promise<Site> {
  const listen = port ?? (await findFreePort())
  const trial = new LauncherRun(['--data', folder, '--port', String(listen), '--hostname', '127.0.0.1', ...parameters], {
    env: { BOBINE_ROOT_PASSWORD: PASSWORD, ...environment }
  })
  const url = await trial.ready()
  expect(url).toBe(`http://127.0.0.1:${listen}`)
  return { folder, port: listen, trial, url }
}

/** A data folder where Bobine has run before: what is about later starts needs no new cluster each time. */
function usedFolder(): string {
  const folder = makeLauncherRunFolder()
  expect(spawnSync('cp', ['-a', `${kept}/data/.`, folder]).status).toBe(0)
  return folder
}

async function ping(url: string): Promise<string> {
  return await fetch(`${url}/api/v1/ping`).then(
    async answer => await answer.text(),
    () => 'nobody there'
  )
}

/** What logging in as root answers: 200 when the database holds that password. */
async function login(url: string, password = PASSWORD): Promise<number> {
  try {
    const client = (await (await fetch(`${url}/api/v1/oauth-clients/local`)).json()) as Record<string, string>
    const body = new URLSearchParams({ ...client, grant_type: 'password', username: 'root', password })
    return (await fetch(`${url}/api/v1/users/token`, { method: 'POST', body })).status
  } catch {
    return 0
  }
}

/** Asks it to stop and checks that nothing of it is left 10 seconds later at most. */
async function stop({ trial, folder, port }: Site, signal: NodeJS.Signals): Promise<void> {
  const began = Date.now()
  // As Ctrl-C in a terminal does: to the whole process group.
  process.kill(-trial.child.pid!, signal)
  expect(await trial.ended).toBe('exit 0')
  expect(Date.now() - began).toBeLessThan(10_000)
  expect(findProcessesNaming(folder)).toEqual([])
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
  await new Promise(resolve => server.close(resolve))
}

test('the first start shows a login that works, Ctrl-C stops everything, the next start keeps the data', async () => {
  const first = await start(undefined, undefined, { BOBINE_ROOT_PASSWORD: '' })
  expect(await ping(first.url)).toBe('pong')
  expect(Object.keys(findRunningProcesses(first.folder)).sort()).toEqual(ALL)
  const [, password] = await first.trial.says(/Log in as root with the password (\S+) /)
  expect(await login(first.url, password)).toBe(200)
  expect(await login(first.url, `${password}x`)).toBe(400)
  await stop(first, 'SIGINT')

  const second = await start(first.folder, first.port, { BOBINE_ROOT_PASSWORD: 'another-password' })
  await second.trial.says(/Ctrl-C/)
  expect(second.trial.output).not.toMatch(/Log in as/)
  expect(await login(second.url, password)).toBe(200)
  await stop(second, 'SIGTERM')
})

test('a lost password is replaced, once', async () => {
  const first = await start(usedFolder())
  await first.trial.says(/Ctrl-C/)
  await stop(first, 'SIGINT')
  const second = await start(first.folder, first.port, {}, ['--reset-password', 'root'])
  const [, password] = await second.trial.says(/Log in as root with the password (\S+) /)
  expect(await login(second.url)).toBe(400)
  expect(await login(second.url, password)).toBe(200)
  process.kill(findRunningProcesses(first.folder).server!, 'SIGKILL')
  await second.trial.says(/ended \(SIGKILL\); starting it again/)
  await expect.poll(() => login(second.url, password), { timeout: 20_000, interval: 200 }).toBe(200)
  await stop(second, 'SIGTERM')
  const third = new LauncherRun(['--data', first.folder, '--port', String(first.port), '--reset-password', 'nobody'])
  await third.says(/There is no user nobody/)
  expect(await third.ended).not.toBe('exit 0')
})

test('whichever part is killed while it runs is started again and works', async () => {
  const site = await start(usedFolder())
  for (const [count, part] of ['server', 'postgres', 'redis'].entries()) {
    const before = findRunningProcesses(site.folder)
    process.kill(before[part]!, 'SIGKILL')
    await expect
      .poll(() => site.trial.output.match(/ended \(SIGKILL\); starting it again/g)?.length, { message: part, timeout: 20_000 })
      .toBe(count + 1)
    await expect
      .poll(() => findRunningProcesses(site.folder)[part] !== before[part] && findRunningProcesses(site.folder)[part] !== undefined, {
        message: part,
        timeout: 20_000
      })
      .toBe(true)
    await expect.poll(() => login(site.url), { message: part, timeout: 20_000, interval: 200 }).toBe(200)
  }
  await stop(site, 'SIGTERM')
})

test('whatever was killed, the next start comes up clean with the data intact', async () => {
  let site = await start(usedFolder())
  for (const parts of [['launcher'], ['launcher', 'server'], ['launcher', 'postgres'], ['launcher', 'redis'], ALL]) {
    const before = findRunningProcesses(site.folder)
    for (const part of parts) process.kill(before[part]!, 'SIGKILL')
    site = await start(site.folder, site.port)
    for (const part of ALL) expect(processStartTime(before[part]!), `${part} after ${parts.join(', ')}`).toBeUndefined()
    expect(Object.keys(findRunningProcesses(site.folder)).sort()).toEqual(ALL)
    expect(await login(site.url)).toBe(200)
  }
  await stop(site, 'SIGTERM')
})

test('the server stops by itself when the launcher is killed', async () => {
  const { folder, url } = await start(usedFolder())
  const before = findRunningProcesses(folder)
  process.kill(before.launcher!, 'SIGKILL')
  await expect.poll(() => processStartTime(before.server!), { timeout: 10_000 }).toBeUndefined()
  expect(await ping(url)).toBe('nobody there')
})

test('a second start on the same folder is refused, the first goes on', async () => {
  const site = await start(usedFolder())
  const second = new LauncherRun(['--data', site.folder, '--port', String(await findFreePort())])
  expect(await second.ended).toBe('exit 1')
  expect(second.output).toBe(
    `Bobine already runs on ${site.folder} (process ${findRunningProcesses(site.folder).launcher}): stop that one, or choose another folder with --data\n`
  )
  expect(await ping(site.url)).toBe('pong')
})

test('two instances with two folders run side by side', async () => {
  const [one, two] = await Promise.all([
    start(undefined, undefined, { BOBINE_ROOT_PASSWORD: 'first-password' }),
    start(undefined, undefined, { BOBINE_ROOT_PASSWORD: 'second-password' })
  ])
  expect(await login(one.url, 'first-password')).toBe(200)
  expect(await login(one.url, 'second-password')).toBe(400)
  expect(await login(two.url, 'second-password')).toBe(200)
  await stop(one, 'SIGTERM')
  expect(await login(two.url, 'second-password')).toBe(200)
  await stop(two, 'SIGTERM')
})

test('a port that is used is said, and nothing is left', async () => {
  const stranger = createServer()
  const port = await findFreePort()
  await new Promise<void>(resolve => stranger.listen(port, '127.0.0.1', resolve))
  try {
    const folder = makeLauncherRunFolder()
    const trial = new LauncherRun(['--data', folder, '--port', String(port)])
    expect(await trial.ended).toBe('exit 1')
    expect(trial.output).toBe(`Port ${port} on 127.0.0.1 is used by another program: stop that one, or choose another port with --port\n`)
    expect(findProcessesNaming(folder)).toEqual([])
  } finally {
    stranger.close()
  }
})

test('a configuration that is wrong is said before anything starts', async () => {
  const folder = makeLauncherRunFolder()
  writeFileSync(join(folder, 'c.yaml'), 'signup: { enabled: perhaps }')
  const trial = new LauncherRun(['--data', folder, '--config', join(folder, 'c.yaml')])
  expect(await trial.ended).toBe('exit 1')
  expect(trial.output).toMatch(/^Configuration: `signup\.enabled` in .*c\.yaml is not valid: .*\n$/)
})

test('the command line: --help, and what is no option', async () => {
  const help = new LauncherRun(['--help'])
  expect(await help.ended).toBe('exit 0')
  expect(help.output).toMatch(/^Usage: scripts\/start/)
  const wrong = new LauncherRun(['--colour'])
  expect(await wrong.ended).toBe('exit 2')
  expect(wrong.output).toBe('There is no option --colour. See scripts/start --help.\n')
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
    expect(await login(site.url)).toBe(200)
    expect(findProcessesNaming(site.folder).filter(line => /postgres|redis-server/.test(line))).toEqual([])
    await stop(site, 'SIGTERM')
  } finally {
    await client.query('DROP DATABASE test_start WITH (FORCE)')
    await client.end()
  }
})

const root = process.getuid!() === 0
/** The account nobody, where this checkout can be read by it. */
const nobody =
  root &&
  spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', 'test', '-r', join(import.meta.dirname, '../start')]).status ===
    0

test.runIf(nobody)("an ordinary user needs nobody's help", async () => {
  const folder = makeLauncherRunFolder()
  chownSync(folder, 65534, 65534)
  const trial = new LauncherRun(['--data', folder, '--port', String(await findFreePort())], {
    env: { BOBINE_ROOT_PASSWORD: PASSWORD, HOME: '/nonexistent' },
    as: 65534
  })
  const url = await trial.ready()
  expect(await login(url)).toBe(200)
  for (const pid of Object.values(findRunningProcesses(folder))) expect(statSync(`/proc/${pid}`).uid).toBe(65534)
  trial.child.kill('SIGTERM')
  expect(await trial.ended).toBe('exit 0')
  expect(findProcessesNaming(folder)).toEqual([])
})

test('BOBINE_ROOT_PASSWORD is the first password; what is in the data folder is not for other accounts', async () => {
  const folder = join(makeLauncherRunFolder(), 'data')
  const site = await start(folder)
  await site.trial.says(new RegExp(`Log in as root with the password ${PASSWORD} `))
  expect(await login(site.url)).toBe(200)
  expect(statSync(folder).mode & 0o007).toBe(0)
  await stop(site, 'SIGHUP')
})

test.runIf(nobody)('a folder of another account is refused with a sentence', async () => {
  const folder = usedFolder()
  const site = await start(folder)
  await stop(site, 'SIGTERM')
  const trial = new LauncherRun(['--data', folder, '--port', String(site.port)], { as: 65534 })
  expect(await trial.ended).toBe('exit 1')
  expect(trial.output).toMatch(new RegExp(`^${folder}/run\\S*: permission denied\n$`))
})

test.runIf(root)("root's Postgres has an account of its own, also below a folder that only root may enter", async () => {
  const closed = makeLauncherRunFolder()
  chmodSync(closed, 0o700)
  const folder = join(closed, 'data')
  mkdirSync(folder)
  const site = await start(folder)
  expect(statSync(join(folder, 'postgres')).uid).not.toBe(0)
  expect(statSync(`/proc/${findRunningProcesses(folder).postgres}`).uid).toBe(statSync(join(folder, 'postgres')).uid)
  expect(await login(site.url)).toBe(200)
  await stop(site, 'SIGTERM')
})
