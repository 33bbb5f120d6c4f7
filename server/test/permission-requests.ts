import { randomUUID } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { runQuery, sql } from '../core/sql.ts'
import { makeFootageBytes } from './footage.ts'
import type { TestInstance } from './instance.ts'
import { SENDERS, type Sender } from './permission-matrix.ts'
import { seedVideo } from './seed-video.ts'
import { videoUploadForm } from './upload.ts'

/** A request of the matrix. `token` and `owner` are in the place of the token of whoever sends it, and of the owner only. */
export type MatrixRequest = {
  path?: string
  body?: unknown
  form?: Record<string, string>
  multipart?: FormData
  headers?: Record<string, string>
  token?: string
  owner?: string
}
type Person = { id: number; token: string; username: string; channelId: number; channelName: string; accountId: number }
type SeededVideo = { id: number; uuid: string; file: number; thread: number }

/** The instance with its people, and what makes the objects of one request. */
export type MatrixWorld = Awaited<ReturnType<typeof makeMatrixWorld>>

/** The password of videos that have one. */
export const VIDEO_PASSWORD = 'open sesame'
const PRIVATE = 3

/** Creates one person for each kind of sender. */
export async function makeMatrixWorld(site: TestInstance) {
  const root = await site.login()
  let count = 0
  const unique = (prefix: string) => `${prefix}${(count += 1)}`
  const call = async (key: string, token: string, body?: object, headers?: Record<string, string>) => {
    const answer = await site.call(key, { token, body, headers })
    if (answer.status >= 300) throw new Error(`${key}: ${answer.text}`)
    return answer
  }
  const person = async (role = 2, username = unique('person')): Promise<Person> => {
    const { id, token, channelId } = await site.user(username, { role })
    const me = (await call('GET /users/me', token)).json
    return { id, token, username, channelId, channelName: me.videoChannels[0].name, accountId: me.account.id }
  }
  const [other, owner, moderator, administrator] = [await person(), await person(), await person(1), await person(0)]
  const people = { other, owner, moderator, administrator, nobody: { ...other, token: '' } }
  const image = await sharp({ create: { width: 400, height: 300, channels: 3, background: '#369' } })
    .png()
    .toBuffer()
  const footage = await makeFootageBytes({ seconds: 1, size: '160x120' })

  const comment = async (videoId: number, author: Person, held = false, threadId: number | null = null): Promise<number> => {
    const [row] = await runQuery<{ id: number }>(sql`
      INSERT INTO comments (url, video_id, account_id, parent_id, thread_id, text, held, created_at, updated_at)
      VALUES (${`${site.url}/comments/${randomUUID()}`}, ${videoId}, ${author.accountId}, ${threadId}, ${threadId}, 'A comment', ${held}, now(), now())
      RETURNING id`)
    return row!.id
  }
  return {
    site,
    root,
    people,
    unique,
    call,
    person,
    image,
    footage,
    comment,
    /** A video with its uploaded file, two renditions in both forms, a caption, a chapter and a thread. */
    async video({ of = people.owner, privacy = 1 }: { of?: Person; privacy?: number } = {}): Promise<SeededVideo> {
      const { id, uuid } = await seedVideo({
        channelId: of.channelId,
        privacy,
        fileSizes: [footage.length, footage.length],
        sourceSize: 1000
      })
      const folder = join(site.folder, 'streaming-playlists/hls', uuid)
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, `${uuid}-0.mp4`), footage)
      const files = await runQuery<{ id: number }>(sql`
        SELECT file.id FROM video_files file JOIN streaming_playlists list ON list.id = file.streaming_playlist_id
        WHERE list.video_id = ${id} ORDER BY file.id`)
      await runQuery(sql`UPDATE video_files SET whole_size = size WHERE id = ANY(${files.map(one => one.id)})`)
      await runQuery(sql`UPDATE videos SET duration = 10, comments_policy = 1 WHERE id = ${id}`)
      await runQuery(sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${id}, 'en', ${`${uuid}-en.vtt`})`)
      await runQuery(sql`INSERT INTO video_chapters (video_id, timecode, title) VALUES (${id}, 0, 'Start')`)
      if (privacy === 5)
        await runQuery(sql`INSERT INTO video_passwords (video_id, password, created_at, updated_at)
          VALUES (${id}, ${VIDEO_PASSWORD}, now(), now()), (${id}, 'another one', now(), now())`)
      return { id, uuid, file: files[0]!.id, thread: await comment(id, people.moderator) }
    },
    async channel(of: Person): Promise<string> {
      const name = unique('channel')
      await call('POST /video-channels', of.token, { name, displayName: 'A channel' })
      return name
    },
    async playlist({ of = people.owner, privacy = 1 }: { of?: Person; privacy?: number } = {}): Promise<{
      id: number
      uuid: string
      element: number
    }> {
      const body = { displayName: 'A playlist', privacy, ...(privacy === PRIVATE ? {} : { videoChannelId: of.channelId }) }
      const { id, uuid } = (await call('POST /video-playlists', of.token, body)).json.videoPlaylist
      const video = await seedVideo({ channelId: of.channelId })
      const element = (await call(`POST /video-playlists/${id}/videos`, of.token, { videoId: video.id })).json
      await call(`POST /video-playlists/${id}/videos`, of.token, { videoId: video.id })
      return { id, uuid, element: element.videoPlaylistElement.id }
    },
    async abuse(reporter = people.owner): Promise<number> {
      return (await call('POST /abuses', reporter.token, { reason: 'bad bad', account: { id: people.other.accountId } })).json.abuse.id
    },
    async upload(of: Person): Promise<string> {
      const answer = await call(
        'POST /videos/upload-resumable',
        of.token,
        { channelId: of.channelId, name: 'A film', filename: 'film.mp4' },
        { 'x-upload-content-length': '1000', 'x-upload-content-type': 'video/mp4' }
      )
      return new URL(answer.headers.get('location')!, site.url).searchParams.get('upload_id')!
    },
    /** A server, and an actor of it that follows this instance and is followed by it. */
    async peer(): Promise<{ host: string; handle: string }> {
      const host = `${unique('peer')}.example`
      const [instance] = await runQuery<{ id: number }>(sql`SELECT id FROM actors WHERE host IS NULL AND type = 'Application'`)
      await runQuery(sql`INSERT INTO peers (host) VALUES (${host})`)
      const [actor] = await runQuery<{ id: number }>(sql`
        INSERT INTO actors (type, url, preferred_username, host, inbox_url, created_at, updated_at)
        VALUES ('Application', ${`https://${host}/actor`}, ${INSTANCE_ACTOR_NAME}, ${host}, ${`https://${host}/inbox`}, now(), now()) RETURNING id`)
      await runQuery(sql`
        INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
        VALUES (${`https://${host}/follow`}, ${actor!.id}, ${instance!.id}, 'pending', now(), now()),
          (${`${site.url}/follow/${host}`}, ${instance!.id}, ${actor!.id}, 'accepted', now(), now())`)
      return { host, handle: `${INSTANCE_ACTOR_NAME}@${host}` }
    }
  }
}

const file = (field: string, { image }: MatrixWorld): MatrixRequest => {
  const multipart = new FormData()
  multipart.set(field, new Blob([image as BlobPart], { type: 'image/png' }), 'a.png')
  return { multipart }
}
const password = 'password1'

type Maker = (world: MatrixWorld, sender: Sender) => Promise<MatrixRequest> | MatrixRequest

/** A request with nothing to it. */
const plain: Maker = () => ({})
const ofOwnersChannel =
  (made: Maker = plain, path = ''): Maker =>
  async (world, sender) => ({ path: `/video-channels/${await world.channel(world.people.owner)}${path}`, ...(await made(world, sender)) })
/** A channel of somebody new with a role, who is the owner. */
const ofChannelOf =
  (role: number, made: Maker = plain, path = ''): Maker =>
  async (world, sender) => {
    const somebody = await world.person(role)
    return { path: `/video-channels/${await world.channel(somebody)}${path}`, owner: somebody.token, ...(await made(world, sender)) }
  }
const ofUser =
  (role: number, path = '', body?: object): Maker =>
  async world => ({ path: `/users/${(await world.person(role)).id}${path}`, body })
const sessionsOf =
  (role: number, revoke = false): Maker =>
  async world => {
    const somebody = await world.person(role)
    const { data } = (await world.call(`GET /users/${somebody.id}/token-sessions`, world.root)).json
    return { path: `/users/${somebody.id}/token-sessions${revoke ? `/${data[0].id}/revoke` : ''}`, owner: somebody.token }
  }
const ofRoot =
  (path = '', body?: object): Maker =>
  async world => ({ path: `/users/${(await world.call('GET /users/me', world.root)).json.id}${path}`, body })
const ofVideo =
  (path: (video: SeededVideo) => string, made: MatrixRequest = {}, privacy = 1): Maker =>
  async world => ({ path: path(await world.video({ privacy })), ...made })
const ofPlaylist =
  (path: (playlist: { id: number; uuid: string; element: number }) => string, made: MatrixRequest = {}, privacy = 1): Maker =>
  async world => ({ path: path(await world.playlist({ privacy })), ...made })
const ofPeer =
  (path: (peer: { host: string; handle: string }) => string, made: MatrixRequest = {}): Maker =>
  async world => ({ path: path(await world.peer()), ...made })
const ofTranscoding =
  (made: MatrixRequest = {}): Maker =>
  async world => {
    const { id } = await seedVideo({ channelId: world.people.owner.channelId, state: 2 })
    await runQuery(sql`INSERT INTO transcodings (video_id, state, not_before, created_at, updated_at)
      VALUES (${id}, 'waiting', now() + interval '1 day', now(), now())`)
    return { path: `/server/transcodings/${id}`, ...made }
  }
const ofAbuse =
  (path = '', made: MatrixRequest = {}): Maker =>
  async world => ({ path: `/abuses/${await world.abuse()}${path}`, ...made })
const ofMessage =
  (author: Sender): Maker =>
  async world => {
    const abuse = await world.abuse()
    const { token } = world.people[author]
    const { id } = (await world.call(`POST /abuses/${abuse}/messages`, token, { message: 'A message' })).json.abuseMessage
    return { path: `/abuses/${abuse}/messages/${id}` }
  }
const ofComment =
  (made: { author: Sender; below?: Sender; held?: boolean; path?: string; method?: MatrixRequest }): Maker =>
  async world => {
    const video = await world.video({ of: world.people[made.below ?? 'moderator'] })
    const id = await world.comment(video.id, world.people[made.author], made.held)
    return { path: `/videos/${video.uuid}/comments/${id}${made.path ?? ''}`, ...made.method }
  }
const blockedBy =
  (whose: 'owner' | 'instance', kind: 'accounts' | 'servers'): Maker =>
  async world => {
    const { host } = await world.peer()
    const somebody = await world.person()
    const list = whose === 'owner' ? '/users/me/blocklist' : '/server/blocklist'
    const body = kind === 'accounts' ? { accountName: somebody.username } : { host }
    await world.call(`POST ${list}/${kind}`, whose === 'owner' ? world.people.owner.token : world.root, body)
    return { path: `${list}/${kind}/${kind === 'accounts' ? somebody.username : host}` }
  }
const subscription: Maker = async world => {
  const uri = `${await world.channel(world.people.moderator)}@${new URL(world.site.url).host}`
  await world.call('POST /users/me/subscriptions', world.people.owner.token, { uri })
  return { path: `/users/me/subscriptions/${uri}` }
}
const uploadOf =
  (made: MatrixRequest = {}): Maker =>
  async world => ({ path: `/videos/upload-resumable?upload_id=${await world.upload(world.people.owner)}`, ...made })
const newUser =
  (role: number): Maker =>
  world => {
    const username = world.unique('created')
    return { body: { username, password, email: `${username}@example.com`, role } }
  }
/** Somebody new with the role of the sender, as what it asks for ends its session. */
const fresh: Maker = async (world, sender) => ({
  token: sender === 'nobody' ? '' : (await world.person({ moderator: 1, administrator: 0 }[sender as string] ?? 2)).token
})
const login =
  (blocked: boolean): Maker =>
  async world => {
    const { username, id } = await world.person()
    if (blocked) await world.call(`POST /users/${id}/block`, world.root)
    const client = (await world.site.call('GET /oauth-clients/local')).json
    return { form: { ...client, grant_type: 'password', username, password } }
  }
const handleOf = (world: MatrixWorld, name: string) => `${name}@${new URL(world.site.url).host}`
const ofOwner =
  (path: (world: MatrixWorld) => string): Maker =>
  world => ({ path: path(world) })
const uploadFields = (person: Person) => ({ name: 'A film', channelId: person.channelId })
const customConfig: Maker = async world => ({ body: (await world.call('GET /config/custom', world.root)).json })

/** Makes the request of each line of PERMISSIONS, with new objects each time. */
export const PERMISSION_REQUESTS: Readonly<Record<string, Maker>> = {
  'POST /abuses': world => ({ body: { reason: 'bad bad', account: { id: world.people.owner.accountId } } }),
  'GET /abuses': plain,
  'PUT /abuses/:id': ofAbuse('', { body: { state: 2 } }),
  'DELETE /abuses/:id': ofAbuse(),
  'GET /abuses/:id/messages': ofAbuse('/messages'),
  'POST /abuses/:id/messages': ofAbuse('/messages', { body: { message: 'A message' } }),
  'DELETE /abuses/:id/messages/:messageId': ofMessage('owner'),
  'DELETE /abuses/:id/messages/:messageId [of a moderator]': ofMessage('moderator'),
  'GET /users/me/abuses': plain,

  'GET /oauth-clients/local': plain,
  'POST /users/token': login(false),
  'POST /users/token [of a blocked user]': login(true),
  'POST /users/revoke-token': fresh,
  'GET /users/:id/token-sessions': sessionsOf(2),
  'GET /users/:id/token-sessions [of a moderator]': sessionsOf(1),
  'GET /users/:id/token-sessions [of an administrator]': sessionsOf(0),
  'POST /users/:id/token-sessions/:session/revoke': sessionsOf(2, true),
  'POST /users/:id/token-sessions/:session/revoke [of a moderator]': sessionsOf(1, true),
  'POST /users/:id/token-sessions/:session/revoke [of an administrator]': sessionsOf(0, true),
  'POST /users/:id/token-sessions/:session/revoke [of another user than named]': async world => {
    const { people, root } = world
    const { data } = (await world.call(`GET /users/${people.administrator.id}/token-sessions`, root)).json
    return { path: `/users/${people.owner.id}/token-sessions/${data[0].id}/revoke` }
  },
  'POST /users/register': world => {
    const username = world.unique('registered')
    return { body: { username, password, email: `${username}@example.com` } }
  },
  'GET /users/me': plain,
  'PUT /users/me': () => ({ body: { description: 'Something else' } }),
  'DELETE /users/me': fresh,
  'GET /users/me/video-quota-used': plain,
  'POST /users/me/avatar/pick': world => file('avatarfile', world),
  'DELETE /users/me/avatar': plain,
  'GET /users': plain,
  'POST /users': newUser(2),
  'POST /users [a moderator]': newUser(1),
  'POST /users [an administrator]': newUser(0),
  'GET /users/autocomplete': () => ({ path: '/users/autocomplete?search=per' }),
  'GET /users/:id': ofUser(2),
  'PUT /users/:id': ofUser(2, '', { videoQuota: 12 }),
  'PUT /users/:id [a moderator]': ofUser(1, '', { videoQuota: 12 }),
  'PUT /users/:id [an administrator]': ofUser(0, '', { videoQuota: 12 }),
  'PUT /users/:id [into a moderator]': ofUser(2, '', { role: 1 }),
  'PUT /users/:id [into an administrator]': ofUser(2, '', { role: 0 }),
  'PUT /users/:id [root into a user]': ofRoot('', { role: 2 }),
  'PUT /users/:id [password of root]': ofRoot('', { password: 'password2' }),
  'PUT /users/:id [e-mail of root]': ofRoot('', { email: 'somebody@example.com' }),
  'DELETE /users/:id': ofUser(2),
  'DELETE /users/:id [a moderator]': ofUser(1),
  'DELETE /users/:id [an administrator]': ofUser(0),
  'DELETE /users/:id [root]': ofRoot(),
  'POST /users/:id/block': ofUser(2, '/block', { reason: 'bad' }),
  'POST /users/:id/block [a moderator]': ofUser(1, '/block'),
  'POST /users/:id/block [an administrator]': ofUser(0, '/block'),
  'POST /users/:id/block [root]': ofRoot('/block'),
  'POST /users/:id/unblock': ofUser(2, '/unblock'),
  'POST /users/:id/unblock [a moderator]': ofUser(1, '/unblock'),
  'POST /users/:id/unblock [an administrator]': ofUser(0, '/unblock'),
  'GET /accounts': plain,
  'GET /accounts/:name': ofOwner(({ people }) => `/accounts/${people.owner.username}`),

  'GET /server/health': plain,
  'GET /config/custom': plain,
  'PUT /config/custom': customConfig,
  'PATCH /config/custom': () => ({ body: { instance: { name: 'A site' } } }),
  'DELETE /config/custom': plain,
  'POST /config/instance-avatar/pick': world => file('avatarfile', world),
  'DELETE /config/instance-avatar': plain,
  'POST /config/instance-banner/pick': world => file('bannerfile', world),
  'DELETE /config/instance-banner': plain,
  'GET /ping': plain,
  'GET /config': plain,
  'GET /config/about': plain,
  'GET /server/stats': plain,
  'GET /server/debug': plain,
  'POST /server/debug/run-command': () => ({ body: { command: 'remove-dandling-resumable-uploads' } }),
  'POST /server/logs/client': () => ({ body: { message: 'An error', url: 'http://127.0.0.1/', level: 'warn' } }),
  'POST /metrics/playback': () => ({ body: {} }),
  'GET /jobs': plain,
  'GET /jobs/:state': () => ({ path: '/jobs/failed' }),
  'POST /jobs/pause': plain,
  'POST /jobs/resume': plain,

  'GET /users/me/blocklist/accounts': plain,
  'POST /users/me/blocklist/accounts': async world => ({ body: { accountName: (await world.person()).username } }),
  'DELETE /users/me/blocklist/accounts/:accountName': blockedBy('owner', 'accounts'),
  'GET /users/me/blocklist/servers': plain,
  'POST /users/me/blocklist/servers': () => ({ body: { host: 'bad.example' } }),
  'DELETE /users/me/blocklist/servers/:host': blockedBy('owner', 'servers'),
  'GET /server/blocklist/accounts': plain,
  'POST /server/blocklist/accounts': async world => ({ body: { accountName: (await world.person()).username } }),
  'POST /server/blocklist/accounts [a moderator]': async world => ({ body: { accountName: (await world.person(1)).username } }),
  'POST /server/blocklist/accounts [an administrator]': async world => ({ body: { accountName: (await world.person(0)).username } }),
  'DELETE /server/blocklist/accounts/:accountName': blockedBy('instance', 'accounts'),
  'GET /server/blocklist/servers': plain,
  'POST /server/blocklist/servers': () => ({ body: { host: 'bad.example' } }),
  'DELETE /server/blocklist/servers/:host': blockedBy('instance', 'servers'),
  'GET /blocklist/status': () => ({ path: '/blocklist/status?hosts[]=bad.example' }),

  'GET /video-channels': plain,
  'POST /video-channels': world => ({ body: { name: world.unique('made'), displayName: 'A channel' } }),
  'GET /users/me/channel-names/:name': () => ({ path: '/users/me/channel-names/unheard' }),
  'GET /video-channels/:channelHandle': ofOwnersChannel(),
  'PUT /video-channels/:channelHandle': ofOwnersChannel(() => ({ body: { displayName: 'Another name' } })),
  'PUT /video-channels/:channelHandle [of a moderator]': ofChannelOf(1, () => ({ body: { displayName: 'Another name' } })),
  'PUT /video-channels/:channelHandle [of an administrator]': ofChannelOf(0, () => ({ body: { displayName: 'Another name' } })),
  'DELETE /video-channels/:channelHandle': ofOwnersChannel(),
  'DELETE /video-channels/:channelHandle [of a moderator]': ofChannelOf(1),
  'DELETE /video-channels/:channelHandle [of an administrator]': ofChannelOf(0),
  'POST /video-channels/:channelHandle/avatar/pick': ofOwnersChannel(world => file('avatarfile', world), '/avatar/pick'),
  'POST /video-channels/:channelHandle/avatar/pick [of an administrator]': ofChannelOf(
    0,
    world => file('avatarfile', world),
    '/avatar/pick'
  ),
  'POST /video-channels/:channelHandle/banner/pick': ofOwnersChannel(world => file('bannerfile', world), '/banner/pick'),
  'POST /video-channels/:channelHandle/banner/pick [of an administrator]': ofChannelOf(
    0,
    world => file('bannerfile', world),
    '/banner/pick'
  ),
  'DELETE /video-channels/:channelHandle/avatar': ofOwnersChannel(plain, '/avatar'),
  'DELETE /video-channels/:channelHandle/avatar [of an administrator]': ofChannelOf(0, plain, '/avatar'),
  'DELETE /video-channels/:channelHandle/banner': ofOwnersChannel(plain, '/banner'),
  'DELETE /video-channels/:channelHandle/banner [of an administrator]': ofChannelOf(0, plain, '/banner'),
  'GET /accounts/:name/video-channels': ofOwner(({ people }) => `/accounts/${people.owner.username}/video-channels`),

  'GET /videos/:id/comment-threads': ofVideo(({ uuid }) => `/videos/${uuid}/comment-threads`),
  'POST /videos/:id/comment-threads': ofVideo(({ uuid }) => `/videos/${uuid}/comment-threads`, { body: { text: 'A comment' } }),
  'GET /videos/:id/comment-threads/:threadId': ofVideo(({ uuid, thread }) => `/videos/${uuid}/comment-threads/${thread}`),
  'GET /videos/:id/comment-threads/:threadId [held]': async world => {
    const { id, uuid } = await world.video()
    return { path: `/videos/${uuid}/comment-threads/${await world.comment(id, world.people.moderator, true)}` }
  },
  'POST /videos/:id/comments/:commentId': ofVideo(({ uuid, thread }) => `/videos/${uuid}/comments/${thread}`, {
    body: { text: 'A reply' }
  }),
  'POST /videos/:id/comments/:commentId [held]': ofComment({ author: 'owner', held: true, method: { body: { text: 'A reply' } } }),
  'DELETE /videos/:id/comments/:commentId': ofComment({ author: 'owner' }),
  'DELETE /videos/:id/comments/:commentId [below a video of the owner]': ofComment({ author: 'administrator', below: 'owner' }),
  'POST /videos/:id/comments/:commentId/approve': ofComment({ author: 'other', below: 'owner', held: true, path: '/approve' }),
  'POST /videos/:id/comments/:commentId/approve [of the owner, below a video of somebody else]': ofComment({
    author: 'owner',
    held: true,
    path: '/approve'
  }),
  'GET /users/me/videos/comments': plain,
  'GET /videos/comments': plain,
  'POST /bulk/remove-comments-of': world => ({ body: { accountName: world.people.other.username, scope: 'my-videos' } }),
  'POST /bulk/remove-comments-of [on the instance]': async world => ({
    body: { accountName: (await world.person()).username, scope: 'instance' }
  }),

  'GET /server/peers': plain,
  'POST /server/peers/:host/retry': ofPeer(({ host }) => `/server/peers/${host}/retry`),
  'POST /server/peers/:host/resync': ofPeer(({ host }) => `/server/peers/${host}/resync`),
  'GET /server/ineffective-activities': plain,
  'POST /server/ineffective-activities/:id/process': async world => {
    const [row] = await runQuery<{ id: number }>(sql`
      INSERT INTO ineffective_activities (activity_key, digest, type, actor, signer, proof, host, subject, body, reason, received_at)
      VALUES (${`https://a.example/${world.unique('activity')}`}, 'x', 'Like', 'https://a.example/a', 'https://a.example/a', 'http', 'a.example', 'x', '{}', 'x', now())
      RETURNING id`)
    return { path: `/server/ineffective-activities/${row!.id}/process` }
  },
  'GET /server/unsendable-activities': plain,
  'POST /server/unsendable-activities/retry': async world => {
    const [row] = await runQuery<{ id: number }>(sql`
      INSERT INTO outgoing (actor, type, activity, audience, lane, subject, set_aside_at)
      VALUES (${`${world.site.url}/accounts/root`}, 'Like', '{}', '{}', 2, 'x', now()) RETURNING id`)
    return { body: { id: Number(row!.id) } }
  },
  'GET /server/followers': plain,
  'GET /server/following': plain,
  'GET /server/following/wanted': plain,
  'POST /server/following': () => ({ body: { hosts: ['127.0.0.1:9'] } }),
  'DELETE /server/following/:hostOrHandle': ofPeer(({ host }) => `/server/following/${host}`),
  'DELETE /server/followers/:handle': ofPeer(({ handle }) => `/server/followers/${handle}`),
  'POST /server/followers/:handle/accept': ofPeer(({ handle }) => `/server/followers/${handle}/accept`),
  'POST /server/followers/:handle/reject': ofPeer(({ handle }) => `/server/followers/${handle}/reject`),

  'GET /users/me/subscriptions': plain,
  'POST /users/me/subscriptions': async world => ({ body: { uri: handleOf(world, await world.channel(world.people.owner)) } }),
  'GET /users/me/subscriptions/exist': ofOwner(
    world => `/users/me/subscriptions/exist?uris[]=${handleOf(world, world.people.owner.channelName)}`
  ),
  'GET /users/me/subscriptions/:uri': subscription,
  'DELETE /users/me/subscriptions/:uri': subscription,
  'GET /accounts/:name/followers': ofOwner(({ people }) => `/accounts/${people.owner.username}/followers`),
  'GET /video-channels/:channelHandle/followers': ofOwner(({ people }) => `/video-channels/${people.owner.channelName}/followers`),
  'GET /users/me/subscriptions/videos': plain,

  'GET /video-playlists/privacies': plain,
  'GET /video-playlists': plain,
  'POST /video-playlists': () => ({ body: { displayName: 'A playlist' } }),
  'GET /video-playlists/:playlistId': ofPlaylist(({ id }) => `/video-playlists/${id}`),
  'GET /video-playlists/:playlistId [private]': ofPlaylist(({ uuid }) => `/video-playlists/${uuid}`, {}, 3),
  'GET /video-playlists/:playlistId [unlisted, by its number]': ofPlaylist(({ id }) => `/video-playlists/${id}`, {}, 2),
  'GET /video-playlists/:playlistId [unlisted, by its UUID]': ofPlaylist(({ uuid }) => `/video-playlists/${uuid}`, {}, 2),
  'PUT /video-playlists/:playlistId': ofPlaylist(({ id }) => `/video-playlists/${id}`, { body: { displayName: 'Another name' } }),
  'DELETE /video-playlists/:playlistId': ofPlaylist(({ id }) => `/video-playlists/${id}`),
  'GET /video-playlists/:playlistId/videos': ofPlaylist(({ id }) => `/video-playlists/${id}/videos`),
  'GET /video-playlists/:playlistId/videos [private]': ofPlaylist(({ uuid }) => `/video-playlists/${uuid}/videos`, {}, 3),
  'GET /video-playlists/:playlistId/videos [unlisted, by its number]': ofPlaylist(({ id }) => `/video-playlists/${id}/videos`, {}, 2),
  'POST /video-playlists/:playlistId/videos': async world => ({
    path: `/video-playlists/${(await world.playlist()).id}/videos`,
    body: { videoId: (await world.video()).uuid }
  }),
  'POST /video-playlists/:playlistId/videos/reorder': ofPlaylist(({ id }) => `/video-playlists/${id}/videos/reorder`, {
    body: { startPosition: 1, insertAfterPosition: 2 }
  }),
  'PUT /video-playlists/:playlistId/videos/:elementId': ofPlaylist(({ id, element }) => `/video-playlists/${id}/videos/${element}`, {
    body: { startTimestamp: 1 }
  }),
  'PUT /video-playlists/:playlistId/videos/:elementId [of another playlist]': async world => ({
    path: `/video-playlists/${(await world.playlist()).id}/videos/${(await world.playlist()).element}`,
    body: { startTimestamp: 1 }
  }),
  'DELETE /video-playlists/:playlistId/videos/:elementId': ofPlaylist(({ id, element }) => `/video-playlists/${id}/videos/${element}`),
  'DELETE /video-playlists/:playlistId/videos/:elementId [of another playlist]': async world => ({
    path: `/video-playlists/${(await world.playlist()).id}/videos/${(await world.playlist()).element}`
  }),
  'GET /users/me/video-playlists/videos-exist': async world => ({
    path: `/users/me/video-playlists/videos-exist?videoIds[]=${(await world.video()).id}`
  }),
  'GET /accounts/:name/video-playlists': ofOwner(({ people }) => `/accounts/${people.owner.username}/video-playlists`),
  'GET /video-channels/:channelHandle/video-playlists': ofOwner(
    ({ people }) => `/video-channels/${people.owner.channelName}/video-playlists`
  ),

  'PUT /videos/:id/rate': ofVideo(({ uuid }) => `/videos/${uuid}/rate`, { body: { rating: 'like' } }),
  'GET /users/me/videos/:id/rating': ofVideo(({ uuid }) => `/users/me/videos/${uuid}/rating`),
  'GET /accounts/:name/ratings': ofOwner(({ people }) => `/accounts/${people.owner.username}/ratings`),
  'GET /search/videos': () => ({ path: '/search/videos?search=seed' }),
  'GET /search/video-channels': () => ({ path: '/search/video-channels?search=channel' }),

  'GET /videos/:id/transcoding': ofVideo(({ uuid }) => `/videos/${uuid}/transcoding`),
  'GET /server/transcodings': plain,
  'GET /server/encoders': plain,
  'PUT /server/transcodings/:id': ofTranscoding({ body: { priority: 'high' } }),
  'DELETE /server/transcodings/:id': ofTranscoding(),
  'DELETE /videos/:id/hls': ofVideo(({ uuid }) => `/videos/${uuid}/hls`),
  'DELETE /videos/:id/hls/:fileId': ofVideo(({ uuid, file: id }) => `/videos/${uuid}/hls/${id}`),
  'DELETE /videos/:id/web-videos': ofVideo(({ uuid }) => `/videos/${uuid}/web-videos`),
  'DELETE /videos/:id/web-videos/:fileId': async world => {
    const { id, uuid } = await world.video()
    const [found] = await runQuery<{ id: number }>(sql`
      SELECT web_video_id AS id FROM video_files file JOIN streaming_playlists list ON list.id = file.streaming_playlist_id
      WHERE list.video_id = ${id} ORDER BY file.id LIMIT 1`)
    return { path: `/videos/${uuid}/web-videos/${found!.id}` }
  },
  'POST /videos/:id/transcoding': ofVideo(({ uuid }) => `/videos/${uuid}/transcoding`, { body: { transcodingType: 'hls' } }),

  'POST /videos/upload': ({ people, footage }, sender) => ({
    multipart: videoUploadForm(uploadFields(people[sender]), { bytes: footage, name: 'film.mp4' })
  }),
  'GET /users/me/uploads': plain,
  'POST /videos/upload-resumable': ({ people }, sender) => ({
    body: { ...uploadFields(people[sender]), filename: 'film.mp4' },
    headers: { 'x-upload-content-length': '1000', 'x-upload-content-type': 'video/mp4' }
  }),
  'PUT /videos/upload-resumable': uploadOf({ headers: { 'content-range': 'bytes */1000' } }),
  'DELETE /videos/upload-resumable': uploadOf(),

  'GET /videos': plain,
  'GET /videos/categories': plain,
  'GET /videos/licences': plain,
  'GET /videos/languages': plain,
  'GET /videos/privacies': plain,
  'GET /accounts/:name/videos': ofOwner(({ people }) => `/accounts/${people.owner.username}/videos`),
  'GET /video-channels/:channelHandle/videos': ofOwner(({ people }) => `/video-channels/${people.owner.channelName}/videos`),
  'GET /users/me/videos': plain,
  'GET /videos/:id': ofVideo(({ uuid }) => `/videos/${uuid}`),
  'GET /videos/:id/description': ofVideo(({ uuid }) => `/videos/${uuid}/description`),
  'PUT /videos/:id': ofVideo(({ uuid }) => `/videos/${uuid}`, { body: { name: 'Another name', privacy: 1 } }),
  'DELETE /videos/:id': ofVideo(({ uuid }) => `/videos/${uuid}`),
  'GET /videos/:id/source': ofVideo(({ uuid }) => `/videos/${uuid}/source`),
  'GET /videos/:id/metadata/:videoFileId': ofVideo(({ uuid, file: id }) => `/videos/${uuid}/metadata/${id}`),
  'GET /videos/:id/storyboards': ofVideo(({ uuid }) => `/videos/${uuid}/storyboards`),
  'GET /videos/:id/captions': ofVideo(({ uuid }) => `/videos/${uuid}/captions`),
  'GET /videos/:id/caption-tracks': ofVideo(({ uuid }) => `/videos/${uuid}/caption-tracks`),
  'DELETE /videos/:id/captions/:captionLanguage': ofVideo(({ uuid }) => `/videos/${uuid}/captions/en`),
  'GET /videos/:id/chapters': ofVideo(({ uuid }) => `/videos/${uuid}/chapters`),
  'GET /video-channels/:channelHandle/reading': ofOwner(({ people }) => `/video-channels/${people.owner.channelName}/reading`),
  'POST /videos/:id/token': ofVideo(({ uuid }) => `/videos/${uuid}/token`),
  'GET /videos/:id/passwords': ofVideo(({ uuid }) => `/videos/${uuid}/passwords`, {}, 5),
  'PUT /videos/:id/passwords': ofVideo(({ uuid }) => `/videos/${uuid}/passwords`, { body: { passwords: ['a new one'] } }, 5),
  'DELETE /videos/:id/passwords/:passwordId': async world => {
    const { uuid, id } = await world.video({ privacy: 5 })
    return { path: `/videos/${uuid}/passwords/${await passwordOf(id)}` }
  },
  'DELETE /videos/:id/passwords/:passwordId [of another video]': async world => ({
    path: `/videos/${(await world.video({ privacy: 5 })).uuid}/passwords/${await passwordOf((await world.video({ privacy: 5 })).id)}`
  }),
  'POST /videos/:id/views': ofVideo(({ uuid }) => `/videos/${uuid}/views`, { body: { currentTime: 1 } })
}

async function passwordOf(videoId: number): Promise<number> {
  const [row] = await runQuery<{ id: number }>(sql`SELECT id FROM video_passwords WHERE video_id = ${videoId} ORDER BY id LIMIT 1`)
  return row!.id
}

/** The requests of READS_BY_PRIVACY: the privacy, and how the video is named and opened. */
export const READ_CASES: Readonly<Record<string, { privacy: number; byNumber?: true; password?: string }>> = {
  public: { privacy: 1 },
  'unlisted, by its UUID': { privacy: 2 },
  'unlisted, by its number': { privacy: 2, byNumber: true },
  private: { privacy: 3 },
  internal: { privacy: 4 },
  'password protected': { privacy: 5 },
  'password protected, with a wrong password': { privacy: 5, password: 'not this' },
  'password protected, with the password': { privacy: 5, password: VIDEO_PASSWORD }
}

const READ_BODIES: Readonly<Record<string, object>> = {
  'POST /videos/:id/comment-threads': { text: 'A comment' },
  'POST /videos/:id/comments/:commentId': { text: 'A reply' },
  'POST /videos/:id/views': { currentTime: 1 },
  'PUT /videos/:id/rate': { rating: 'like' }
}

/** Returns the request of a route of WATCHING_ROUTES about a video. */
export function readRequest(
  route: string,
  video: SeededVideo,
  { byNumber, password: given }: { byNumber?: true; password?: string }
): MatrixRequest {
  const ids: Record<string, number | string> = {
    id: byNumber ? video.id : video.uuid,
    videoFileId: video.file,
    threadId: video.thread,
    commentId: video.thread
  }
  return {
    path: route.split(' ')[1]!.replace(/:(\w+)/g, (_, name: string) => String(ids[name])),
    body: READ_BODIES[route],
    headers: given === undefined ? {} : { 'x-peertube-video-password': given }
  }
}

const asOther = async (world: MatrixWorld, made: MatrixRequest): Promise<MatrixRequest> => ({ ...made, token: world.people.other.token })

/** The requests of FOREIGN_FIELDS; `other` sends them unless they have a token. */
export const FOREIGN_FIELD_REQUESTS: Readonly<Record<string, (world: MatrixWorld) => Promise<MatrixRequest>>> = {
  'POST /videos/upload channelId of somebody else': async world =>
    await asOther(world, { multipart: videoUploadForm(uploadFields(world.people.owner), { bytes: world.footage, name: 'film.mp4' }) }),
  'POST /videos/upload-resumable channelId of somebody else': async world =>
    await asOther(world, {
      body: { ...uploadFields(world.people.owner), filename: 'film.mp4' },
      headers: { 'x-upload-content-length': '1000', 'x-upload-content-type': 'video/mp4' }
    }),
  'PUT /videos/:id channelId of somebody else': async world =>
    await asOther(world, {
      path: `/videos/${(await world.video({ of: world.people.other })).uuid}`,
      body: { channelId: world.people.owner.channelId }
    }),
  'PUT /videos/:id channelId of somebody else, by a moderator who owns it': async world => ({
    path: `/videos/${(await world.video()).uuid}`,
    body: { channelId: world.people.moderator.channelId },
    token: world.people.moderator.token
  }),
  'POST /video-playlists videoChannelId of somebody else': async world =>
    await asOther(world, { body: { displayName: 'A playlist', privacy: 1, videoChannelId: world.people.owner.channelId } }),
  'PUT /video-playlists/:playlistId videoChannelId of somebody else': async world =>
    await asOther(world, {
      path: `/video-playlists/${(await world.playlist({ of: world.people.other })).id}`,
      body: { videoChannelId: world.people.owner.channelId }
    }),
  'POST /video-playlists/:playlistId/videos videoId of a private video': async world => await intoPlaylist(world, 3),
  'POST /video-playlists/:playlistId/videos videoId of a video with a password': async world => await intoPlaylist(world, 5),
  'POST /video-playlists/:playlistId/videos videoId of an unlisted video, by its number': async world => await intoPlaylist(world, 2),
  'POST /abuses video of somebody else that is private': async world =>
    await asOther(world, { body: { reason: 'bad bad', video: { id: (await world.video({ privacy: 3 })).id } } }),
  'POST /abuses comment below a private video': async world =>
    await asOther(world, { body: { reason: 'bad bad', comment: { id: (await world.video({ privacy: 3 })).thread } } }),
  'POST /abuses comment that is held': async world =>
    await asOther(world, {
      body: { reason: 'bad bad', comment: { id: await world.comment((await world.video()).id, world.people.moderator, true) } }
    }),
  'GET /users/me/videos channelId of somebody else': async world =>
    await asOther(world, { path: `/users/me/videos?channelId=${world.people.owner.channelId}` }),
  'GET /users/me/videos/comments videoId of somebody else': async world =>
    await asOther(world, { path: `/users/me/videos/comments?videoId=${(await world.video()).id}` }),
  'GET /users/me/videos/comments videoChannelId of somebody else': async world =>
    await asOther(world, { path: `/users/me/videos/comments?videoChannelId=${world.people.owner.channelId}` })
}

async function intoPlaylist(world: MatrixWorld, privacy: number): Promise<MatrixRequest> {
  const { id } = await world.playlist({ of: world.people.other })
  return await asOther(world, { path: `/video-playlists/${id}/videos`, body: { videoId: (await world.video({ privacy })).id } })
}

/** Returns the request line of a route with its own path, or that of the request. */
export function requestLine(route: string, { path }: MatrixRequest): string {
  const [method, declared] = route.split(' ') as [string, string]
  return `${method} ${path ?? declared}`
}

/** The token with which a sender sends a request. */
export function tokenOf(world: MatrixWorld, sender: (typeof SENDERS)[number], { token, owner }: MatrixRequest): string {
  return token ?? (sender === 'owner' ? owner : undefined) ?? world.people[sender].token
}
