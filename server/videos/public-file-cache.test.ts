import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { config } from '../core/config.ts'
import { runAsRequest } from '../core/request-context.ts'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, withTestDatabase, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'
import { findCachedVideoAccessInfo } from './public-file-cache.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({ checkPublishedMedia: false, database: { statement_timeout: { requests: '1500 milliseconds' } } }, [
    'web'
  ])
})
afterAll(async () => await site?.stop())

const find = async (uuid: string) => await runAsRequest(async () => await findCachedVideoAccessInfo(uuid))

/** Runs `act` while the database answers everything but what concerns a table. */
async function whileLocked(table: 'videos' | 'comments', act: () => Promise<void>): Promise<void> {
  await withTestDatabase(async client => {
    await client.query('BEGIN')
    await client.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
    await act()
    await client.query('ROLLBACK')
  }, config.database.name)
}

it('what another process has hidden, or removed, is not served from memory when the database does not answer', async () => {
  const user = await site.user('ada')
  const [open, hidden, removed] = await Promise.all([0, 1, 2].map(async () => (await seedVideo({ channelId: user.channelId })).uuid))
  for (const uuid of [open, hidden, removed]) await find(uuid!)
  await runQuery(sql`UPDATE videos SET privacy = 3 WHERE uuid = ${hidden}`)
  await runQuery(sql`DELETE FROM videos WHERE uuid = ${removed}`)
  await sleep(3000)
  await whileLocked('videos', async () => {
    expect((await find(open!)).uuid).toBe(open)
    await expect(find(hidden!)).rejects.toThrow()
    await expect(find(removed!)).rejects.toThrow()
  })
})

it('a picture of a comment that was held meanwhile is not served from memory either', async () => {
  const picture = await sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } })
    .png()
    .toBuffer()
  const remote = createServer((_request, response) => void response.setHeader('Content-Type', 'image/png').end(picture)).listen(
    0,
    '127.0.0.1'
  )
  await once(remote, 'listening')
  const url = `http://127.0.0.1:${(remote.address() as AddressInfo).port}/a.png`
  const user = await site.user('eve')
  const video = await seedVideo({ channelId: user.channelId })
  const names = ['00000000-open.png', '00000000-held.png'] as const
  for (const name of names)
    await runQuery(sql`WITH made AS (
        INSERT INTO comments (url, video_id, account_id, text, created_at, updated_at)
        SELECT ${`${url}#${name}`}, ${video.id}, id, 'Look', now(), now() FROM accounts WHERE user_id = ${user.id} RETURNING id
      ) INSERT INTO comment_attachments (comment_id, position, url, media_type, filename) SELECT id, 0, ${url}, 'image/png', ${name} FROM made`)
  const statusOf = async (name: string) => (await fetch(`${site.url}/lazy-static/comment-attachments/${name}`)).status
  try {
    for (const name of names) expect(await statusOf(name)).toBe(200)
    await runQuery(sql`UPDATE comments SET held = true WHERE url = ${`${url}#${names[1]}`}`)
    await sleep(3000)
    await whileLocked('comments', async () => {
      expect(await statusOf(names[0])).toBe(200)
      expect(await statusOf(names[1])).toBe(503)
    })
  } finally {
    remote.close()
  }
})
