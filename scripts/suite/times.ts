import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestFileResult } from './results.ts'

/** Seconds by the path of a test file. */
export type TestTimes = Record<string, number>
/** A phase of a run, `from` and `to` in seconds since its start. */
export interface RunPhase {
  name: string
  from: number
  to: number
}

/** The recorded times of the test files (`scripts/test --keep-times`). */
const TIMES_FILE = fileURLToPath(new URL('./times.json', import.meta.url))

/** A longer run (seconds) lists the files that grew. */
const MAX_RUN_SECONDS = 20 * 60
const SLOWEST_LISTED = 10
/** A file has grown when its time is at least `times` as long and `seconds` longer than recorded. */
const GROWTH_LIMIT = { times: 1.5, seconds: 5 }

/** Returns the recorded times; empty where there are none. */
export function readTestTimes(): TestTimes {
  return existsSync(TIMES_FILE) ? (JSON.parse(readFileSync(TIMES_FILE, 'utf8')) as TestTimes) : {}
}

/** Records the times of a run; files of the project that were not run keep theirs. */
export function writeTestTimes(results: TestFileResult[], paths: string[]): void {
  writeFileSync(TIMES_FILE, `${JSON.stringify(mergeTestTimes(readTestTimes(), results, paths), null, 2)}\n`)
}

/** The times of `paths`, sorted by path: those of the run, or the earlier ones. */
export function mergeTestTimes(before: TestTimes, results: TestFileResult[], paths: string[]): TestTimes {
  const times: TestTimes = { ...before, ...Object.fromEntries(results.map(({ path, seconds }) => [path, Number(seconds.toFixed(1))])) }
  return Object.fromEntries(
    [...paths]
      .sort()
      .filter(path => times[path] !== undefined)
      .map(path => [path, times[path]!])
  )
}

/**
 * The lines at the end of a run: the time of every file by folder, the ten slowest files, the phases, and the files that grew where the run
 * took too long.
 */
export function formatTestTimes(results: TestFileResult[], phases: RunPhase[], processorUsage: number, before: TestTimes): string[] {
  const total = Math.max(0, ...phases.map(({ to }) => to))
  const slowest = [...results].sort((a, b) => b.seconds - a.seconds)
  const lines = ['', 'Seconds of every file', ...formatByFolder(results), '', 'The slowest files']
  lines.push(
    ...slowest
      .slice(0, SLOWEST_LISTED)
      .map(
        ({ path, seconds }) =>
          `  ${seconds.toFixed(1).padStart(6)}  ${path}${before[path] === undefined ? '' : ` (${before[path].toFixed(1)} when last written down)`}`
      )
  )
  lines.push(
    '',
    'Phases',
    ...phases.map(({ name, from, to }) => `  ${(to - from).toFixed(1).padStart(6)}  ${name} (from ${from.toFixed(0)} to ${to.toFixed(0)})`)
  )
  lines.push(`  ${total.toFixed(1).padStart(6)}  all, the processors ${Math.round(processorUsage * 100)}% busy`)
  if (total > MAX_RUN_SECONDS) {
    lines.push('', `This run took ${(total / 60).toFixed(1)} minutes, the limit is ${MAX_RUN_SECONDS / 60}. Files that grew:`)
    const grownFiles = slowest.filter(
      ({ path, seconds }) => seconds > (before[path] ?? 0) * GROWTH_LIMIT.times && seconds > (before[path] ?? 0) + GROWTH_LIMIT.seconds
    )
    lines.push(
      ...grownFiles.map(
        ({ path, seconds }) => `  ${path}: ${before[path] === undefined ? 'new' : before[path].toFixed(1)}, now ${seconds.toFixed(1)}`
      )
    )
    if (grownFiles.length === 0) lines.push('  none: the machine was slower')
  }
  return lines
}

function formatByFolder(results: TestFileResult[]): string[] {
  const folders = new Map<string, string[]>()
  for (const { path, seconds } of [...results].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const folder = dirname(path)
    folders.set(folder, [...(folders.get(folder) ?? []), `${basename(path, '.test.ts')} ${seconds.toFixed(1)}`])
  }
  return [...folders].map(([folder, files]) => `  ${folder}: ${files.join(', ')}`)
}
