import { expect, test } from 'vitest'
import { parseRemoteDate } from './dates.ts'

test.each([
  '-200000-01-01T00:00:00Z',
  '-004800-01-01T00:00:00Z',
  '0000-01-01T00:00:00Z',
  '+010000-01-01T00:00:00Z',
  '9999-12-31T23:59:59-01:00',
  'never',
  '',
  `2026-11-01T00:00:00Z${' '.repeat(60)}`,
  5,
  null,
  undefined,
  {},
  ['2026-11-01T00:00:00Z']
])('%j is no date', value => {
  expect(parseRemoteDate(value)).toBeNull()
})
test.each(['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', '2026-11-01T00:00:00.000+01:00', '2026-11-01'])('%j is a date', value => {
  expect(parseRemoteDate(value)).toEqual(new Date(value))
})
