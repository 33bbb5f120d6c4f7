import { expect, test } from 'vitest'
import { UploadChunkSize, parseReceivedBytes } from './chunk-size.ts'
import { isValidVideoTitle, titleFromFilename } from './draft.ts'

const MIB = 2 ** 20

test('pieces grow with a quick connection, up to the limit', () => {
  const pieces = new UploadChunkSize(20 * MIB)
  expect(pieces.size).toBe(4 * MIB)
  for (let index = 0; index < 10; index++) pieces.took(pieces.size, 10)
  expect(pieces.size).toBe(20 * MIB)
})

test('pieces shrink with a slow connection and with failures, but not to nothing', () => {
  const pieces = new UploadChunkSize(0)
  for (let index = 0; index < 10; index++) pieces.took(pieces.size, 60_000)
  expect(pieces.size).toBe(MIB)
  pieces.failed()
  expect(pieces.size).toBe(MIB)
})

test('a limit below the smallest piece is kept', () => {
  const pieces = new UploadChunkSize(1000)
  pieces.took(1000, 1)
  pieces.failed()
  expect(pieces.size).toBe(1000)
})

test('the answer to a piece says how much arrived', () => {
  expect(['bytes=0-99', 'bytes=0--1', null, 'bytes=5-9', 'nonsense'].map(parseReceivedBytes)).toEqual([100, 0, 0, 0, 0])
})

test('titles are made of file names', () => {
  expect(
    ['my_holiday film.mp4', 'a.mkv', 'archive.tar.gz', `${'x'.repeat(200)}.mp4`, '.mp4', 'Übung 2.MOV'].map(titleFromFilename)
  ).toEqual(['my holiday film', 'a video', 'archive.tar', 'x'.repeat(120), 'video', 'Übung 2'])
  expect(['ab', 'abc', '  ab  ', 'x'.repeat(121)].map(isValidVideoTitle)).toEqual([false, true, false, false])
})
