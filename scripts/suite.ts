import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ensurePrograms } from './launch/install.ts'
import { Refusal } from './launch/refusal.ts'
import { step } from './launch/step.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What one of the checks found. */
interface Count { passed: number, failed: number }

/** The part of vitest's JSON report that is read here. */
interface Report { numPassedTests: number, numFailedTests: number, testResults: { name: string, status: string, assertionResults: { status: string, fullName: string, failureMessages: string[] }[] }[] }

try {
  await ensurePrograms(['ffmpeg', 'redis', 'postgresql', 'chromium'], step)
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error)
  finish([{ passed: 0, failed: 1 }])
}
const checks = await Promise.all([
  check('Types', ['node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false'], /error TS\d+/g),
  check('Lint', ['node_modules/oxlint/bin/oxlint', '--format', 'unix'], /\[Error\/|: error/gi)
])
const build = await check('Build', ['--import', 'tsx', 'scripts/build.ts'], /^Build failed/gm)
const { notes, ...count } = await tests(process.argv.slice(2))
for (const note of notes) console.log(note)
finish([...checks, build, count])

/** One check of the whole project: passes as one, fails as often as it found something wrong. */
async function check(name: string, parameters: string[], fault: RegExp): Promise<Count> {
  const { code, output } = await node(parameters)
  if (code !== 0) console.log(output.trim())
  const failed = code === 0 ? 0 : Math.max(1, output.match(fault)?.length ?? 0)
  console.log(failed === 0 ? `${name}: in order` : `${name}: ${failed} wrong`)
  return { passed: failed === 0 ? 1 : 0, failed }
}

/** The tests whose file's path contains one of the filters, or all. The notes name what failed at all, and what failed at first. */
async function tests(filters: string[]): Promise<Count & { notes: string[] }> {
  const folder = mkdtempSync(join(tmpdir(), 'bobine-report-'))
  try {
    const file = join(folder, 'report.json')
    const { code } = await node(['node_modules/vitest/vitest.mjs', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${file}`, ...filters], true)
    const report = JSON.parse(readFileSync(file, 'utf8')) as Report
    // A file that does not even load has no tests to fail.
    const broken = report.testResults.filter(result => result.status === 'failed' && result.assertionResults.length === 0)
    const failed = report.numFailedTests + broken.length
    const notes = report.testResults.flatMap(result => result.assertionResults).filter(({ failureMessages }) => failureMessages.length > 0)
      .map(({ status, fullName, failureMessages }) => `${status === 'passed' ? 'Passed only the second time' : 'Failed'}: ${fullName} (${failureMessages[0]!.split('\n')[0]})`)
    return { passed: report.numPassedTests, failed: code === 0 ? failed : Math.max(1, failed), notes: [...notes, ...broken.map(({ name }) => `Failed to load: ${name}`)] }
  } catch (error) {
    return { passed: 0, failed: 1, notes: [(error as Error).message] }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function node(parameters: string[], shown = false): Promise<{ code: number | null, output: string }> {
  return new Promise(resolve => {
    const child = spawn(process.execPath, parameters, { cwd: root, stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', data => output += String(data))
    // Ctrl-C reaches the child too; its own clean-up decides when this ends.
    process.once('SIGINT', () => {})
    child.once('close', code => resolve({ code, output }))
  })
}

function finish(counts: Count[]): never {
  const sum = (key: keyof Count) => counts.reduce((total, count) => total + count[key], 0)
  console.log(`${sum('passed')} passed, ${sum('failed')} failed`)
  process.exit(sum('failed') === 0 ? 0 : 1)
}
