import { expect, it } from 'vitest'
import { DatabaseUnavailableError } from './database-availability.ts'
import { keepLastKnown } from './last-known.ts'
import { notFound } from './problem.ts'

/** A function with a memory of what `answers` gave, one answer per call. */
function remembering(answers: (() => Promise<string>)[], isKept?: (result: string) => boolean) {
  return keepLastKnown(
    async (_key: string) => await answers.shift()!(),
    key => key,
    isKept
  )
}
const away = async (): Promise<string> => {
  throw new DatabaseUnavailableError()
}

it('while the database is away the last result of the key stands in for it', async () => {
  const find = remembering([async () => 'old', async () => 'new', away, away, async () => 'back'])
  expect([await find('a'), await find('a'), await find('a')]).toEqual(['old', 'new', 'new'])
  await expect(find('b')).rejects.toThrow(DatabaseUnavailableError)
  expect(await find('a')).toBe('back')
})

it('a database that does not answer is not waited for, and its later answer counts', async () => {
  let answer: (result: string) => void = () => undefined
  const find = remembering([async () => 'old', async () => await new Promise(resolve => (answer = resolve)), away])
  await find('a')
  expect(await find('a')).toBe('old')
  answer('new')
  await new Promise(resolve => setImmediate(resolve))
  expect(await find('a')).toBe('new')
})

it('what may not be kept, is gone, or was forgotten is not remembered', async () => {
  const missing = async () => {
    throw notFound('Video')
  }
  const find = remembering(
    [async () => 'public', async () => 'private', away, async () => 'public', missing, away],
    one => one === 'public'
  )
  await find('a')
  expect(await find('a')).toBe('private')
  await expect(find('a')).rejects.toThrow(DatabaseUnavailableError)
  await find('a')
  await expect(find('a')).rejects.toThrow('Video not found')
  await expect(find('a')).rejects.toThrow(DatabaseUnavailableError)
  const forgetful = remembering([async () => 'public', away])
  await forgetful('a')
  forgetful.forget('a')
  await expect(forgetful('a')).rejects.toThrow(DatabaseUnavailableError)
})

it('an answer that was on its way when the key was forgotten is not kept', async () => {
  let answer: (result: string) => void = () => undefined
  const find = remembering([async () => 'old', async () => await new Promise(resolve => (answer = resolve)), away])
  await find('a')
  const finding = find('a')
  find.forget('a')
  answer('stale')
  await finding
  await expect(find('a')).rejects.toThrow(DatabaseUnavailableError)
})
