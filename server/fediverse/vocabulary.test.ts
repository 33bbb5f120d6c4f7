import { expect, it } from 'vitest'
import { linksOf, textOf, typeOf } from './vocabulary.ts'

it('reads a type that is one of a list: the known one, else the first', () => {
  expect(typeOf({ type: 'Video' })).toBe('Video')
  expect(typeOf({ type: ['Video'] })).toBe('Video')
  expect(typeOf({ type: ['schema:VideoObject', 'Video'] })).toBe('Video')
  expect(typeOf({ type: ['x:One', 'x:Two'] })).toBe('x:One')
  expect(typeOf({ type: ['x:Foo', 'QuoteRequest'] })).toBe('QuoteRequest')
  for (const type of [undefined, null, 5, {}, [], [5], [['Video']]]) expect(typeOf({ type })).toBeNull()
})

it('reads a text in every form of language', () => {
  for (const name of ['A', { '@value': 'A', '@language': 'en' }, ['A', 'B'], [{ '@value': 'A', '@language': 'en' }, { '@value': 'B' }]])
    expect(textOf({ name } as never, 'name')).toBe('A')
  expect(textOf({ nameMap: { fr: 'A', en: 'B' } }, 'name')).toBe('A')
  expect(textOf({ nameMap: { fr: ['A'] } }, 'name')).toBe('A')
  expect(textOf({ name: ' ', nameMap: { fr: 5, en: 'B' } }, 'name')).toBe('B')
  for (const name of [undefined, null, 5, {}, [], { '@value': 5 }, [[['A']]]])
    expect(textOf({ name, nameMap: name } as never, 'name')).toBeNull()
})

it('reads links in every form', () => {
  const read = (value: unknown) => linksOf(value).map(({ href, mediaType }) => [href, mediaType])
  expect(read('https://x.example/')).toEqual([['https://x.example/', null]])
  expect(read({ type: 'Link', href: 'https://x.example/', mediaType: 'video/mp4' })).toEqual([['https://x.example/', 'video/mp4']])
  expect(read({ type: 'Document', url: 'https://x.example/', mediaType: 'video/mp4' })).toEqual([['https://x.example/', 'video/mp4']])
  expect(read([{ type: 'Video', url: [{ href: 'https://x.example/1', mediaType: 'video/mp4' }, 'https://x.example/2'] }])).toEqual([
    ['https://x.example/1', 'video/mp4'],
    ['https://x.example/2', null]
  ])
  for (const value of [undefined, null, 5, {}, [[['x']]], { href: 5 }, { url: { url: 'x' } }]) expect(read(value)).toEqual([])
  expect(linksOf(Array.from({ length: 100_000 }, () => 'https://x.example/')).length).toBeLessThan(100)
})
