import { rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { processStartTime } from './process.ts'
import { findFreePort } from './free-port.ts'
import {
  readFakeServerChildPid,
  cleanUpLauncherRuns,
  findRunningProcesses,
  findProcessesNaming,
  LauncherRun,
  makeLauncherRunFolder
} from './launcher-run.ts'

afterEach(cleanUpLauncherRuns)

function startWithFakeServer(folder: string, port: number, behaviour = 'well', parameters: string[] = []): LauncherRun {
  return new LauncherRun(['--data', folder, '--port', String(port), ...parameters], {
    server: 'fake-server.mjs',
    env: { BOBINE_CONFIG: JSON.stringify({ instance: { name: behaviour } }) }
  })
}

async function getServerInfo(url: string): Promise<{ pid: number; parameters: string[]; config: Record<string, Record<string, unknown>> }> {
  return (await (await fetch(url)).json()) as never
}

test("passes addresses and folders to the server, overriding the caller's configuration", async () => {
  const [folder, port] = [makeLauncherRunFolder(), await findFreePort()]
  const run = startWithFakeServer(folder, port, 'well', ['--roles', 'web'])
  const { parameters, config } = await getServerInfo(await run.waitUntilReady())
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

test('a server that reports its failure: prints the sentence, exits with 1, leaves no process', async () => {
  const folder = makeLauncherRunFolder()
  const run = startWithFakeServer(folder, await findFreePort(), 'fails')
  expect(await run.ended).toBe('exit 1')
  expect(run.output).toMatch(
    /^Starting PostgreSQL \.\.\. [\d.]+ s\nStarting Redis \.\.\. [\d.]+ s\nStarting the server \.\.\. failed\nThe database does not like us\.\n$/
  )
  expect(findProcessesNaming(folder)).toEqual([])
})

test('a server that dies before it is ready: prints the end of its log, exits with 1, leaves no process', async () => {
  const folder = makeLauncherRunFolder()
  const run = startWithFakeServer(folder, await findFreePort(), 'dies')
  expect(await run.ended).toBe('exit 1')
  expect(run.output).toContain(
    `... failed\nThe server ended before it was ready (exit 3); the end of ${folder}/logs/server.log:\nits last words\n`
  )
  expect(findProcessesNaming(folder)).toEqual([])
})

test('a server that crashes is restarted, and its child processes are killed', async () => {
  const folder = makeLauncherRunFolder()
  const run = startWithFakeServer(folder, await findFreePort())
  const url = await run.waitUntilReady()
  for (let crash = 1; crash <= 2; crash++) {
    const before = await getServerInfo(url)
    const [child] = readFakeServerChildPid(folder)
    expect(processStartTime(child!)).toBeDefined()
    await expect(fetch(`${url}/crash`)).rejects.toThrow()
    await run.waitForOutput(new RegExp(`(The server ended \\(exit 7\\); starting it again[^]*){${crash}}`))
    await expect
      .poll(
        () =>
          getServerInfo(url).then(
            answer => answer.pid !== before.pid,
            () => false
          ),
        { timeout: 10_000 }
      )
      .toBe(true)
    expect(processStartTime(child!)).toBeUndefined()
  }
})

test('a server that ignores SIGTERM is killed, all within 10 seconds', async () => {
  const folder = makeLauncherRunFolder()
  const run = startWithFakeServer(folder, await findFreePort(), 'stubborn')
  await run.waitUntilReady()
  const began = Date.now()
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe('exit 0')
  expect(Date.now() - began).toBeLessThan(10_000)
  expect(findProcessesNaming(folder)).toEqual([])
  expect(processStartTime(readFakeServerChildPid(folder)[0]!)).toBeUndefined()
})

test('an interrupted start stops what it has started', async () => {
  const folder = makeLauncherRunFolder()
  const run = startWithFakeServer(folder, await findFreePort(), 'hangs')
  await expect.poll(() => Object.keys(findRunningProcesses(folder)), { timeout: 20_000 }).toContain('server')
  run.child.kill('SIGINT')
  expect(await run.ended).toBe('exit 0')
  expect(findProcessesNaming(folder)).toEqual([])
})

test('a pid file that names an unrelated process leaves that process alone', async () => {
  const folder = makeLauncherRunFolder()
  const first = startWithFakeServer(folder, await findFreePort())
  await first.waitUntilReady()
  first.child.kill('SIGTERM')
  await first.ended
  // The other process is this test itself.
  for (const name of ['launcher', 'server', 'redis', 'postgres'])
    writeFileSync(join(folder, 'run', `${name}.json`), JSON.stringify({ pid: process.pid, born: 'another day' }))
  writeFileSync(join(folder, 'postgres/postmaster.pid'), `${process.pid}\n${folder}/postgres\n`)
  await startWithFakeServer(folder, await findFreePort()).waitUntilReady()
})

test('a folder whose path is too long for a socket', async () => {
  const folder = join(makeLauncherRunFolder(), 'a folder, with "everything"'.repeat(5))
  const run = startWithFakeServer(folder, await findFreePort())
  const { config } = await getServerInfo(await run.waitUntilReady())
  const sockets = [String(config.database!.hostname), dirname(String(config.redis!.socket))]
  run.child.kill('SIGTERM')
  expect(await run.ended).toBe('exit 0')
  for (const path of sockets) {
    expect(path).not.toContain(folder)
    expect(statSync(path).mode & 0o777).toBe(0o700)
    rmSync(path, { recursive: true })
  }
})
