import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensurePrograms, installInstructions } from './install.ts'
import { findOnPath, findPostgresFolder, findRedisProgram } from './programs.ts'
import { CliError } from './cli-error.ts'
import type { StepRunner } from './step.ts'

// A machine with nothing but what a test puts into this folder.
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bobine-path-'))
  const tools = ['env', 'sh', 'touch', 'chmod'].map(name => [name, findOnPath(name)!] as const)
  vi.stubEnv('PATH', folder)
  vi.stubEnv('DEBIAN_FRONTEND', '')
  for (const [name, path] of tools) symlinkSync(path, join(folder, name))
  program('sudo', '[ "$1" = -n ] && shift; exec "$@"')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function program(name: string, body: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`)
  chmodSync(join(folder, name), 0o755)
}

const quietly: StepRunner = async (_, act) => await act()

test('nothing is done when nothing is missing', async () => {
  program('apt-get', 'echo called >> "$PATH/log"')
  for (const name of ['ffmpeg', 'ffprobe', 'redis-server']) program(name, '')
  await ensurePrograms(['ffmpeg', 'redis'], quietly)
  expect(() => readFileSync(join(folder, 'log'))).toThrow()
})

test('what is missing is installed through apt, and only that', async () => {
  program(
    'apt-get',
    'echo "$DEBIAN_FRONTEND:$*" >> "$PATH/log"; [ "$1" = update ] || for n in ffmpeg ffprobe; do touch "$PATH/$n"; chmod +x "$PATH/$n"; done'
  )
  program('valkey-server', '')
  const said: string[] = []
  await ensurePrograms(['ffmpeg', 'redis'], async (name, act) => {
    said.push(name)
    return await act()
  })
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe(':update -q\nnoninteractive:install -q -y --no-install-recommends ffmpeg\n')
  expect(said).toEqual(['Installing ffmpeg'])
  expect(findRedisProgram()).toBe(join(folder, 'valkey-server'))
})

test.each([
  ['apt fails', 'exit 100'],
  ['apt installs nothing', 'exit 0']
])('when %s, the admin is told what to install', async (_, body) => {
  program('apt-get', body)
  await expect(ensurePrograms(['ffmpeg'], quietly)).rejects.toThrow(CliError)
  await expect(ensurePrograms(['ffmpeg'], quietly)).rejects.toThrow(/sudo apt-get install ffmpeg/)
})

test('what apt said is shown where it fails, and its log is named', async () => {
  program('apt-get', 'echo "E: no such package" >&2; exit 100')
  await expect(ensurePrograms(['ffmpeg'], quietly)).rejects.toThrow(
    /E: no such package\n'apt-get update -q' failed\. All of it is in .*dist\/apt\.log\./
  )
})

test('without apt the admin is told what to install on Debian, Fedora and macOS', async () => {
  const told = async () => await ensurePrograms(['ffmpeg', 'redis'], quietly)
  await expect(told()).rejects.toThrow(CliError)
  await expect(told()).rejects.toThrow(/Bobine needs ffmpeg, redis\./)
  await expect(told()).rejects.toThrow(/Debian, Ubuntu: {2}sudo apt-get install ffmpeg redis-server\n/)
  await expect(told()).rejects.toThrow(/Fedora: {10}sudo dnf install ffmpeg valkey .*RPM Fusion/)
  await expect(told()).rejects.toThrow(/macOS: {11}brew install ffmpeg redis/)
  expect(installInstructions(['postgresql'])).toMatch(/postgresql-server postgresql-contrib/)
})

test.runIf(process.getuid!() !== 0)('where sudo would ask for a password nothing is installed', async () => {
  program('sudo', 'exit 1')
  program('apt-get', 'echo called >> "$PATH/log"')
  await expect(ensurePrograms(['ffmpeg'], quietly)).rejects.toThrow(/Bobine needs ffmpeg/)
  expect(() => readFileSync(join(folder, 'log'))).toThrow()
})

test('programs are found by their name; Postgres by the version that made the data', () => {
  expect(findOnPath('no-such-program')).toBeUndefined()
  for (const name of ['initdb', 'postgres']) program(name, 'echo "postgres (PostgreSQL) 99.1 (Debian)"')
  expect(findPostgresFolder()).toBe(folder)
  expect(findPostgresFolder('99')).toBe(folder)
  expect(() => findPostgresFolder('98')).toThrow(/made by PostgreSQL 98, but only .*99.* is installed: install postgresql-98/)
})
