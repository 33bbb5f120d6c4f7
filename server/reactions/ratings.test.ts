import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { createRoles, statusesByRole, type RoleTokens } from '../test/roles.ts'
import { seedVideo } from '../test/seed-video.ts'

let instance: TestInstance
let tokens: RoleTokens
let videos: { id: number; uuid: string }[]
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
  tokens = await createRoles(instance)
  const { json } = await instance.call('GET /users/me', { token: tokens.otherUser })
  const channelId = json.videoChannels[0].id as number
  videos = [await seedVideo({ channelId }), await seedVideo({ channelId }), await seedVideo({ channelId })]
  for (const [index, rating] of ['like', 'dislike', 'like'].entries())
    await instance.call(`PUT /videos/${videos[index]!.uuid}/rate`, { token: tokens.user, body: { rating } })
})
afterAll(async () => await instance?.stop())

const list = async (query = '', token = tokens.user, name = 'user1') =>
  await instance.call(`GET /accounts/${name}/ratings${query}`, { token })
const idsOf = ({ json }: { json: any }) => json.data.map(({ video }: { video: { id: number } }) => video.id)

test('only the account itself may list its ratings', async () => {
  expect(await statusesByRole(tokens, async token => await list('', token))).toEqual([401, 200, 403, 403, 403])
  expect((await list('', tokens.administrator)).json.detail).toBe('Only the owner of this account can manage this account resource.')
  expect((await list('', tokens.user, 'nobody')).status).toBe(404)
  expect((await list('', tokens.user, 'user1@elsewhere.example')).status).toBe(404)
})

test('the videos that an account rated, the last first, by rating and in pages', async () => {
  const [first, second, third] = videos.map(({ id }) => id)
  const all = await list()
  expect([all.json.total, idsOf(all)]).toEqual([3, [third, second, first]])
  expect(all.json.data[1]).toMatchObject({ rating: 'dislike', video: { uuid: videos[1]!.uuid, name: 'A seed', isLocal: true } })
  expect(idsOf(await list('?sort=createdAt&start=1&count=1'))).toEqual([second])
  const likes = await list('?rating=like')
  expect([likes.json.total, idsOf(likes)]).toEqual([2, [third, first]])
  for (const query of ['?rating=none', "?rating=like'--", '?sort=name', '?count=101']) expect((await list(query)).status, query).toBe(400)
  expect((await list('', tokens.otherUser, 'user2')).json).toEqual({ total: 0, data: [] })
})

test('a video that became private to others is not listed', async () => {
  const [first, second, third] = videos.map(({ id }) => id)
  await runQuery(sql`UPDATE videos SET privacy = 3 WHERE id = ${second!}`)
  const { json } = await list()
  expect([json.total, idsOf({ json })]).toEqual([2, [third, first]])
  await runQuery(sql`UPDATE videos SET privacy = 1 WHERE id = ${second!}`)
})
