import { afterAll, beforeAll, expect, it } from 'vitest'
import { runQuery, sql } from '../core/sql.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { seedVideo } from '../test/seed-video.ts'

let site: TestInstance
let ada: Awaited<ReturnType<TestInstance['user']>>
beforeAll(async () => {
  site = await startTestInstance({ checkPublishedMedia: false }, ['web'])
  ada = await site.user('ada')
})
afterAll(async () => await site?.stop())

it('a video whose files are lost answers 404 for them, and they can be removed', async () => {
  const { id, uuid } = await seedVideo({ channelId: ada.channelId, fileSizes: [1000, 2000] })
  const files = await runQuery<{ id: number }>(sql`
    SELECT file.id FROM video_files file JOIN streaming_playlists playlist ON playlist.id = file.streaming_playlist_id
    WHERE playlist.video_id = ${id} ORDER BY file.id`)
  await runQuery(sql`UPDATE streaming_playlists SET segments_sha256_filename = 'lost-segments-sha256.json' WHERE video_id = ${id}`)
  const metadata = await site.call(`GET /videos/${uuid}/metadata/${files[0]!.id}`, { token: ada.token })
  expect([metadata.status, metadata.json.detail]).toEqual([404, 'Video file not found'])
  for (const path of [`//static/streaming-playlists/hls/${uuid}/${uuid}-0.mp4`, `//static/streaming-playlists/hls/${uuid}/${uuid}.m3u8`])
    expect((await site.call(`GET ${path}`)).status).toBe(404)
  const root = await site.login()
  const removed = await site.call(`DELETE /videos/${uuid}/hls/${files[1]!.id}`, { token: root })
  expect([removed.status, removed.text]).toEqual([204, ''])
  expect((await site.call(`DELETE /videos/${uuid}`, { token: ada.token })).status).toBe(204)
})

it('subtitles of a video whose files are lost can be deleted', async () => {
  const { id, uuid } = await seedVideo({ channelId: ada.channelId, fileSizes: [1000] })
  await runQuery(sql`INSERT INTO video_captions (video_id, language, automatic, filename) VALUES (${id}, 'fr', false, 'lost-fr.vtt')`)
  const { status, text } = await site.call(`DELETE /videos/${uuid}/captions/fr`, { token: ada.token })
  expect([status, text]).toEqual([204, ''])
})
