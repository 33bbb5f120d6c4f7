import { expect, it } from 'vitest'
import { parseIsoDuration } from './iso-duration.ts'

const MAX = 2 ** 31 - 1

it.each([
  ['PT42S', 42],
  ['PT1M2S', 62],
  ['PT1H', 3600],
  ['PT1H2M3.5S', 3723.5],
  ['PT0,5M', 30],
  ['P1D', 86_400],
  ['P1DT1S', 86_401],
  ['P2W', 1_209_600],
  ['P0Y0M0DT0H1M0S', 60],
  ['pt5s', 5],
  ['+PT5S', 5],
  ['PT90M', 5400],
  ['PT999999999999S', MAX],
  ['P0000-00-01T01:00:00', 90_000],
  ['P00000001T010000', 90_000],
  ['PT0S', 0]
])('%s lasts %d seconds', (text, seconds) => expect(parseIsoDuration(text, MAX)).toBe(seconds))

it.each(['', 'P', 'PT', 'T5S', '5', '-PT5S', 'PT-5S', 'P5S', 'PT5', 'PT5S5M', 'PT1.5.5S', '00:05', `PT${'9'.repeat(200)}S`])(
  '%s is no duration',
  text => expect(parseIsoDuration(text, MAX)).toBeNull()
)
