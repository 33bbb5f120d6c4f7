import dns from 'node:dns'
import { Agent, request as httpRequest } from 'node:http'
import { isIP } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { logger } from '../core/logger.ts'
import { makeFootageBytes } from './footage.ts'
import { makeFuzzWorld, type FuzzWorld } from './fuzz-fixtures.ts'
import { fuzzRequests, withFixtures, type FuzzRequest } from './fuzz-requests.ts'
import { startTestInstance, type TestInstance } from './instance.ts'

/** The number of requests and the seed; `scripts/soak fuzz` sends more. */
const COUNT = Number(process.env.FUZZ_REQUESTS ?? 3000)
const SEED = Number(process.env.SEED ?? 1)
/** After so many requests the fixtures are made anew, as requests delete them. */
const WORLD_LIFE = 600
/** So many requests run at once. */
const CONCURRENCY = 4
/** How much more memory (bytes) may be in use at the end than after the first world. */
const MAX_GROWTH = 100 * 1024 * 1024

type Answer = { status: number; type: string; text: string }

let site: TestInstance
let root: string
let footage: Buffer
const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENCY })
const errors: string[] = []
const noteRejection = (reason: unknown) => void errors.push(`unhandled rejection: ${reason instanceof Error ? reason.stack : reason}`)

beforeAll(async () => {
  process.on('unhandledRejection', noteRejection)
  // Names of hosts are as hostile as the rest, and a resolver takes seconds to say that there is no such host.
  const { lookup } = dns
  vi.spyOn(dns, 'lookup').mockImplementation(((name: string, ...rest: unknown[]) => {
    if (isIP(name) || name === 'localhost') return (lookup as (...all: unknown[]) => void)(name, ...rest)
    const done = rest.at(-1) as (error: Error) => void
    process.nextTick(done, Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }))
  }) as never)
  site = await startTestInstance(
    {
      rates_limit: { video_password: { window: '10 seconds', max: 1_000_000 } },
      federation: { inbox: { per_host: { max: 1_000_000 } }, fetch: { per_host: { max: 1_000_000 } } },
      upload: { max_per_user: 1_000_000 },
      checkPublishedMedia: false,
      internals: { fetch: { connectTimeout: 500, headersTimeout: 500, timeout: 1000, redirectsTimeout: 1000 } }
    },
    ['web']
  )
  root = await site.login()
  footage = await makeFootageBytes({ seconds: 1, size: '160x90' })
  vi.spyOn(logger, 'error').mockImplementation(((message: string, details?: { error?: Error & { parent?: Error } }) => {
    if (message === 'A request failed') errors.push(`${details?.error?.parent?.message ?? ''} ${details?.error?.stack ?? message}`)
    return logger
  }) as never)
})
afterAll(async () => {
  process.off('unhandledRejection', noteRejection)
  agent.destroy()
  vi.restoreAllMocks()
  await site?.stop()
})

function usedMemory(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
  collect()
  return process.memoryUsage().heapUsed + process.memoryUsage().external
}

async function send(request: FuzzRequest, { fixtures, tokens }: FuzzWorld): Promise<Answer & { sent: string }> {
  const token = request.sender === 'nobody' ? undefined : request.sender === 'administrator' ? root : tokens[request.sender]
  const path = withFixtures(request.path, fixtures)
  const body =
    typeof request.body === 'string'
      ? Buffer.from(withFixtures(request.body, fixtures))
      : request.body && Buffer.from(withFixtures(request.body.toString('latin1'), fixtures), 'latin1')
  const headers: Record<string, string> = {
    ...(token ? { authorization: `Bearer ${token}` } : {}),
    ...(body ? { 'content-length': String(body.length) } : {}),
    ...request.headers
  }
  const sent = `curl -X ${request.method} ${Object.entries(headers)
    .map(([name, value]) => `-H '${name}: ${value}'`)
    .join(' ')}${
    body
      ? ` --data-binary $'${body
          .subarray(0, 2000)
          .toString('latin1')
          .replace(/[^\x20-\x7e]|['\\]/g, hexEscape)}'`
      : ''
  } '${site.url}${path}'`
  return await new Promise(resolve => {
    const outgoing = httpRequest(
      {
        agent,
        host: '127.0.0.1',
        port: new URL(site.url).port,
        method: request.method,
        path,
        headers,
        setHost: headers.host === undefined,
        timeout: 30_000
      },
      response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({
            sent,
            status: response.statusCode!,
            type: response.headers['content-type'] ?? '',
            text: Buffer.concat(chunks).toString()
          })
        )
        response.on('error', error => resolve({ sent, status: 0, type: '', text: String(error) }))
      }
    )
    outgoing.on('timeout', () => outgoing.destroy(new Error('no answer')))
    outgoing.on('error', error => resolve({ sent, status: 0, type: '', text: String(error) }))
    outgoing.end(body)
  })
}

const hexEscape = (character: string) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`

/** Says what is wrong with an answer; null if nothing is. */
function faultOf({ method, path }: FuzzRequest, { status, type, text }: Answer): string | null {
  // What oEmbed has for a format that does not exist.
  if (status === 501 && path.startsWith('/services/oembed')) return null
  if (status < 100 || status >= 500) return 'an error of the server'
  if (status < 400 || method === 'HEAD') return null
  if (!path.startsWith('/api/v1/') && type.startsWith('text/html')) return null
  if (!type.startsWith('application/problem+json')) return `an error of the type ${type}`
  try {
    return (JSON.parse(text) as { status: number }).status === status ? null : 'another status in the document'
  } catch {
    return 'a document that is not JSON'
  }
}

test('no request, whatever is wrong in it, is an error of the server', { timeout: 3_600_000 }, async () => {
  const requests = fuzzRequests(COUNT, SEED)
  const failures = new Map<string, string>()
  const statuses = new Map<number, number>()
  let failed = 0
  let sentCount = 0
  let memoryAtFirst = 0
  for (let generation = 0; sentCount < COUNT; generation++) {
    const world = await makeFuzzWorld(site, root, String(generation), footage)
    const end = Math.min(sentCount + WORLD_LIFE, COUNT)
    const work = async () => {
      while (sentCount < end) {
        sentCount++
        const request = requests.next().value as FuzzRequest
        const errorsBefore = errors.length
        const answer = await send(request, world)
        statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
        const fault = faultOf(request, answer)
        if (fault === null) continue
        failed++
        const error = errors.slice(errorsBefore).at(-1)?.slice(0, 1200)
        const kind = `${request.about.split(',')[0]} ${answer.status} ${error?.split('\n')[0] ?? fault}`
        if (!failures.has(kind))
          failures.set(
            kind,
            `${fault} (seed ${SEED}; ${request.about})\n${answer.sent.slice(0, 3000)}\n${answer.status} ${answer.text.slice(0, 300)}\n${error ?? ''}`
          )
      }
    }
    await Promise.all(Array.from({ length: CONCURRENCY }, work))
    if (generation === 0) memoryAtFirst = usedMemory()
  }
  const growth = usedMemory() - memoryAtFirst
  const answered = [...statuses].sort(([one], [other]) => one - other).map(([status, times]) => `${status}: ${times}`)
  if (COUNT > 3000)
    console.log(
      `${COUNT} requests of seed ${SEED}, ${failed} failed, memory ${Math.round(growth / 1024 / 1024)} MB more; ${answered.join(', ')}`
    )
  expect(failures.size, `${failed} requests failed:\n\n${[...failures.values()].slice(0, 40).join('\n\n')}`).toBe(0)
  expect(errors).toEqual([])
  expect(growth).toBeLessThan(MAX_GROWTH)
  // Most requests get beyond the first check.
  expect(statuses.get(200) ?? 0).toBeGreaterThan(COUNT / 10)

  const { json: me } = await site.call('GET /users/me', { token: await site.login() })
  expect(me).toMatchObject({ username: 'root', role: { id: 0 }, blocked: false })
  const after = await makeFuzzWorld(site, await site.login(), 'after', footage)
  expect((await site.call(`GET /videos/${after.fixtures.video}`)).status).toBe(200)
  expect((await site.call('GET /config/custom', { token: root })).status).toBe(200)
})

test('the same seed makes the same requests', () => {
  const list = (seed: number) => JSON.stringify([...fuzzRequests(500, seed)])
  expect(list(7)).toBe(list(7))
  expect(list(7)).not.toBe(list(8))
})
