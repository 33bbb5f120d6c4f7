import { expect, test } from 'vitest'
import { chapterAt } from './chapters.ts'

test('a time belongs to the chapter that started last', () => {
  const chapters = [
    { timecode: 2, title: 'One' },
    { timecode: 10, title: 'Two' }
  ]
  expect([0, 1.9, 2, 9.99, 10, 1e6].map(seconds => chapterAt(chapters, seconds)?.title ?? null)).toEqual([
    null,
    null,
    'One',
    'One',
    'Two',
    'Two'
  ])
  expect(chapterAt([], 5)).toBe(null)
})
