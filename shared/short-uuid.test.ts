import { randomUUID } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { longUuid, shortUuid } from './short-uuid.ts'

describe('short UUIDs', () => {
  it('are encoded as PeerTube does', () => {
    expect(shortUuid('2350f605-4ebe-408c-af48-caa74c91d4ae')).toBe('5mWpKc5KauZvCYPTDPhfUw')
    expect(shortUuid('0580c3c0-b84a-404c-83ed-c014f7554844')).toBe('1FpWUr5JASdWVKUMshBgVN')
    expect(longUuid('5mWpKc5KauZvCYPTDPhfUw')).toBe('2350f605-4ebe-408c-af48-caa74c91d4ae')
  })
  it('decode to the same UUID', () => {
    for (let i = 0; i < 1000; i++) {
      const uuid = randomUUID()
      expect(longUuid(shortUuid(uuid))).toBe(uuid)
    }
  })
  it('invalid ids decode to null', () => {
    for (const id of [
      '',
      '1',
      'not an id',
      'ZZZZZZZZZZZZZZZZZZZZZZ',
      '5mWpKc5KauZvCYPTDPhfU0',
      '2350f605-4ebe-408c-af48',
      '../../../../etc/passwd'
    ])
      expect(longUuid(id)).toBeNull()
  })
})
