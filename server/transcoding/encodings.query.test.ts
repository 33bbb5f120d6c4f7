import { afterAll, beforeAll, expect, test } from 'vitest'
import { shortUuid } from '../../shared/short-uuid.ts'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { storeEncodingProgress } from './encoding-progress.ts'
import { transcodeVideos } from './transcode-videos.job.ts'

let site: TestInstance
let root: string
const ids: Record<string, { id: number; uuid: string }> = {}
beforeAll(async () => {
  site = await startTestInstance({}, ['web'])
  root = await site.login()
  const { channelId } = await site.user('ada')
  for (const [index, state] of ['done', 'waiting', 'running', 'failed'].entries()) {
    ids[state] = await seedVideo({ channelId, privacy: 3, sourceSize: 5, keptSource: state !== 'done' })
    await runQuery(sql`INSERT INTO transcodings (video_id, state, attempts, not_before, resolutions, error, created_at, updated_at)
      VALUES (${ids[state]!.id}, ${state}, ${index}, now(), '{}',
        ${state === 'failed' ? 'Nothing in the file could be decoded.' : null}, now(), now() - ${10 - index} * interval '1 second')`)
  }
  storeEncodingProgress(ids.running!.id, { percent: 41.6, secondsLeft: 3 })
})
afterAll(async () => await site?.stop())

const list = async (query = '', token = root) => (await site.call(`GET /server/transcodings${query}`, { token })).json
const states = (page: { data: { state: string }[] }) => page.data.map(encoding => encoding.state)

test('lists the encodings of all videos, last changed first', async () => {
  const page = await list()
  expect([page.total, states(page)]).toEqual([4, ['failed', 'running', 'waiting', 'done']])
  const { id, uuid } = ids.failed!
  expect(page.data[0]).toMatchObject({
    video: { id, uuid, shortUUID: shortUuid(uuid), name: 'A seed' },
    account: { name: 'ada', displayName: 'ada' },
    attempts: 3,
    error: 'Nothing in the file could be decoded.',
    retryable: true,
    percent: 0
  })
  expect(page.data[1]).toMatchObject({ percent: 42, error: null })
  expect(page.data[3]).toMatchObject({ percent: 100, retryable: false })
})

test('filters by state and pages', async () => {
  expect(await list('?state=failed')).toMatchObject({ total: 1, data: [{ state: 'failed' }] })
  const page = await list('?start=1&count=2')
  expect([page.total, states(page)]).toEqual([4, ['running', 'waiting']])
  for (const query of ['?state=nope', '?count=101', '?start=-1']) expect((await list(query)).status, query).toBe(400)
})

test('an administrator can retry a failed encoding', async () => {
  expect((await site.call(`POST /videos/${ids.failed!.uuid}/transcoding`, { token: root, body: { transcodingType: 'hls' } })).status).toBe(
    204
  )
  expect((await list('?state=waiting')).data[0]).toMatchObject({ video: { id: ids.failed!.id }, attempts: 0, error: null })
})

test('the job uses current settings, also if another process changed them', async () => {
  expect(config.transcoding.resolutions['1080p']).toBe(true)
  await runQuery(
    sql`UPDATE custom_config SET revision = revision + 1,
      settings = ${JSON.stringify({ transcoding: { resolutions: { '1080p': false } } })}::jsonb`
  )
  await transcodeVideos.run({}, { progress: () => undefined, signal: new AbortController().signal })
  expect(config.transcoding.resolutions['1080p']).toBe(false)
})

test('is for administrators only', async () => {
  const users = [await site.user('plain'), await site.user('judge', { role: 1 })]
  expect((await site.call('GET /server/transcodings')).status).toBe(401)
  for (const { token } of users) expect((await list('', token)).status).toBe(403)
})
