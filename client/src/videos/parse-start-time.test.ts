import { expect, test } from 'vitest'
import { parseStartTime } from './parse-start-time.ts'

test.each([
  ['90', 90],
  ['90s', 90],
  ['1m30s', 90],
  ['1h2m3s', 3723],
  ['2m', 120],
  ['1:30', 90],
  ['1:02:03', 3723],
  ['0', undefined],
  ['', undefined],
  [undefined, undefined],
  [null, undefined],
  ['-5', undefined],
  ['1e9', undefined],
  ['now', undefined],
  ['1:2:3:4', undefined]
])('the start time %s is %s seconds', (text, seconds) => {
  expect(parseStartTime(text)).toBe(seconds)
})
