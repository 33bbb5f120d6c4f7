import { expect, it } from 'vitest'
import { collectRecordedTypes, findShapeDifferences } from './recorded-shapes.ts'
import type { Recording } from './recordings.ts'

const recording = (answer: unknown) => ({ area: 'videos', answer }) as Recording
const types = collectRecordedTypes([
  recording({ name: 'x', category: { id: 1 }, account: { name: 'a', avatars: [] }, support: null }),
  recording({ name: 'y', category: null, account: { name: 'b', avatars: [{ path: '/' }] }, support: null })
])
const compare = (recorded: unknown, ours: unknown) => findShapeDifferences(recorded, ours, types, 'videos')

it.each([
  ['a missing field', { name: 'x' }, {}, ['name: missing']],
  ['another type', { name: 'x' }, { name: 1 }, ['name: number instead of string']],
  ['a list for an object', { category: { id: 1 } }, { category: [] }, ['category: list instead of object']],
  ['null that was recorded elsewhere', { category: { id: 1 } }, { category: null }, []],
  ['null that never was recorded', { name: 'x' }, { name: null }, ['name: null instead of string']],
  ['a value where only null was recorded', { support: null }, { support: 'Thanks' }, []],
  ['a value of a type that was not recorded for null', { category: null }, { category: 'film' }, ['category: string instead of null']],
  ['an additional field', { name: 'x' }, { name: 'x', more: 1 }, []],
  [
    'an empty list for a filled one',
    { account: { avatars: [{}] } },
    { account: { avatars: [] } },
    ['account.avatars: an empty list instead of a filled one']
  ],
  ['no answer', { name: 'x' }, undefined, ['the answer: undefined instead of object']],
  ['every entry, not only the first', { data: [{ name: 'x' }] }, { data: [{ name: 'x' }, {}] }, ['data[].name: missing']],
  ['a field that not all recorded entries have', { data: [{ name: 'x' }, {}] }, { data: [{}] }, []],
  ['an entry of another type', { data: [{ name: 'x' }] }, { data: ['x'] }, ['data[]: string instead of object']]
])('%s', (_name, recorded, ours, differences) => expect(compare(recorded, ours)).toEqual(differences))

it('an entry of a list may have the empty list that some entry was recorded with', () => {
  const recorded = { data: [{ account: { name: 'b', avatars: [{ path: '/' }] } }] }
  expect(compare(recorded, { data: [{ account: { name: 'a', avatars: [] } }] })).toEqual([])
})
