import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { cpus, setPriority, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { RunningTestServices } from '../../server/test/services.ts'
import { ensurePrograms, type SystemProgram } from '../launch/install.ts'
import { CliError } from '../launch/cli-error.ts'
import { runStep } from '../launch/step.ts'
import { listTestFiles, type TestKind, type TestFile } from './test-kinds.ts'
import { MAX_RETRIED_TESTS, type TestFileResult } from './results.ts'
import { writeTestTimes, readTestTimes, formatTestTimes, type RunPhase } from './times.ts'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const HELP = `scripts/test [options] [word ...]
Checks types, style and format, builds, and runs every test, or those whose file's path contains one of the words.
  --unit         only the tests that need nothing but Node: no Postgres, Redis, ffmpeg, browser or build
  --keep-times   writes down what each file took, for the order of the next runs and to tell what grew`

/** The browser has priority; other work uses the remaining processor time. */
const NICE_BESIDE_BROWSER = 5
/** Numbers of vitest workers: a browser needs more than one processor itself. */
const WORKERS = { browser: clamp(Math.floor(cpus().length / 3), 1, 2), other: clamp(cpus().length - 1, 2, 6) }

/** The result of one of the checks. */
interface CheckResult {
  passed: number
  failed: number
}

const startedAt = Number(process.env.BOBINE_TEST_BEGAN ?? Date.now() / 1000)
const elapsed = () => Date.now() / 1000 - startedAt
const phases: RunPhase[] = []
const idleAtStart = readIdleTime()
// The children receive Ctrl-C, too; their own clean-up decides when this process ends.
process.once('SIGINT', () => {})

const { values: options, positionals: pathFilters } = commandLine()
const allFiles = listTestFiles()
const selectedFiles = allFiles.filter(
  ({ path, kind }) => (!options.unit || kind === 'unit') && (pathFilters.length === 0 || pathFilters.some(word => path.includes(word)))
)
if (selectedFiles.length === 0) finish([{ passed: 0, failed: 1 }], [`No test file's path contains ${pathFilters.join(' or ')}`])

if (elapsed() > 1) phases.push({ name: 'packages', from: 0, to: elapsed() })
const services = await timePhase('programs and services', async () => {
  await ensurePrograms(requiredPrograms(selectedFiles), runStep)
  if (!selectedFiles.some(({ kind }) => kind === 'server' || kind === 'browser')) return null
  // Imported here, as unit tests need not wait for the server's libraries.
  const { startTestServices } = await import('../../server/test/services.ts')
  return await startTestServices()
}).catch(error => finish([{ passed: 0, failed: 1 }], [error instanceof CliError ? error.message : String(error.stack)]))
const checks = [
  runCheck('Types', ['node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false'], /error TS\d+/g),
  runCheck('Style', ['node_modules/oxlint/bin/oxlint', '--format', 'unix'], /\[Error\/|: error/gi),
  // Prints the files that `npm run format` would change.
  runCheck('Format', ['node_modules/oxfmt/bin/oxfmt', '--list-different'], /^\S+\.\w+$/gm)
]
// Tests that need the build wait for it (server/test/ensure-built.ts); the others start.
if (selectedFiles.some(({ build }) => build)) checks.push(runCheck('Build', ['--import', 'tsx', 'scripts/build.ts'], /^Build failed/gm))
const results = (
  await Promise.all([
    runVitest(
      'tests without a browser',
      selectedFiles.filter(({ kind }) => kind !== 'browser'),
      services
    ),
    runVitest(
      'tests with a browser',
      selectedFiles.filter(({ kind }) => kind === 'browser'),
      services
    )
  ])
).flat()
await services?.stop()
const counts = await Promise.all(checks)

const testResult = { passed: sum(results, ({ passed }) => passed), failed: sum(results, ({ failed }) => failed.length) }
const secondTries = results.flatMap(({ path, secondTries }) =>
  secondTries.map(({ name, message }) => `Passed only the second time: ${path}: ${name} (${message})`)
)
const notes = [...formatTestTimes(results, phases, processorUsage(), readTestTimes()), '', ...secondTries]
if (secondTries.length > MAX_RETRIED_TESTS) {
  notes.push(`${secondTries.length} tests needed a second try; more than ${MAX_RETRIED_TESTS} fail the run.`)
  testResult.failed++
}
notes.push(...results.flatMap(({ path, failed }) => failed.map(({ name, message }) => `Failed: ${path}: ${name} (${message})`)))
if (options['keep-times'])
  writeTestTimes(
    results,
    allFiles.map(({ path }) => path)
  )
finish([...counts, testResult], notes)

function commandLine() {
  try {
    const parsed = parseArgs({
      allowPositionals: true,
      options: { unit: { type: 'boolean' }, 'keep-times': { type: 'boolean' }, help: { type: 'boolean', short: 'h' } }
    })
    if (!parsed.values.help) return parsed
    console.log(HELP)
    process.exit(0)
  } catch (error) {
    console.error(`${(error as Error).message}\n${HELP}`)
    process.exit(2)
  }
}

function requiredPrograms(files: TestFile[]): SystemProgram[] {
  const PROGRAMS_BY_KIND: Record<TestKind, SystemProgram[]> = {
    unit: [],
    media: ['ffmpeg'],
    server: ['ffmpeg', 'redis', 'postgresql', 'yt-dlp'],
    browser: ['ffmpeg', 'redis', 'postgresql', 'chromium']
  }
  return [...new Set(files.flatMap(({ kind }) => PROGRAMS_BY_KIND[kind]))]
}

/** Runs one check of the whole project; counts as one passed, or as one failed per fault it found. */
async function runCheck(name: string, parameters: string[], faultPattern: RegExp): Promise<CheckResult> {
  const { code, output } = await timePhase(name.toLowerCase(), async () => await runNode(parameters))
  if (code !== 0) console.log(output.trim())
  const failed = code === 0 ? 0 : Math.max(1, output.match(faultPattern)?.length ?? 0)
  console.log(failed === 0 ? `${name}: in order` : `${name}: ${failed} wrong`)
  return { passed: failed === 0 ? 1 : 0, failed }
}

/** Runs test files in a vitest process of their own. */
async function runVitest(name: string, files: TestFile[], services: RunningTestServices | null): Promise<TestFileResult[]> {
  if (files.length === 0) return []
  const folder = mkdtempSync(join(tmpdir(), 'bobine-results-'))
  const file = join(folder, 'results.json')
  const browser = files[0]!.kind === 'browser'
  const workers = browser ? WORKERS.browser : WORKERS.other
  try {
    const env = { ...process.env, BOBINE_TEST_RESULTS: file, VITEST_MAX_WORKERS: String(workers), ...services?.environment }
    const { code } = await timePhase(
      name,
      async () =>
        await runNode(
          [
            'node_modules/vitest/vitest.mjs',
            'run',
            '--reporter=default',
            `--reporter=${join(root, 'scripts/suite/reporter.ts')}`,
            ...files.map(({ path }) => path)
          ],
          { shown: true, env, nice: browser ? 0 : NICE_BESIDE_BROWSER }
        )
    )
    const results = JSON.parse(readFileSync(file, 'utf8')) as TestFileResult[]
    if (code !== 0 && results.every(({ failed }) => failed.length === 0)) results.push(failedRun(name, `vitest ended with ${code}`))
    return results
  } catch (error) {
    return [failedRun(name, (error as Error).message)]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function failedRun(name: string, message: string): TestFileResult {
  return { path: name, seconds: 0, passed: 0, skipped: 0, failed: [{ name: '(all)', message }], secondTries: [] }
}

function runNode(
  parameters: string[],
  { shown: inheritOutput = false, env = process.env, nice = 0 }: { shown?: boolean; env?: NodeJS.ProcessEnv; nice?: number } = {}
): Promise<{ code: number | null; output: string }> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, parameters, {
      cwd: root,
      env,
      stdio: ['ignore', inheritOutput ? 'inherit' : 'pipe', inheritOutput ? 'inherit' : 'pipe']
    })
    if (nice > 0 && child.pid !== undefined) setPriority(child.pid, nice)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', data => (output += String(data)))
    child.once('close', code => resolve({ code, output }))
  })
}

async function timePhase<T>(name: string, action: () => Promise<T>): Promise<T> {
  const from = elapsed()
  try {
    return await action()
  } finally {
    phases.push({ name, from, to: elapsed() })
  }
}

function readIdleTime(): { at: number; ms: number } {
  return { at: Date.now(), ms: sum(cpus(), ({ times }) => times.idle) }
}

/** The share of all processors that was used since the start. */
function processorUsage(): number {
  const now = readIdleTime()
  return 1 - (now.ms - idleAtStart.ms) / cpus().length / (now.at - idleAtStart.at)
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value))
}

function sum<T>(items: T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0)
}

function finish(counts: CheckResult[], notes: string[] = []): never {
  for (const note of notes) console.log(note)
  console.log(`${sum(counts, ({ passed }) => passed)} passed, ${sum(counts, ({ failed }) => failed)} failed`)
  process.exit(counts.some(({ failed }) => failed > 0) ? 1 : 0)
}
