import { beforeAll, expect, test } from 'vitest'
import { config, loadConfig } from './config.ts'
import { paging } from './paging.ts'
import { Problem } from './problem.ts'

beforeAll(() => {
  loadConfig({ overrides: { pagination: { count: 15, max_count: 100, max_start: 1000 } } })
})

test('a query without paging gets the default page', () => {
  expect(paging({})).toEqual({ start: 0, count: 15 })
  expect(paging({ start: 30, count: 0 })).toEqual({ start: 30, count: 0 })
  expect(paging({ start: 1000, count: 100 })).toEqual({ start: 1000, count: 100 })
})

test('a start or count beyond its bound is refused with the name of the parameter', () => {
  expect(problemOf(() => paging({ count: 101 }))).toMatchObject({
    status: 400,
    message: 'Incorrect request parameters: count',
    extra: { 'invalid-params': { count: { value: '101', msg: 'Should have a number count (max: 100)', location: 'query' } } }
  })
  expect(problemOf(() => paging({ start: config.pagination.max_start + 1, count: 101 })).message).toBe(
    'Incorrect request parameters: start, count'
  )
})

function problemOf(act: () => unknown): Problem {
  try {
    act()
  } catch (error) {
    return error as Problem
  }
  throw new Error('It was not refused')
}
