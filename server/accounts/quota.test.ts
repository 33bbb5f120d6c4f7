import { afterAll, beforeAll, expect, test } from 'vitest'
import { Problem } from '../core/problem.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { assertQuota, getQuotaUsage } from './quota.ts'

let instance: TestInstance
beforeAll(async () => {
  instance = await startTestInstance({}, ['web'])
})
afterAll(async () => {
  await instance?.stop()
})

test('kept sources and all renditions of all channels count; the daily usage by the age of the video', async () => {
  const user = await instance.user('filmer')
  const other = await instance.user('bystander')
  expect(await getQuotaUsage(user.id)).toEqual({ total: 0, daily: 0 })
  const second = (await instance.call('POST /video-channels', { token: user.token, body: { name: 'second', displayName: 'Second' } })).json
    .videoChannel.id
  await seedVideo({ channelId: user.channelId, sourceSize: 1000, fileSizes: [10, 20, 30] })
  await seedVideo({ channelId: second, sourceSize: 500, keptSource: false, fileSizes: [7] })
  await seedVideo({ channelId: second, sourceSize: 10_000, ageHours: 23 })
  await seedVideo({ channelId: second, fileSizes: [6_000_000_000], ageHours: 25 })
  await seedVideo({ channelId: user.channelId, privacy: 3, state: 2, sourceSize: 3 })
  await seedVideo({ channelId: other.channelId, sourceSize: 99 })
  expect(await getQuotaUsage(user.id)).toEqual({ total: 6_000_011_070, daily: 11_070 })
  const answer = await instance.call('GET /users/me/video-quota-used', { token: user.token })
  expect(answer.json).toEqual({ videoQuotaUsed: 6_000_011_070, videoQuotaUsedDaily: 11_070 })
  expect((await instance.call('GET /users/me/video-quota-used')).status).toBe(401)
})

const CASES: [string, { videoQuota: number; videoQuotaDaily: number }, number, boolean][] = [
  ['no limits', { videoQuota: -1, videoQuotaDaily: -1 }, 1e15, true],
  ['exactly the total', { videoQuota: 1000, videoQuotaDaily: -1 }, 400, true],
  ['a byte beyond the total', { videoQuota: 1000, videoQuotaDaily: -1 }, 401, false],
  ['exactly the day', { videoQuota: -1, videoQuotaDaily: 600 }, 500, true],
  ['a byte beyond the day', { videoQuota: -1, videoQuotaDaily: 600 }, 501, false],
  ['a quota of 0', { videoQuota: 0, videoQuotaDaily: -1 }, 0, false],
  ['both, with the day as the lower limit', { videoQuota: 1000, videoQuotaDaily: 200 }, 101, false]
]
test.each(CASES)('600 bytes used, 100 of them today: %s', async (name, quotas, added, fits) => {
  const user = await instance.user(`q${CASES.findIndex(one => one[0] === name)}`, quotas)
  await seedVideo({ channelId: user.channelId, sourceSize: 500, ageHours: 48 })
  await seedVideo({ channelId: user.channelId, fileSizes: [60, 40] })
  const assertion = assertQuota(user, added)
  if (fits) await expect(assertion).resolves.toBeUndefined()
  else {
    const refusal = await assertion.then(
      () => null,
      error => error as Problem
    )
    expect(refusal).toBeInstanceOf(Problem)
    expect(refusal).toMatchObject({ status: 413, code: 'quota_reached', message: 'The user video quota is exceeded with this video.' })
  }
})
