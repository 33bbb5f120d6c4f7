import { expect, test } from 'vitest'
import { UploadChunkSize, parseReceivedBytes } from './chunk-size.ts'
import { isValidVideoTitle, titleFromFilename } from './draft.ts'

const MIB = 2 ** 20

test('chunks grow on a fast connection, up to the limit of the instance', () => {
  const chunkSize = new UploadChunkSize(20 * MIB)
  expect(chunkSize.size).toBe(4 * MIB)
  for (let index = 0; index < 10; index++) chunkSize.recordSuccess(chunkSize.size, 10)
  expect(chunkSize.size).toBe(20 * MIB)
})

test('chunks shrink on a slow connection and after failures, down to the minimum', () => {
  const chunkSize = new UploadChunkSize(0)
  for (let index = 0; index < 10; index++) chunkSize.recordSuccess(chunkSize.size, 60_000)
  expect(chunkSize.size).toBe(MIB)
  chunkSize.recordFailure()
  expect(chunkSize.size).toBe(MIB)
})

test('a limit below the minimum is respected', () => {
  const chunkSize = new UploadChunkSize(1000)
  chunkSize.recordSuccess(1000, 1)
  chunkSize.recordFailure()
  expect(chunkSize.size).toBe(1000)
})

test('the Range header of a response gives the number of received bytes', () => {
  expect(['bytes=0-99', 'bytes=0--1', null, 'bytes=5-9', 'nonsense'].map(parseReceivedBytes)).toEqual([100, 0, 0, 0, 0])
})

test('derives titles from file names and checks their length', () => {
  expect(
    ['my_holiday film.mp4', 'a.mkv', 'archive.tar.gz', `${'x'.repeat(200)}.mp4`, '.mp4', 'Übung 2.MOV'].map(titleFromFilename)
  ).toEqual(['my holiday film', 'a video', 'archive.tar', 'x'.repeat(120), 'video', 'Übung 2'])
  expect(['ab', 'abc', '  ab  ', 'x'.repeat(121)].map(isValidVideoTitle)).toEqual([false, true, false, false])
})
