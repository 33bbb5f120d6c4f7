import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestFileResult } from './results.ts'

/** Seconds by the path of a test file. */
export type TestTimes = Record<string, number>
/** A part of a run, from `from` to `to` (seconds since its beginning). */
export interface RunPhase {
  name: string
  from: number
  to: number
}

/** What each test file took when it was last written down (`scripts/test --keep-times`). */
const TIMES_FILE = fileURLToPath(new URL('./times.json', import.meta.url))

/** A run that takes longer (seconds) names the files that grew. */
const LONGEST_RUN = 20 * 60
const SLOWEST_NAMED = 10
/** A file has grown when it takes so many times as long as it did, and so many seconds longer. */
const GROWN = { times: 1.5, seconds: 5 }

/** The times that were written down; none where there are none. */
export function readTestTimes(): TestTimes {
  return existsSync(TIMES_FILE) ? (JSON.parse(readFileSync(TIMES_FILE, 'utf8')) as TestTimes) : {}
}

/** Writes down the times of a run; files of the project that were not run keep theirs. */
export function writeTestTimes(results: TestFileResult[], paths: string[]): void {
  writeFileSync(TIMES_FILE, `${JSON.stringify(mergeTestTimes(readTestTimes(), results, paths), null, 2)}\n`)
}

/** The times of `paths`, in their order by name: those of the run, or those from before. */
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
 * The lines at the end of a run: the time of every file by folder, the ten slowest, the phases, and the files that grew where the run took
 * too long.
 */
export function formatTestTimes(results: TestFileResult[], phases: RunPhase[], busy: number, before: TestTimes): string[] {
  const total = Math.max(0, ...phases.map(({ to }) => to))
  const slowest = [...results].sort((a, b) => b.seconds - a.seconds)
  const lines = ['', 'Seconds of every file', ...byFolder(results), '', 'The slowest files']
  lines.push(
    ...slowest
      .slice(0, SLOWEST_NAMED)
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
  lines.push(`  ${total.toFixed(1).padStart(6)}  all, the processors ${Math.round(busy * 100)}% busy`)
  if (total > LONGEST_RUN) {
    lines.push('', `This run took ${(total / 60).toFixed(1)} minutes, the limit is ${LONGEST_RUN / 60}. Files that grew:`)
    const grown = slowest.filter(
      ({ path, seconds }) => seconds > (before[path] ?? 0) * GROWN.times && seconds > (before[path] ?? 0) + GROWN.seconds
    )
    lines.push(
      ...grown.map(
        ({ path, seconds }) => `  ${path}: ${before[path] === undefined ? 'new' : before[path].toFixed(1)}, now ${seconds.toFixed(1)}`
      )
    )
    if (grown.length === 0) lines.push('  none: the machine was slower')
  }
  return lines
}

function byFolder(results: TestFileResult[]): string[] {
  const folders = new Map<string, string[]>()
  for (const { path, seconds } of [...results].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const folder = dirname(path)
    folders.set(folder, [...(folders.get(folder) ?? []), `${basename(path, '.test.ts')} ${seconds.toFixed(1)}`])
  }
  return [...folders].map(([folder, files]) => `  ${folder}: ${files.join(', ')}`)
}
