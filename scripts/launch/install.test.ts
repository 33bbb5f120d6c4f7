import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensurePrograms, installInstructions } from './install.ts'
import { findOnPath, findPostgresFolder, findRedisProgram } from './programs.ts'
import { CliError } from './cli-error.ts'
import type { StepRunner } from './step.ts'

// PATH contains only what a test writes into this folder.
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bobine-path-'))
  const tools = ['env', 'sh', 'touch', 'chmod'].map(name => [name, findOnPath(name)!] as const)
  vi.stubEnv('PATH', folder)
  vi.stubEnv('DEBIAN_FRONTEND', '')
  for (const [name, path] of tools) symlinkSync(path, join(folder, name))
  writeProgram('sudo', '[ "$1" = -n ] && shift; exec "$@"')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

function writeProgram(name: string, body: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`)
  chmodSync(join(folder, name), 0o755)
}

const runSilently: StepRunner = async (_, act) => await act()

test('does nothing when nothing is missing', async () => {
  writeProgram('apt-get', 'echo called >> "$PATH/log"')
  for (const name of ['ffmpeg', 'ffprobe', 'redis-server']) writeProgram(name, '')
  await ensurePrograms(['ffmpeg', 'redis'], runSilently)
  expect(() => readFileSync(join(folder, 'log'))).toThrow()
})

test('installs only missing programs through apt', async () => {
  writeProgram(
    'apt-get',
    'echo "$DEBIAN_FRONTEND:$*" >> "$PATH/log"; [ "$1" = update ] || for n in ffmpeg ffprobe; do touch "$PATH/$n"; chmod +x "$PATH/$n"; done'
  )
  writeProgram('valkey-server', '')
  const steps: string[] = []
  await ensurePrograms(['ffmpeg', 'redis'], async (name, act) => {
    steps.push(name)
    return await act()
  })
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe(':update -q\nnoninteractive:install -q -y --no-install-recommends ffmpeg\n')
  expect(steps).toEqual(['Installing ffmpeg'])
  expect(findRedisProgram()).toBe(join(folder, 'valkey-server'))
})

test.each([
  ['apt fails', 'exit 100'],
  ['apt installs nothing', 'exit 0']
])('when %s, the error says what to install', async (_, body) => {
  writeProgram('apt-get', body)
  await expect(ensurePrograms(['ffmpeg'], runSilently)).rejects.toThrow(CliError)
  await expect(ensurePrograms(['ffmpeg'], runSilently)).rejects.toThrow(/sudo apt-get install ffmpeg/)
})

test('shows the output of apt where it fails, and names its log', async () => {
  writeProgram('apt-get', 'echo "E: no such package" >&2; exit 100')
  await expect(ensurePrograms(['ffmpeg'], runSilently)).rejects.toThrow(
    /E: no such package\n'apt-get update -q' failed\. All of it is in .*dist\/apt\.log\./
  )
})

test('without apt the error says what to install on Debian, Fedora and macOS', async () => {
  const attempt = async () => await ensurePrograms(['ffmpeg', 'redis'], runSilently)
  await expect(attempt()).rejects.toThrow(CliError)
  await expect(attempt()).rejects.toThrow(/Bobine needs ffmpeg, redis\./)
  await expect(attempt()).rejects.toThrow(/Debian, Ubuntu: {2}sudo apt-get install ffmpeg redis-server\n/)
  await expect(attempt()).rejects.toThrow(/Fedora: {10}sudo dnf install ffmpeg valkey .*RPM Fusion/)
  await expect(attempt()).rejects.toThrow(/macOS: {11}brew install ffmpeg redis/)
  expect(installInstructions(['postgresql'])).toMatch(/postgresql-server postgresql-contrib/)
})

test.runIf(process.getuid!() !== 0)('installs nothing where sudo would ask for a password', async () => {
  writeProgram('sudo', 'exit 1')
  writeProgram('apt-get', 'echo called >> "$PATH/log"')
  await expect(ensurePrograms(['ffmpeg'], runSilently)).rejects.toThrow(/Bobine needs ffmpeg/)
  expect(() => readFileSync(join(folder, 'log'))).toThrow()
})

test('finds programs by name, and Postgres by the version that created the data', () => {
  expect(findOnPath('no-such-program')).toBeUndefined()
  for (const name of ['initdb', 'postgres']) writeProgram(name, 'echo "postgres (PostgreSQL) 99.1 (Debian)"')
  expect(findPostgresFolder()).toBe(folder)
  expect(findPostgresFolder('99')).toBe(folder)
  expect(() => findPostgresFolder('98')).toThrow(/made by PostgreSQL 98, but only .*99.* is installed: install postgresql-98/)
})
