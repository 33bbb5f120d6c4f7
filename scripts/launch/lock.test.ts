import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { acquireLockFile } from './lock.ts'
import { identifyProcess } from './process.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bobine-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a lock is held until it is released', () => {
  const file = join(folder, 'deep', 'lock')
  const release = acquireLockFile(file)
  expect(release).toBeTypeOf('function')
  expect(acquireLockFile(file)).toBe(process.pid)
  ;(release as () => void)()
  expect(acquireLockFile(file)).toBeTypeOf('function')
  expect(readdirSync(join(folder, 'deep'))).toEqual(['lock'])
})

test.each([
  ['a process that is gone', { pid: 2 ** 22 - 1, born: 'once' }],
  ['another process that got the pid', { pid: process.pid, born: 'once' }],
  ['nobody, being damaged', 'x']
])('a lock of %s is free', (_, content) => {
  const file = join(folder, 'lock')
  writeFileSync(file, JSON.stringify(content))
  expect(acquireLockFile(file)).toBeTypeOf('function')
  expect(acquireLockFile(file)).toBe(process.pid)
})

test('of many processes that find the same stale lock exactly one acquires it', async () => {
  const file = join(folder, 'lock')
  for (let round = 0; round < 3; round++) {
    writeFileSync(file, JSON.stringify({ pid: 2 ** 22 - 1, born: 'once' }))
    const goFile = join(folder, `go${round}`)
    const program = `
      import { existsSync } from 'node:fs'
      const { acquireLockFile } = await import(${JSON.stringify(join(import.meta.dirname, 'lock.ts'))})
      console.log('here')
      while (!existsSync(${JSON.stringify(goFile)}));
      console.log(typeof acquireLockFile(${JSON.stringify(file)}))
      process.stdin.resume()`
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], { stdio: ['pipe', 'pipe', 'inherit'] })
    )
    const outputs = children.map(child => {
      const output = { text: '' }
      child.stdout.on('data', data => (output.text += String(data)))
      return output
    })
    await expect.poll(() => outputs.filter(({ text }) => text.includes('here')).length, { timeout: 30_000 }).toBe(6)
    writeFileSync(goFile, '')
    await expect.poll(() => outputs.filter(({ text }) => /function|number/.test(text)).length, { timeout: 30_000 }).toBe(6)
    expect(outputs.filter(({ text }) => text.includes('function'))).toHaveLength(1)
    for (const child of children) child.stdin.end()
    await Promise.all(children.map(child => new Promise(resolve => child.once('exit', resolve))))
  }
  expect(existsSync(file)).toBe(true)
}, 60_000)

test('the identity of a process matches that process only', () => {
  expect(identifyProcess(process.pid)).toEqual(identifyProcess(process.pid))
  expect(identifyProcess(process.pid)!.born).not.toBe(identifyProcess(process.ppid)!.born)
  expect(identifyProcess(2 ** 22 - 1)).toBeUndefined()
})
