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

/** The browser goes before other work, which then uses what it leaves of the processors. */
const NICE_BESIDE_BROWSER = 5
/** Vitest's processes by whether they drive a browser, which needs more than one processor itself. */
const WORKERS = { browser: clamp(Math.floor(cpus().length / 3), 1, 2), other: clamp(cpus().length - 1, 2, 6) }

/** What one of the checks found. */
interface Count {
  passed: number
  failed: number
}

const began = Number(process.env.BOBINE_TEST_BEGAN ?? Date.now() / 1000)
const elapsed = () => Date.now() / 1000 - began
const phases: RunPhase[] = []
const idleBefore = idle()
// Ctrl-C reaches the children too; their own clean-up decides when this ends.
process.once('SIGINT', () => {})

const { values: options, positionals: words } = commandLine()
const all = listTestFiles()
const chosen = all.filter(
  ({ path, kind }) => (!options.unit || kind === 'unit') && (words.length === 0 || words.some(word => path.includes(word)))
)
if (chosen.length === 0) finish([{ passed: 0, failed: 1 }], [`No test file's path contains ${words.join(' or ')}`])

if (elapsed() > 1) phases.push({ name: 'packages', from: 0, to: elapsed() })
const services = await timed('programs and services', async () => {
  await ensurePrograms(programsOf(chosen), runStep)
  if (!chosen.some(({ kind }) => kind === 'server' || kind === 'browser')) return null
  // What needs nothing but Node need not wait for the server's libraries either.
  const { startTestServices } = await import('../../server/test/services.ts')
  return await startTestServices()
}).catch(error => finish([{ passed: 0, failed: 1 }], [error instanceof CliError ? error.message : String(error.stack)]))
const checks = [
  check('Types', ['node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false'], /error TS\d+/g),
  check('Style', ['node_modules/oxlint/bin/oxlint', '--format', 'unix'], /\[Error\/|: error/gi),
  // Prints the files that `npm run format` would change.
  check('Format', ['node_modules/oxfmt/bin/oxfmt', '--list-different'], /^\S+\.\w+$/gm)
]
// Tests that need the build wait for it (server/test/ensure-built.ts), the others begin.
if (chosen.some(({ build }) => build)) checks.push(check('Build', ['--import', 'tsx', 'scripts/build.ts'], /^Build failed/gm))
const results = (
  await Promise.all([
    lane(
      'tests without a browser',
      chosen.filter(({ kind }) => kind !== 'browser'),
      services
    ),
    lane(
      'tests with a browser',
      chosen.filter(({ kind }) => kind === 'browser'),
      services
    )
  ])
).flat()
await services?.stop()
const counts = await Promise.all(checks)

const count = { passed: sum(results, ({ passed }) => passed), failed: sum(results, ({ failed }) => failed.length) }
const secondTries = results.flatMap(({ path, secondTries }) =>
  secondTries.map(({ name, message }) => `Passed only the second time: ${path}: ${name} (${message})`)
)
const notes = [...formatTestTimes(results, phases, busy(), readTestTimes()), '', ...secondTries]
if (secondTries.length > MAX_RETRIED_TESTS) {
  notes.push(`${secondTries.length} tests needed a second try; more than ${MAX_RETRIED_TESTS} fail the run.`)
  count.failed++
}
notes.push(...results.flatMap(({ path, failed }) => failed.map(({ name, message }) => `Failed: ${path}: ${name} (${message})`)))
if (options['keep-times'])
  writeTestTimes(
    results,
    all.map(({ path }) => path)
  )
finish([...counts, count], notes)

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

function programsOf(files: TestFile[]): SystemProgram[] {
  const NEEDED: Record<TestKind, SystemProgram[]> = {
    unit: [],
    media: ['ffmpeg'],
    server: ['ffmpeg', 'redis', 'postgresql'],
    browser: ['ffmpeg', 'redis', 'postgresql', 'chromium']
  }
  return [...new Set(files.flatMap(({ kind }) => NEEDED[kind]))]
}

/** One check of the whole project: passes as one, fails as often as it found something wrong. */
async function check(name: string, parameters: string[], fault: RegExp): Promise<Count> {
  const { code, output } = await timed(name.toLowerCase(), async () => await node(parameters))
  if (code !== 0) console.log(output.trim())
  const failed = code === 0 ? 0 : Math.max(1, output.match(fault)?.length ?? 0)
  console.log(failed === 0 ? `${name}: in order` : `${name}: ${failed} wrong`)
  return { passed: failed === 0 ? 1 : 0, failed }
}

/** Runs test files in a vitest of their own. */
async function lane(name: string, files: TestFile[], services: RunningTestServices | null): Promise<TestFileResult[]> {
  if (files.length === 0) return []
  const folder = mkdtempSync(join(tmpdir(), 'bobine-results-'))
  const file = join(folder, 'results.json')
  const browser = files[0]!.kind === 'browser'
  const workers = browser ? WORKERS.browser : WORKERS.other
  try {
    const env = { ...process.env, BOBINE_TEST_RESULTS: file, VITEST_MAX_WORKERS: String(workers), ...services?.environment }
    const { code } = await timed(
      name,
      async () =>
        await node(
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
    if (code !== 0 && results.every(({ failed }) => failed.length === 0)) results.push(notRun(name, `vitest ended with ${code}`))
    return results
  } catch (error) {
    return [notRun(name, (error as Error).message)]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function notRun(name: string, message: string): TestFileResult {
  return { path: name, seconds: 0, passed: 0, skipped: 0, failed: [{ name: '(all)', message }], secondTries: [] }
}

function node(
  parameters: string[],
  { shown = false, env = process.env, nice = 0 }: { shown?: boolean; env?: NodeJS.ProcessEnv; nice?: number } = {}
): Promise<{ code: number | null; output: string }> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, parameters, {
      cwd: root,
      env,
      stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe']
    })
    if (nice > 0 && child.pid !== undefined) setPriority(child.pid, nice)
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', data => (output += String(data)))
    child.once('close', code => resolve({ code, output }))
  })
}

async function timed<T>(name: string, act: () => Promise<T>): Promise<T> {
  const from = elapsed()
  try {
    return await act()
  } finally {
    phases.push({ name, from, to: elapsed() })
  }
}

function idle(): { at: number; ms: number } {
  return { at: Date.now(), ms: sum(cpus(), ({ times }) => times.idle) }
}

/** The share of all processors that was used since the beginning. */
function busy(): number {
  const now = idle()
  return 1 - (now.ms - idleBefore.ms) / cpus().length / (now.at - idleBefore.at)
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(most, Math.max(least, value))
}

function sum<T>(list: T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0)
}

function finish(counts: Count[], notes: string[] = []): never {
  for (const note of notes) console.log(note)
  console.log(`${sum(counts, ({ passed }) => passed)} passed, ${sum(counts, ({ failed }) => failed)} failed`)
  process.exit(counts.some(({ failed }) => failed > 0) ? 1 : 0)
}
