import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ensurePrograms, instructions } from './install.ts'
import { onPath, postgresPrograms, redisProgram } from './programs.ts'
import { Refusal } from './refusal.ts'

// A machine with nothing but what a test puts into this folder.
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bobine-path-'))
  const tools = ['env', 'sh', 'touch', 'chmod'].map(name => [name, onPath(name)!] as const)
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

const ignore = () => {}

test('nothing is done when nothing is missing', () => {
  program('apt-get', 'echo called >> "$PATH/log"')
  for (const name of ['ffmpeg', 'ffprobe', 'redis-server']) program(name, '')
  ensurePrograms(['ffmpeg', 'redis'], ignore)
  expect(() => readFileSync(join(folder, 'log'))).toThrow()
})

test('what is missing is installed through apt, and only that', () => {
  program('apt-get', 'echo "$DEBIAN_FRONTEND:$*" >> "$PATH/log"; [ "$1" = update ] || for n in ffmpeg ffprobe; do touch "$PATH/$n"; chmod +x "$PATH/$n"; done')
  program('valkey-server', '')
  const said: string[] = []
  ensurePrograms(['ffmpeg', 'redis'], line => said.push(line))
  expect(readFileSync(join(folder, 'log'), 'utf8')).toBe(':update -q\nnoninteractive:install -q -y --no-install-recommends ffmpeg\n')
  expect(said).toEqual(['Installing ffmpeg'])
  expect(redisProgram()).toBe(join(folder, 'valkey-server'))
})

test.each([
  ['apt fails', 'exit 100'],
  ['apt installs nothing', 'exit 0']
])('when %s, the admin is told what to install', (_, body) => {
  program('apt-get', body)
  expect(() => ensurePrograms(['ffmpeg'], ignore)).toThrow(Refusal)
  expect(() => ensurePrograms(['ffmpeg'], ignore)).toThrow(/sudo apt-get install ffmpeg/)
})

test('without apt the admin is told what to install on Debian, Fedora and macOS', () => {
  const told = () => ensurePrograms(['ffmpeg', 'redis'], ignore)
  expect(told).toThrow(Refusal)
  expect(told).toThrow(/Bobine needs ffmpeg, redis\./)
  expect(told).toThrow(/Debian, Ubuntu: {2}sudo apt-get install ffmpeg redis-server\n/)
  expect(told).toThrow(/Fedora: {10}sudo dnf install ffmpeg valkey .*RPM Fusion/)
  expect(told).toThrow(/macOS: {11}brew install ffmpeg redis/)
  expect(instructions(['postgresql'])).toMatch(/postgresql-server postgresql-contrib/)
})

test.runIf(process.getuid!() !== 0)('where sudo would ask for a password nothing is installed', () => {
  program('sudo', 'exit 1')
  program('apt-get', 'echo called >> "$PATH/log"')
  expect(() => ensurePrograms(['ffmpeg'], ignore)).toThrow(/Bobine needs ffmpeg/)
  expect(() => readFileSync(join(folder, 'log'))).toThrow()
})

test('programs are found by their name; Postgres by the version that made the data', () => {
  expect(onPath('no-such-program')).toBeUndefined()
  for (const name of ['initdb', 'postgres']) program(name, 'echo "postgres (PostgreSQL) 99.1 (Debian)"')
  expect(postgresPrograms()).toBe(folder)
  expect(postgresPrograms('99')).toBe(folder)
  expect(() => postgresPrograms('98')).toThrow(/made by PostgreSQL 98, but only .*99.* is installed: install postgresql-98/)
})
