import { expect, test } from 'vitest'
import type { VideoPlaylistElement } from '../../../shared/playlists.ts'
import { elementAtPosition, neighbourElement, parsePlaylistPosition, withoutElements } from './playlist-order.ts'

const element = (id: number, position: number, playable = true) =>
  ({
    id,
    position,
    type: playable ? 0 : 2,
    startTimestamp: null,
    stopTimestamp: null,
    video: playable ? { id } : null
  }) as VideoPlaylistElement
const elements = [element(10, 1, false), element(11, 2), element(12, 3, false), element(13, 4)]

test('plays the element at a position, or the next that can be played, or the first', () => {
  expect([1, 2, 3, 4, 5, 999].map(position => elementAtPosition(elements, position)?.id)).toEqual([11, 11, 13, 13, 11, 11])
  expect(elementAtPosition([], 1)).toBeUndefined()
  expect(elementAtPosition([element(10, 1, false)], 1)).toBeUndefined()
})

test('goes on to the next element that can be played, and stops at the ends', () => {
  expect([neighbourElement(elements, 11, 1)?.id, neighbourElement(elements, 13, -1)?.id]).toEqual([13, 11])
  expect([neighbourElement(elements, 13, 1), neighbourElement(elements, 11, -1), neighbourElement(elements, 999, 1)]).toEqual([
    undefined,
    undefined,
    undefined
  ])
})

test('what is removed closes the gap, as on the server', () => {
  const positions = (ids: number[]) => withoutElements(elements, new Set(ids)).map(({ id, position }) => [id, position])
  expect(positions([11])).toEqual([
    [10, 1],
    [12, 2],
    [13, 3]
  ])
  expect(positions([13, 10, 999])).toEqual([
    [11, 1],
    [12, 2]
  ])
  expect(withoutElements(elements, new Set([10, 11, 12, 13]))).toEqual([])
  expect(elements.map(({ position }) => position)).toEqual([1, 2, 3, 4])
})

test('invalid positions are the first one', () => {
  expect(['3', '0', '-1', '1.5', 'x', '', null, undefined, '9999999'].map(parsePlaylistPosition)).toEqual([3, 1, 1, 1, 1, 1, 1, 1, 1])
})
