import { expect, test } from 'vitest'
import type { TestFileResult } from './results.ts'
import { mergeTestTimes, formatTestTimes, type RunPhase } from './times.ts'

const file = (path: string, seconds: number): TestFileResult => ({ path, seconds, passed: 1, skipped: 0, failed: [], secondTries: [] })
const phases = (to: number): RunPhase[] => [
  { name: 'services', from: 0, to: 2.5 },
  { name: 'tests', from: 2.5, to }
]

test('lists the time of every file by folder, the ten slowest, then the phases', () => {
  const results = Array.from({ length: 12 }, (_, index) => file(`server/core/f${index}.test.ts`, index))
  const lines = formatTestTimes([...results, file('shared/short-uuid.test.ts', 0.04)], phases(90), 0.873, { 'server/core/f11.test.ts': 4 })
  expect(lines).toContain('  shared: short-uuid 0.0')
  expect(lines.find(line => line.startsWith('  server/core: '))).toContain('f0 0.0, f1 1.0, f10 10.0, f11 11.0, f2 2.0')
  const slowest = lines.slice(lines.indexOf('The slowest files') + 1, lines.indexOf('Phases') - 1)
  expect(slowest).toHaveLength(10)
  expect(slowest[0]).toBe('    11.0  server/core/f11.test.ts (4.0 when last written down)')
  expect(lines.slice(lines.indexOf('Phases') + 1)).toEqual([
    '     2.5  services (from 0 to 3)',
    '    87.5  tests (from 3 to 90)',
    '    90.0  all, the processors 87% busy'
  ])
})

test('a run over twenty minutes lists the files that grew, and new ones', () => {
  const results = [file('a.test.ts', 100), file('b.test.ts', 12), file('c.test.ts', 4), file('d.test.ts', 30)]
  const before = { 'a.test.ts': 90, 'b.test.ts': 5, 'c.test.ts': 1 }
  expect(formatTestTimes(results, phases(1199), 1, before).join('\n')).not.toContain('the limit')
  const lines = formatTestTimes(results, phases(1260), 1, before)
  expect(lines.slice(-3)).toEqual([
    'This run took 21.0 minutes, the limit is 20. Files that grew:',
    '  d.test.ts: new, now 30.0',
    '  b.test.ts: 5.0, now 12.0'
  ])
  expect(formatTestTimes(results.slice(0, 1), phases(1260), 1, before).at(-1)).toBe('  none: the machine was slower')
})

test('a run of some files keeps the times of the others, and drops removed files', () => {
  expect(
    mergeTestTimes(
      { 'a.test.ts': 1, 'b.test.ts': 2, 'gone.test.ts': 3 },
      [file('b.test.ts', 4.26), file('(outside of the tests)', 0)],
      ['b.test.ts', 'a.test.ts', 'new.test.ts']
    )
  ).toEqual({ 'a.test.ts': 1, 'b.test.ts': 4.3 })
})
