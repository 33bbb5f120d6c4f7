import { createServer, type Server } from 'node:http'
import express from 'express'
import { parse } from 'qs'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineContract } from '../../shared/contract.ts'
import { arrayParam, Bool, Paging } from '../../shared/fields.ts'
import { VideoId } from '../../shared/videos.ts'
import { apiContracts } from '../app/contracts.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { config } from './config.ts'
import { implementContract } from './route.ts'
import { countKnownAddresses, serveCachedResponse } from './response-cache.ts'
import { runQuery, sql } from './sql.ts'
import { cacheUse } from './versioned-cache.ts'

const spec = {
  summary: 'Things',
  tag: 'Test',
  params: z.object({ id: VideoId }),
  query: Paging.extend({
    sort: z.enum(['name', '-name']).optional(),
    text: z.string().max(300).optional(),
    tags: arrayParam(z.string()).optional(),
    flag: Bool.optional()
  }),
  response: z.looseObject({})
}
const contract = defineContract({
  'GET /things/:id': { ...spec, cache: true },
  'GET /things/:id/other': { ...spec, cache: true },
  'GET /computed/:id': spec
})

let site: TestInstance
let server: Server
let url: string
let computations = 0
beforeAll(async () => {
  site = await startTestInstance({}, [])
  const app = express()
  app.set('query parser', (text: string) => parse(text, { depth: 5, parameterLimit: 1000, arrayLimit: 1000, allowPrototypes: false }))
  app.use(serveCachedResponse)
  app.use(
    implementContract(contract, {
      'GET /things/:id': async ({ params, query }) => {
        computations++
        // Long enough that all requests of a test wait for it.
        await new Promise(resolve => setTimeout(resolve, 50))
        return { params, query }
      },
      'GET /things/:id/other': ({ params, query }) => ({ other: true, params, query }),
      'GET /computed/:id': ({ params, query }) => ({ params, query })
    })
  )
  app.use(((error, _request, response, _next) => {
    response.status(error.status ?? 500).json({ failed: error.status })
  }) satisfies express.ErrorRequestHandler)
  server = createServer(app)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
})
afterAll(async () => {
  await new Promise(resolve => server?.close(resolve))
  await site?.stop()
})
beforeEach(async () => {
  // A change: what was cached before is not valid any more.
  await runQuery(sql`UPDATE users SET updated_at = now()`)
  computations = 0
})

const get = async (address: string, headers: Record<string, string> = {}) => await (await fetch(url + address, { headers })).text()

describe('one answer is shared by', () => {
  it('200 requests at once with different unknown parameters', async () => {
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, number) => await get(`/things/5?start=15&x${number % 3}=${number}&sort=name`))
    )
    expect([new Set(answers).size, computations]).toEqual([1, 1])
    expect(JSON.parse(answers[0]!)).toEqual({ params: { id: 5 }, query: { start: 15, sort: 'name' } })
    await get('/things/5?start=15&sort=name')
    expect(computations).toBe(1)
  })

  it('all spellings of an address', async () => {
    const spellings = [
      '/things/5?start=3&tags=a&tags=b&flag=true',
      '/things/5?tags=a&flag=true&tags=b&start=3',
      '/things/5?start=3&&tags[]=a&tags[]=b&flag=1&',
      '/things/5?&start=%33&t%61gs%5B0%5D=%61&tags%5B1%5D=b&flag=TRUE',
      '/THINGS/5/?start=3&tags=a&tags=b&flag=yes',
      '/things/%35?start=03&tags=a&tags=b&flag=on',
      '/things/5?start=3&tags=a&tags=b&flag=true&__proto__[x]=1&constructor=2&toString=3&hasOwnProperty=4',
      `/things/5?start=3&tags=a&tags=b&flag=true&long=${'x'.repeat(2000)}`
    ]
    const answers: string[] = []
    for (const spelling of [...spellings, ...spellings]) answers.push(await get(spelling))
    expect([new Set(answers).size, computations]).toEqual([1, 1])
  })

  it('a short and a long UUID', async () => {
    await get('/things/9c9de5e8-0a1e-484a-b099-e80766180a6d')
    await get('/things/kkGMgK9ZtnKfYAgnEtQxbv')
    expect(computations).toBe(1)
  })
})

describe('never shared is', () => {
  it('what differs in a declared parameter, in the path or in the route', async () => {
    const addresses = [
      '/things/5',
      '/things/6',
      '/things/5/other',
      '/things/5?start=0',
      '/things/5?start=1',
      '/things/5?count=1',
      '/things/5?text=',
      '/things/5?text=a',
      '/things/5?text=A',
      '/things/5?text=%20a',
      '/things/5?text=a%26count%3D1',
      '/things/5?text=a&count=1',
      '/things/5?text=%22%5D',
      '/things/5?tags=a,b',
      '/things/5?tags=a&tags=b',
      '/things/5?tags=b&tags=a',
      '/things/5?tags[]=',
      '/things/5?flag=false',
      '/things/5?flag=true'
    ]
    const answers = new Set<string>()
    for (const address of addresses) answers.add(await get(address))
    expect(answers.size).toBe(addresses.length)
    for (const address of addresses) answers.add(await get(address))
    expect(answers.size).toBe(addresses.length)
  })

  it('the answer to any address: each is as a route without cache computes it', async () => {
    const random = seededRandom(20)
    const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
    const names = [
      'start',
      'start',
      'count',
      'sort',
      'text',
      'tags',
      'tags[]',
      'tags[0]',
      'flag',
      'flag[]',
      'text[x]',
      'x',
      '__proto__',
      ''
    ]
    const values = ['1', '01', '2', 'name', '-name', 'true', 'No', 'a', 'a%26b', '%00', '%2C', 'a,b', '', '%', '[]', 'constructor', '1e3']
    for (let round = 0; round < 300; round++) {
      const query = Array.from({ length: Math.floor(random() * 5) }, () => `${pick(names)}${pick(['=', '=', ''])}${pick(values)}`).join('&')
      const address = `${pick(['5', '5/', '6', '007', '%35'])}?${query}`
      const computed = await get(`/computed/${address}`)
      expect([address, await get(`/things/${address}`)]).toEqual([address, computed])
      expect([address, await get(`/things/${address}`)]).toEqual([address, computed])
    }
  })

  it('an answer to a personal request', async () => {
    const anonymous = await get('/things/5')
    await get('/things/5', { 'x-peertube-video-password': 'secret' })
    await get('/things/5?x=1', { authorization: 'Bearer token' })
    expect(computations).toBe(3)
    expect(await get('/things/5')).toBe(anonymous)
    expect(computations).toBe(3)
  })
})

it('neither the answers nor their addresses fill the memory, however small they are', async () => {
  const maxSize = config.cache.answers.max_size
  config.cache.answers.max_size = 500_000
  try {
    for (let number = 0; number < 5000; number += 100)
      await Promise.all(Array.from({ length: 100 }, async (_, index) => await get(`/things/${number + index + 1}/other`)))
    expect(cacheUse().size).toBeLessThanOrEqual(500_000)
    expect(cacheUse().entries).toBeGreaterThan(10)
    expect(cacheUse().entries).toBeLessThanOrEqual(250)
    expect(countKnownAddresses()).toBeLessThanOrEqual(4000)
  } finally {
    config.cache.answers.max_size = maxSize
  }
})

it('every cached route has a key that says all of its parameters, and no others', () => {
  const routes = apiContracts.flatMap(one => Object.entries(one)).filter(([, { cache }]) => cache)
  expect(routes.length).toBeGreaterThan(15)
  for (const [route, { query, params, body, files }] of routes) {
    expect(route).toMatch(/^GET /)
    expect([route, body, files]).toEqual([route, undefined, undefined])
    for (const schema of [query, params]) expect([route, schema?.parse === undefined || isStripping(schema)]).toEqual([route, true])
    expect([route, params !== undefined || !route.includes(':')]).toEqual([route, true])
  }
})

/** Whether an object without its unknown members is what the schema makes of it. */
function isStripping(schema: z.ZodObject): boolean {
  return schema.def.catchall === undefined || schema.def.catchall instanceof z.ZodNever
}

/** Numbers from 0 to 1 (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
