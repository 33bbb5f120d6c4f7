import { beforeAll, expect, test, vi } from 'vitest'
import { nextPath } from './next-path.ts'

beforeAll(() => {
  vi.stubGlobal('location', { origin: 'https://films.example' })
})

test.each([
  ['/upload', '/upload'],
  ['/w/abc?start=5', '/w/abc?start=5'],
  [undefined, '/'],
  ['', '/'],
  ['https://evil.example/', '/'],
  ['//evil.example/', '/'],
  ['/\\evil.example', '/'],
  ['javascript:alert(1)', '/'],
  ['upload', '/'],
  ['http://[', '/']
])('the path after a login for `next` = %s is %s', (requested, path) => {
  expect(nextPath(requested)).toBe(path)
})
