import { expect, it } from 'vitest'
import { decodeFileName } from './received-files.ts'

it('names of files are read as UTF-8, as Latin-1 and as they are in the extended form', () => {
  expect(decodeFileName(Buffer.from('été 映画 🎬.mp4').toString('latin1'))).toBe('été 映画 🎬.mp4')
  expect(decodeFileName('été.mp4')).toBe('été.mp4')
  expect(decodeFileName('映画.mp4')).toBe('映画.mp4')
  expect(decodeFileName('film.mp4')).toBe('film.mp4')
})
