import { expect, test } from 'vitest'
import { quotaBytes, quotaText } from './quota.ts'

test('quotas are written in gigabytes, and nothing is no limit', () => {
  expect([-1, 0, 1e9, 1_500_000_000, 53_687_091_200].map(quotaText)).toEqual(['', '0', '1', '1.5', '53.6870912'])
  expect(['', ' ', '0', '1', '1.5', '1,5', '53.6870912'].map(quotaBytes)).toEqual([
    -1, -1, 0, 1e9, 1_500_000_000, 1_500_000_000, 53_687_091_200
  ])
  expect(['-1', 'a', '1 GB', 'Infinity', '1.2.3'].map(quotaBytes)).toEqual([null, null, null, null, null])
})
