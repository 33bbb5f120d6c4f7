import { afterAll, beforeAll, expect, test } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { seedVideo } from '../test/seed-video.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'

let site: TestInstance
let ada: Awaited<ReturnType<TestInstance['user']>>
let bob: Awaited<ReturnType<TestInstance['user']>>
let videos: { id: number; uuid: string }[]
let secondChannel: number
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  ada = await site.user('ada')
  bob = await site.user('bob')
  const { json } = await site.call('POST /video-channels', { token: ada.token, body: { name: 'second', displayName: 'Second' } })
  secondChannel = json.videoChannel.id
  videos = [
    await seedVideo({ channelId: ada.channelId }),
    await seedVideo({ channelId: secondChannel }),
    await seedVideo({ channelId: bob.channelId })
  ]
  await runQuery(sql`UPDATE videos SET name = 'Birds', comments_policy = 3 WHERE id = ${videos[1]!.id}`)
  const say = async (video: number, text: string, { token } = bob) =>
    await site.call(`POST /videos/${videos[video]!.uuid}/comment-threads`, { token, body: { text } })
  await say(0, 'fifty % of it')
  await say(0, 'fifty parts', ada)
  await say(1, 'wait for me')
  await say(2, 'not for ada')
})
afterAll(async () => await site?.stop())

const list = async (query: string, token = ada.token) => await site.call(`GET /users/me/videos/comments?sort=createdAt&${query}`, { token })
const texts = async (query: string) => (await list(query)).json.data.map((one: any) => one.text)

test('the filters of the comments on own videos', async () => {
  expect(await texts('')).toEqual(['fifty % of it', 'fifty parts', 'wait for me'])
  expect(await texts('isHeldForReview=true')).toEqual(['wait for me'])
  expect(await texts('isHeldForReview=no')).toEqual(['fifty % of it', 'fifty parts'])
  expect(await texts(`videoId=${videos[0]!.id}&count=1`)).toEqual(['fifty % of it'])
  expect(await texts(`videoChannelId=${secondChannel}`)).toEqual(['wait for me'])
  expect(await texts(`videoChannelId=${secondChannel}&videoId=${videos[0]!.id}`)).toEqual([])
  expect(await texts('search=fifty%20%25')).toEqual(['fifty % of it'])
  expect(await texts('search=birds')).toEqual(['wait for me'])
  expect(await texts('search=ADA')).toEqual(['fifty parts'])
  expect(await texts('searchAccount=bob&searchVideo=seed')).toEqual(['fifty % of it'])
  expect(await texts("search=' OR 1=1 --")).toEqual([])
  expect(await texts('autoTagOneOf=external-link')).toEqual([])
  expect((await list('isHeldForReview=true')).json.data[0]).toMatchObject({
    video: { id: videos[1]!.id, uuid: videos[1]!.uuid, name: 'Birds' },
    automaticTags: []
  })
})

test('only own videos and channels filter', async () => {
  for (const [query, status] of [
    [`videoId=${videos[2]!.id}`, 403],
    [`videoChannelId=${bob.channelId}`, 403],
    ['videoId=99999', 404],
    ['videoChannelId=99999', 404],
    ['videoId=x', 400],
    ['videoChannelId=-1', 400]
  ] as const)
    expect([query, (await list(query)).status]).toEqual([query, status])
})
