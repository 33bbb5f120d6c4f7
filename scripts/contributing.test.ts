import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
let copy: string

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'bobine-contributing-'))
  for (const path of [
    'server',
    'shared',
    'config',
    'migrations',
    'scripts',
    'client',
    'package.json',
    'tsconfig.json',
    'vitest.config.ts',
    'vite.config.ts'
  ])
    cpSync(join(root, path), join(copy, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
})
afterAll(() => rmSync(copy, { recursive: true, force: true }))

/** Carries out the code blocks below a heading of CONTRIBUTING.md: writes files, and puts lines into lists. */
function carryOut(heading: string): void {
  const [, section = ''] = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8').split(`## ${heading}\n`)
  const blocks = [...section.split(/^## /m)[0]!.matchAll(/^```(ts|diff)\n([^]*?)^```$/gm)]
  expect(blocks.length).toBeGreaterThan(3)
  for (const [, kind, text] of blocks) {
    const lines = text!.split('\n').slice(0, -1)
    if (kind === 'diff') addLines(join(copy, lines[0]!), lines.slice(1))
    else {
      const file = join(copy, lines[0]!.replace('// ', ''))
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, `${lines.slice(1).join('\n')}\n`)
    }
  }
}

/** `+` lines go before the next line that is there already, or, at the end, behind the last one. */
function addLines(file: string, changes: string[]): void {
  const lines = readFileSync(file, 'utf8').split('\n')
  const place = (line: string | undefined) => {
    const index = line === undefined ? -1 : lines.findIndex(one => one.replace(/,$/, '') === line.slice(1).replace(/,$/, ''))
    if (line !== undefined) expect(index, `${file} has the line ${line}`).toBeGreaterThanOrEqual(0)
    return index
  }
  changes.forEach((change, index) => {
    if (!change.startsWith('+')) return
    const before = changes[index - 1]
    const at = before?.startsWith(' ') ? place(before) + 1 : place(changes[index + 1])
    // The last entry of a list has no comma.
    if (at > 0 && /['\w)\]]$/.test(lines[at - 1]!) && /^\s+'/.test(lines[at - 1]!)) lines[at - 1] += ','
    lines.splice(at, 0, change.slice(1))
  })
  writeFileSync(file, lines.join('\n'))
}

function run(...parameters: string[]): { status: number | null; output: string } {
  const environment = { ...process.env, BOBINE_TEST_SERVICES: JSON.stringify({ postgres: inject('postgres'), redis: inject('redis') }) }
  const { status, stdout, stderr } = spawnSync(process.execPath, parameters, { cwd: copy, env: environment, encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

test('whoever follows "How to add a route" has a route that compiles, stands in its layer, and answers', () => {
  carryOut('How to add a route')
  // The whole project is checked elsewhere.
  writeFileSync(
    join(copy, 'tsconfig.archive.json'),
    JSON.stringify({ extends: './tsconfig.json', include: ['server/archive/*.routes.ts'] })
  )
  expect(run('node_modules/typescript/bin/tsc', '--noEmit', '--pretty', 'false', '-p', 'tsconfig.archive.json')).toEqual({
    status: 0,
    output: ''
  })
  const tests = run(
    'node_modules/vitest/vitest.mjs',
    'run',
    'server/archive/archive.test.ts',
    'server/architecture.test.ts',
    'server/instance/openapi.test.ts'
  )
  expect(tests.output).toMatch(/Test Files .*3 passed/)
  expect(tests.status).toBe(0)
})
