import { expect, test } from 'vitest'
import { findJsonShapeDifferences } from './json-shape.ts'

test('a response of the recorded shape has no differences, whatever its values and additional keys', () => {
  expect(findJsonShapeDifferences({ a: 1, b: [{ c: 'x' }], d: null }, { a: 2, b: [{ c: 'y', e: true }], d: 'z', f: 1 })).toEqual([])
  expect(findJsonShapeDifferences({ a: [{ b: 1 }] }, { a: [] })).toEqual([])
})

test('a missing key and another type are differences, at any depth', () => {
  expect(findJsonShapeDifferences({ a: { b: 1 } }, { a: {} })).toEqual(['a.b: missing'])
  expect(findJsonShapeDifferences({ a: [{ b: 1 }] }, { a: [{ b: '1' }] })).toEqual(['a[0].b: string instead of number'])
  expect(findJsonShapeDifferences([], {})).toEqual(['the answer: object instead of list'])
})
