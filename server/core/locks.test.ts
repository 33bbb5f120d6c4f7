import { expect, test } from 'vitest'
import { findArchitectureViolations } from '../test/architecture.ts'
import { LOCK_CLASSES, LOCK_SEEDS, LOCKS } from './locks.ts'

test.each([LOCKS, LOCK_CLASSES, LOCK_SEEDS])('no two locks have the same key: %o', keys => {
  const values = Object.values(keys)
  expect(new Set(values).size).toBe(values.length)
})

test('no lock and no class have the same number, so that they can be told apart in pg_locks', () => {
  const classes = new Set<number>(Object.values(LOCK_CLASSES))
  expect(Object.values(LOCKS).filter(key => classes.has(key))).toEqual([])
})

test('an advisory lock outside the list is an architecture violation', () => {
  expect(findArchitectureViolations({ 'server/videos/a.ts': 'await query(sql`SELECT pg_advisory_xact_lock(${1})`)' })).toEqual([
    'server/videos/a.ts uses an advisory lock by itself: core/locks has them all'
  ])
})
