import { expect, it } from 'vitest'
import { sqlAnd, sql } from './sql.ts'

it('binds every value, whatever it contains', () => {
  const evil = "'; DROP TABLE videos; --"
  const statement = sql`SELECT * FROM videos WHERE name = ${evil} AND id = ANY(${[1, 2]})`
  expect(statement.texts.join('?')).toBe('SELECT * FROM videos WHERE name = ? AND id = ANY(?)')
  expect(statement.values).toEqual([evil, [1, 2]])
})

it('splices nested pieces in order', () => {
  const inner = sql`a = ${1} AND b = ${2}`
  const statement = sql`SELECT ${'x'} WHERE ${inner} OR ${sqlAnd([sql`c = ${3}`, sql`d`])} LIMIT ${4}`
  expect(statement.texts.join('?')).toBe('SELECT ? WHERE a = ? AND b = ? OR c = ? AND d LIMIT ?')
  expect(statement.values).toEqual(['x', 1, 2, 3, 4])
  expect(sqlAnd([]).texts).toEqual(['TRUE'])
})
