import { rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { processStartTime } from './process.ts'
import {
  readFakeServerChildPid,
  cleanUpLauncherRuns,
  findFreePort,
  findRunningProcesses,
  findProcessesNaming,
  LauncherRun,
  makeLauncherRunFolder
} from './launcher-run.ts'

afterEach(cleanUpLauncherRuns)

function start(folder: string, port: number, behaviour = 'well', parameters: string[] = []): LauncherRun {
  return new LauncherRun(['--data', folder, '--port', String(port), ...parameters], {
    server: 'fake-server.mjs',
    env: { BOBINE_CONFIG: JSON.stringify({ instance: { name: behaviour } }) }
  })
}

async function ask(url: string): Promise<{ pid: number; parameters: string[]; config: Record<string, Record<string, unknown>> }> {
  return (await (await fetch(url)).json()) as never
}

test('the server is told where everything is, over what the caller said', async () => {
  const [folder, port] = [makeLauncherRunFolder(), await findFreePort()]
  const trial = start(folder, port, 'well', ['--roles', 'web'])
  const { parameters, config } = await ask(await trial.ready())
  expect(parameters).toEqual(['--roles', 'web'])
  expect(config).toEqual({
    instance: { name: 'well' },
    listen: { hostname: '127.0.0.1', port },
    webserver: { https: false, hostname: 'localhost', port },
    storage: { root: folder },
    database: { hostname: join(folder, 'run/pg'), port: 5432, name: 'bobine', username: 'bobine', password: '', ssl: false },
    redis: { socket: join(folder, 'run/redis/redis.sock'), auth: '', db: 0 }
  })
})

test('a server that says why it failed: that sentence, exit 1, and nothing left', async () => {
  const folder = makeLauncherRunFolder()
  const trial = start(folder, await findFreePort(), 'fails')
  expect(await trial.ended).toBe('exit 1')
  expect(trial.output).toMatch(
    /^Starting PostgreSQL \.\.\. [\d.]+ s\nStarting Redis \.\.\. [\d.]+ s\nStarting the server \.\.\. failed\nThe database does not like us\.\n$/
  )
  expect(findProcessesNaming(folder)).toEqual([])
})

test('a server that dies before it is ready: a sentence, exit 1, and nothing left', async () => {
  const folder = makeLauncherRunFolder()
  const trial = start(folder, await findFreePort(), 'dies')
  expect(await trial.ended).toBe('exit 1')
  expect(trial.output).toContain(
    `... failed\nThe server ended before it was ready (exit 3); the end of ${folder}/logs/server.log:\nits last words\n`
  )
  expect(findProcessesNaming(folder)).toEqual([])
})

test('a server that crashes is started again, and what it had started is ended', async () => {
  const folder = makeLauncherRunFolder()
  const trial = start(folder, await findFreePort())
  const url = await trial.ready()
  for (let crash = 1; crash <= 2; crash++) {
    const before = await ask(url)
    const [child] = readFakeServerChildPid(folder)
    expect(processStartTime(child!)).toBeDefined()
    await expect(fetch(`${url}/crash`)).rejects.toThrow()
    await trial.says(new RegExp(`(The server ended \\(exit 7\\); starting it again[^]*){${crash}}`))
    await expect
      .poll(
        () =>
          ask(url).then(
            answer => answer.pid !== before.pid,
            () => false
          ),
        { timeout: 10_000 }
      )
      .toBe(true)
    expect(processStartTime(child!)).toBeUndefined()
  }
})

test('a server that does not stop is killed, all within 10 seconds', async () => {
  const folder = makeLauncherRunFolder()
  const trial = start(folder, await findFreePort(), 'stubborn')
  await trial.ready()
  const began = Date.now()
  trial.child.kill('SIGTERM')
  expect(await trial.ended).toBe('exit 0')
  expect(Date.now() - began).toBeLessThan(10_000)
  expect(findProcessesNaming(folder)).toEqual([])
  expect(processStartTime(readFakeServerChildPid(folder)[0]!)).toBeUndefined()
})

test('a start that is interrupted stops what it has started', async () => {
  const folder = makeLauncherRunFolder()
  const trial = start(folder, await findFreePort(), 'hangs')
  await expect.poll(() => Object.keys(findRunningProcesses(folder)), { timeout: 20_000 }).toContain('server')
  trial.child.kill('SIGINT')
  expect(await trial.ended).toBe('exit 0')
  expect(findProcessesNaming(folder)).toEqual([])
})

test("a mark that names somebody else's process leaves that process alone", async () => {
  const folder = makeLauncherRunFolder()
  const first = start(folder, await findFreePort())
  await first.ready()
  first.child.kill('SIGTERM')
  await first.ended
  // The stranger is this test itself.
  for (const name of ['launcher', 'server', 'redis', 'postgres'])
    writeFileSync(join(folder, 'run', `${name}.json`), JSON.stringify({ pid: process.pid, born: 'another day' }))
  writeFileSync(join(folder, 'postgres/postmaster.pid'), `${process.pid}\n${folder}/postgres\n`)
  await start(folder, await findFreePort()).ready()
})

test('a folder whose path is too long for a socket', async () => {
  const folder = join(makeLauncherRunFolder(), 'a folder, with "everything"'.repeat(5))
  const trial = start(folder, await findFreePort())
  const { config } = await ask(await trial.ready())
  const sockets = [String(config.database!.hostname), dirname(String(config.redis!.socket))]
  trial.child.kill('SIGTERM')
  expect(await trial.ended).toBe('exit 0')
  for (const path of sockets) {
    expect(path).not.toContain(folder)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    rmSync(path, { recursive: true })
  }
})
