import { expect, test } from 'vitest'
import { parseUrl } from './url.ts'

test('internationalized hosts are parsed correctly even after many calls', () => {
  for (let count = 0; count < 20_000; count++) {
    expect(parseUrl(`https://bücher.example/${count}`)?.host).toBe('xn--bcher-kva.example')
    parseUrl(`https://good.example/${count}`)
  }
})

test('an invalid URL is null, and a base is used', () => {
  expect(parseUrl('films')).toBeNull()
  expect(parseUrl('http://[')).toBeNull()
  expect(parseUrl('../b', 'https://good.example/a/c')?.href).toBe('https://good.example/b')
})
