import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runQuery, sql } from '../core/sql.ts'
import type { Fixtures } from './fuzz-requests.ts'
import type { TestInstance } from './instance.ts'
import { seedVideo } from './seed-video.ts'

/** What the requests of a fuzz name, and who sends them. */
export type FuzzWorld = { fixtures: Fixtures; tokens: { user: string; owner: string; victim: string } }

/**
 * Makes, with a short film, an owner, another user, one more who may be removed, and what they own: channels, videos, comments, a playlist, a report, an upload.
 * `name` keeps the worlds of an instance apart.
 */
export async function makeFuzzWorld(site: TestInstance, root: string, name: string, footage: Buffer): Promise<FuzzWorld> {
  const makeUser = async (username: string) => {
    const created = await site.call('POST /users', {
      token: root,
      body: { username, password: 'password1', email: `${username}@example.com`, role: 2, videoQuota: -1, videoQuotaDaily: -1 }
    })
    if (created.status !== 200) throw new Error(`The world ${name} cannot be made: ${created.text}`)
    return { id: created.json.user.id as number, token: await site.login(username, 'password1') }
  }
  const [owner, user, victim] = [await makeUser(`owner${name}`), await makeUser(`user${name}`), await makeUser(`victim${name}`)]
  const call = async (key: string, token: string, body?: object, headers?: Record<string, string>) => {
    const answer = await site.call(key, { token, body, headers })
    if (answer.status >= 300) throw new Error(`${key} of the world ${name}: ${answer.text}`)
    return answer
  }
  const me = (await call('GET /users/me', owner.token)).json
  const [channel] = me.videoChannels
  await call('POST /video-channels', owner.token, { name: `spare${name}`, displayName: 'Spare' })
  const video = await seedVideo({ channelId: channel.id, fileSizes: [1000, 2000], sourceSize: 1000 })
  await storeRenditions(site.folder, video.uuid, footage)
  const hidden = await seedVideo({ channelId: channel.id, privacy: 3 })
  const locked = await seedVideo({ channelId: channel.id, privacy: 5 })
  const [password] = await runQuery<{ id: number }>(
    sql`INSERT INTO video_passwords (video_id, password, created_at, updated_at) VALUES (${locked.id}, 'secret', now(), now()) RETURNING id`
  )
  const [file] = await runQuery<{ id: number }>(sql`
    SELECT file.id FROM video_files file JOIN streaming_playlists playlist ON playlist.id = file.streaming_playlist_id
    WHERE playlist.video_id = ${video.id} ORDER BY file.id LIMIT 1`)
  const { comment } = (await call(`POST /videos/${video.id}/comment-threads`, user.token, { text: 'A comment' })).json
  const reply = (await call(`POST /videos/${video.id}/comments/${comment.id}`, owner.token, { text: 'A reply' })).json.comment
  const { videoPlaylist } = (
    await call('POST /video-playlists', owner.token, { displayName: 'Films', privacy: 1, videoChannelId: channel.id })
  ).json
  const element = (await call(`POST /video-playlists/${videoPlaylist.id}/videos`, owner.token, { videoId: video.id })).json
  const { abuse } = (await call('POST /abuses', owner.token, { reason: 'bad bad', video: { id: video.id } })).json
  const message = (await call(`POST /abuses/${abuse.id}/messages`, owner.token, { message: 'A message' })).json.abuseMessage
  const upload = await call(
    'POST /videos/upload-resumable',
    owner.token,
    { channelId: channel.id, name: 'A film', filename: 'film.mp4' },
    { 'x-upload-content-length': '1000', 'x-upload-content-type': 'video/mp4' }
  )
  await runQuery(sql`INSERT INTO peers (host) VALUES ('127.0.0.1:9') ON CONFLICT DO NOTHING`)
  const sessions = (await call(`GET /users/${victim.id}/token-sessions`, root)).json.data
  const client = (await site.call('GET /oauth-clients/local')).json
  const { shortUUID } = (await call(`GET /videos/${video.id}`, owner.token)).json
  return {
    tokens: { user: user.token, owner: owner.token, victim: victim.token },
    fixtures: {
      host: new URL(site.url).host,
      owner: `owner${name}`,
      user: `user${name}`,
      victimId: victim.id,
      session: sessions[0].id,
      accountId: me.account.id,
      channel: channel.name,
      channelId: channel.id,
      spareChannel: `spare${name}`,
      video: video.id,
      videoUuid: video.uuid,
      videoShort: shortUUID,
      privateVideo: hidden.id,
      passwordVideo: locked.id,
      password: password!.id,
      file: file!.id,
      comment: comment.id,
      reply: reply.id,
      playlist: videoPlaylist.id,
      playlistUuid: videoPlaylist.uuid,
      playlistShort: videoPlaylist.shortUUID,
      element: element.videoPlaylistElement.id,
      abuse: abuse.id,
      message: message.id,
      upload: new URL(upload.headers.get('location')!, site.url).searchParams.get('upload_id')!,
      clientId: client.client_id,
      clientSecret: client.client_secret
    }
  }
}

/** Writes the files of a seeded video: its upload, and two renditions of one segment each. */
async function storeRenditions(storage: string, uuid: string, footage: Buffer): Promise<void> {
  const folder = join(storage, 'streaming-playlists/hls', uuid)
  const originals = join(storage, 'original-video-files')
  await Promise.all([folder, originals].map(async path => await mkdir(path, { recursive: true })))
  await writeFile(join(originals, `${uuid}.mp4`), footage)
  for (const index of [0, 1]) {
    const file = `${uuid}-${index}.mp4`
    await writeFile(join(folder, file), footage)
    await writeFile(
      join(folder, `${uuid}-${index}.m3u8`),
      `#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI="${file}",BYTERANGE="100@0"\n#EXTINF:1,\n#EXT-X-BYTERANGE:400@100\n${file}\n#EXT-X-ENDLIST\n`
    )
  }
  await writeFile(join(folder, `${uuid}.m3u8`), '#EXTM3U\n')
}
