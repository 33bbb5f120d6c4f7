import { expect, test } from 'vitest'
import { parseQuotaInput, formatQuotaInput } from './quota.ts'

test('quotas are converted between bytes and gigabytes; an empty field is no limit', () => {
  expect([-1, 0, 1e9, 1_500_000_000, 53_687_091_200].map(formatQuotaInput)).toEqual(['', '0', '1', '1.5', '53.6870912'])
  expect(['', ' ', '0', '1', '1.5', '1,5', '53.6870912'].map(parseQuotaInput)).toEqual([
    -1, -1, 0, 1e9, 1_500_000_000, 1_500_000_000, 53_687_091_200
  ])
  expect(['-1', 'a', '1 GB', 'Infinity', '1.2.3'].map(parseQuotaInput)).toEqual([null, null, null, null, null])
})
