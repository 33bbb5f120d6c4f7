import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { RouteSpec } from '../../shared/contract.ts'
import { apiContracts } from '../app/contracts.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from './instance.ts'
import {
  FOREIGN_FIELDS,
  PERMISSIONS,
  WATCHING_ROUTES,
  READS_BY_PRIVACY,
  SENDERS,
  type PermissionAnswers,
  type Sender
} from './permission-matrix.ts'
import {
  FOREIGN_FIELD_REQUESTS,
  makeMatrixWorld,
  PERMISSION_REQUESTS,
  READ_CASES,
  readRequest,
  requestLine,
  tokenOf,
  type MatrixRequest,
  type MatrixWorld
} from './permission-requests.ts'

const routes = new Map(apiContracts.flatMap(contract => Object.entries(contract) as [string, RouteSpec][]))
const routeOf = (line: string) => line.replace(/ \[.*\]$/, '')

let site: TestInstance
let world: MatrixWorld
beforeAll(async () => {
  site = await startTestInstance(
    {
      checkPublishedMedia: false,
      video_channels: { max_per_user: 1000 },
      signup: { enabled: true, limit: -1 },
      upload: { max_per_user: 1000 }
    },
    ['web']
  )
  world = await makeMatrixWorld(site)
})
afterAll(async () => await site?.stop())

/** Counters of what caches hold, and what goes on beside requests: the beat of the process, and reservations that end after the answer. */
const NO_CONTENT = ['changes', 'uptime', 'upload_reservations']

/** Tables whose rows are noted by requests, or tried by jobs: only which there are is compared. */
const NOTED = ['oauth_tokens', 'wanted_follows']

/** What each table holds. */
async function readTables(): Promise<Record<string, string>> {
  const rows = await runQuery<{ name: string; content: string }>(sql`
    SELECT tablename AS name, query_to_xml(format(CASE WHEN tablename = ANY(${NOTED}) THEN 'SELECT id FROM %I ORDER BY id'
        ELSE 'SELECT count(*), md5(string_agg(t::text, '''' ORDER BY t::text)) FROM %I t' END, tablename), true, false, '')::text AS content
    FROM pg_tables WHERE schemaname = 'public' AND tablename <> ALL(${NO_CONTENT})`)
  return Object.fromEntries(rows.map(({ name, content }) => [name, content]))
}

async function send(route: string, sender: Sender, request: MatrixRequest): Promise<number> {
  const { body, form, multipart, headers } = request
  return (await site.call(requestLine(route, request), { token: tokenOf(world, sender, request), body, form, multipart, headers })).status
}

const isSuccess = (status: number) => (status >= 200 && status < 300) || status === 308

/** Sends the requests of a line, first those to be refused, which may change nothing, and returns the answers as the table has them. */
async function answersTo(
  route: string,
  expected: PermissionAnswers,
  make: (sender: Sender) => Promise<MatrixRequest> | MatrixRequest
): Promise<PermissionAnswers> {
  const wanted = new Map(expected.split(' ').map((answer, index) => [SENDERS[index]!, answer]))
  const [refused, allowed] = [SENDERS.filter(sender => wanted.get(sender) !== 'ok'), SENDERS.filter(sender => wanted.get(sender) === 'ok')]
  const answers = new Map<Sender, string>()
  const note = async (sender: Sender, request: MatrixRequest) => {
    const status = await send(route, sender, request)
    answers.set(sender, isSuccess(status) ? 'ok' : String(status))
  }
  if (refused.length > 0) {
    // As nothing may change, one object is enough.
    const request = await make(refused[0]!)
    const before = await readTables()
    for (const sender of refused) await note(sender, request)
    expect(await readTables(), 'what is refused changes nothing').toEqual(before)
  }
  for (const sender of allowed) await note(sender, await make(sender))
  return SENDERS.map(sender => answers.get(sender)).join(' ')
}

describe('the table', () => {
  it('has a line for every route, and none for another', () => {
    expect([...new Set(Object.keys(PERMISSIONS).map(routeOf))].sort()).toEqual([...routes.keys()].sort())
  })
  it('has a request for every line', () => {
    expect(Object.keys(PERMISSION_REQUESTS).sort()).toEqual(Object.keys(PERMISSIONS).sort())
    expect(Object.keys(FOREIGN_FIELD_REQUESTS).sort()).toEqual(Object.keys(FOREIGN_FIELDS).sort())
    expect(Object.keys(READ_CASES)).toEqual(Object.keys(READS_BY_PRIVACY))
  })
  it('has the five answers in each line', () => {
    for (const line of [...Object.values(PERMISSIONS), ...Object.values(READS_BY_PRIVACY)])
      expect(line).toMatch(/^(ok|4\d\d)( (ok|4\d\d)){4}$/)
  })
  it('has all routes about one video that ask for no more than to watch it', () => {
    const aboutVideos = [...routes].filter(
      ([key]) => /\/videos\/:id(\/|$)/.test(key) && ['401 ok ok ok ok', 'ok ok ok ok ok'].includes(PERMISSIONS[key]!)
    )
    expect(aboutVideos.map(([key]) => key).sort()).toEqual([...WATCHING_ROUTES].sort())
  })
})

describe('who may call a route', () => {
  test.each(Object.entries(PERMISSIONS))('%s: %s', async (line, expected) => {
    const route = routeOf(line)
    expect(await answersTo(route, expected, async sender => await PERMISSION_REQUESTS[line]!(world, sender))).toBe(expected)
  })
})

describe('who may do what needs a video that one may watch', () => {
  const videos = new Map<number, Awaited<ReturnType<MatrixWorld['video']>>>()
  const cases = WATCHING_ROUTES.flatMap(route =>
    Object.entries(READS_BY_PRIVACY).map(([privacy, answers]) => [route, privacy, answers] as const)
  )
  test.each(cases)('%s, %s', async (route, privacy, answers) => {
    const needsAccount =
      routes.get(route)!.auth === 'user' ||
      (route === 'POST /videos/:id/token' && answers.startsWith('ok') && !READ_CASES[privacy]!.password)
    const expected = needsAccount ? answers.replace(/^\w+/, '401') : answers
    const code = READ_CASES[privacy]!.privacy
    videos.set(code, videos.get(code) ?? (await world.video({ privacy: code })))
    expect(await answersTo(route, expected, () => readRequest(route, videos.get(code)!, READ_CASES[privacy]!))).toBe(expected)
  })
})

test.each(Object.entries(FOREIGN_FIELDS))('%s is %i, and nothing changes', async (line, expected) => {
  const request = await FOREIGN_FIELD_REQUESTS[line]!(world)
  const before = await readTables()
  expect(await send(line.split(' ').slice(0, 2).join(' '), 'other', request)).toBe(expected)
  expect(await readTables()).toEqual(before)
})

describe('a blocked user', () => {
  it('has no session any more, and no account for the API', async () => {
    const somebody = await world.person()
    const { uuid } = await world.video({ of: somebody, privacy: 3 })
    await world.call(`POST /users/${somebody.id}/block`, world.root)
    const needAccounts = [...routes].filter(([, { auth }]) => ['user', 'moderator', 'admin'].includes(auth ?? ''))
    expect(needAccounts.length).toBeGreaterThan(90)
    const before = await readTables()
    for (const [key] of needAccounts) expect([key, await send(key, 'other', { token: somebody.token })]).toEqual([key, 401])
    for (const [key] of [...routes].filter(([, { auth }]) => auth === 'optional'))
      expect([key, await send(key, 'other', { token: somebody.token, path: key.split(' ')[1]!.replace(':id', uuid) })]).toEqual([key, 401])
    expect(await readTables()).toEqual(before)
  })
})
