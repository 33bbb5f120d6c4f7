import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { z } from 'zod'
import type { RouteSpec } from '../../shared/contract.ts'
import { logger } from '../core/logger.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { apiContracts } from './contracts.ts'

const routes = apiContracts
  .flatMap(contract => Object.entries(contract) as [string, RouteSpec][])
  .flatMap(([key, { body }]) => (body ? [[key, body] as const] : []))

let site: TestInstance
let token: string
const logged = vi.spyOn(logger, 'error')
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  token = await site.login()
})
afterAll(async () => await site?.stop())

const lists = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const objects = (depth: number, key = 'a') => `{"${key}":`.repeat(depth) + '1' + '}'.repeat(depth)

/** The names of the fields of a body. */
function fieldsOf(body: z.ZodType): string[] {
  const inner = body instanceof z.ZodOptional ? (body.unwrap() as z.ZodType) : body
  return inner instanceof z.ZodObject ? Object.keys(inner.shape) : ['instance']
}

it('a body that is nested thousands of levels deep is 400 at every route', async () => {
  logged.mockClear()
  for (const [key, body] of routes) {
    const values: Record<string, string> = { id: '1', playlistId: '1', host: 'example.org', elementId: '1', commentId: '1' }
    const path = key.replace(/:(\w+)/g, (_, name: string) => values[name] ?? 'root')
    const bodies = [
      ...[lists(3000), lists(50_000), objects(14_000), objects(6000, '__proto__')],
      ...[...fieldsOf(body).slice(0, 4), '__proto__'].map(name => `{"${name}":${objects(3000)}}`)
    ]
    for (const text of bodies) {
      const { status, json } = await site.call(path, {
        token,
        headers: { 'content-type': 'application/json' },
        body: new TextEncoder().encode(text)
      })
      expect([key, text.slice(0, 40), status, json?.status]).toEqual([key, text.slice(0, 40), 400, 400])
    }
  }
  for (const text of [lists(3000), objects(3000), `{"type":"Like","object":${lists(3000)}}`, objects(100_000)]) {
    const { status } = await site.call('POST //inbox', {
      headers: { 'content-type': 'application/activity+json', signature: 'keyId="https://deep.example/key"' },
      body: new TextEncoder().encode(text)
    })
    expect([text.slice(0, 30), status]).toEqual([text.slice(0, 30), 400])
  }
  expect(logged.mock.calls).toEqual([])
}, 60_000)
