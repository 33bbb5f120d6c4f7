import { execFile, fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { findFreePort } from '../../../scripts/launch/free-port.ts'
import { createTestClient, eventually } from '../instance.ts'
import { startScriptedPeerTube } from '../scripted-peertube.ts'
import { startTestServices } from '../services.ts'
import { uploadVideo, waitForTranscoding } from '../upload.ts'
import {
  readFacts,
  RECORDED_FOLLOWER,
  RECORDED_ORIGIN,
  RECORDED_PASSWORD,
  type RecordedAddress,
  type RecordedInstance
} from './recorded-instance.ts'

const exec = promisify(execFile)
const [checkout, commit] = process.argv.slice(2)
if (!checkout || !commit) throw new Error('Usage: record-instance.ts <folder of an old version with its packages> <its commit>')

const services = await startTestServices()
const { host, port: databasePort, username } = services.postgres
const withDatabase = async <T>(name: string, act: (client: pg.Client) => Promise<T>): Promise<T> => {
  const client = new pg.Client({ host, port: databasePort, user: username, database: name })
  await client.connect()
  try {
    return await act(client)
  } finally {
    await client.end()
  }
}
await withDatabase('postgres', async client => await client.query(`CREATE DATABASE recorded TEMPLATE template0 ENCODING 'UTF8'`))
const work = await mkdtemp(join(tmpdir(), 'bobine-recorded-'))
const storage = join(work, 'storage')
const port = await findFreePort()
const unlimited = { window: '10 seconds', max: 100_000 }
const server = fork('server/main.ts', [], {
  cwd: resolve(checkout),
  execArgv: ['--import', 'tsx'],
  env: {
    ...process.env,
    BOBINE_ROOT_PASSWORD: RECORDED_PASSWORD,
    BOBINE_CONFIG: JSON.stringify({
      listen: { port },
      webserver: { https: false, hostname: new URL(RECORDED_ORIGIN).hostname, port: 80 },
      database: { hostname: host, port: databasePort, name: 'recorded', username },
      redis: { socket: services.redis.socket, prefix: 'recorded' },
      storage: { root: storage },
      log: { level: 'error' },
      security: { password_cost: 4, actor_key_bits: 1024 },
      transcoding: {
        preset: 'ultrafast',
        crf: 40,
        audio_bitrate: 32_000,
        web_videos: { enabled: true },
        resolutions: { '0p': true, '144p': true }
      },
      rates_limit: { api: unlimited, login: unlimited, activity_pub: unlimited, files: unlimited },
      federation: { prevent_ssrf: false, min_key_bits: 1024 }
    })
  }
})
const [ready] = (await once(server, 'message')) as [{ type: string; message?: string }]
if (ready.type !== 'ready') throw new Error(ready.message)
const follower = await startScriptedPeerTube(() => `http://127.0.0.1:${port}/inbox`)
try {
  await record()
} finally {
  if (server.connected) server.disconnect()
  await follower.peer.stop()
  await services.stop()
  await rm(work, { recursive: true, force: true })
}

async function record(): Promise<void> {
  const { call, login } = await createTestClient(`http://127.0.0.1:${port}`)
  const succeed = async (key: string, options: Parameters<typeof call>[1]) => {
    const { status, text, json } = await call(key, options)
    if (status >= 300) throw new Error(`${key}: ${status} ${text}`)
    return json
  }
  const query = async (statement: string) => await withDatabase('recorded', async client => (await client.query(statement)).rows)

  const root = await login('root', RECORDED_PASSWORD)
  const people = ['ada', 'grace'] as const
  for (const name of people) {
    const body = { username: name, password: RECORDED_PASSWORD, email: `${name}@example.com`, role: 2 }
    await succeed('POST /users', { token: root, body })
  }
  const [ada, grace] = await Promise.all(people.map(async name => await login(name, RECORDED_PASSWORD)))
  const tokens = { ada: ada!, grace: grace! }
  const channelId = (await succeed('GET /users/me', { token: ada })).videoChannels[0].id
  await succeed('POST /video-channels', { token: ada, body: { name: 'ada_films', displayName: 'Films of Ada' } })

  // A follower that is a PeerTube, with a channel that Grace follows.
  const { peer, instance, account, channel } = follower
  const say = async (activity: Parameters<typeof peer.post>[1]) => {
    const headers = { host: new URL(RECORDED_ORIGIN).host }
    const { status, text } = await peer.post(`http://127.0.0.1:${port}/inbox`, activity, { headers })
    if (status >= 300) throw new Error(`The inbox answered ${status}: ${text}`)
  }
  const served: RecordedInstance['served'] = {}
  const serve = (document: { id: string; [key: string]: unknown }) => {
    const { pathname } = new URL(document.id)
    peer.serve(pathname, document)
    served[pathname] = document
  }
  await say({ type: 'Follow', id: peer.id(), actor: instance.url, object: `${RECORDED_ORIGIN}/accounts/peertube` })
  await succeed('POST /users/me/subscriptions', { token: grace, body: { uri: `${channel.name}@${peer.host}` } })
  const follow = await eventually(async () => peer.received.find(({ activity }) => activity.type === 'Follow')?.activity)
  await say({ type: 'Accept', id: peer.id(), actor: channel.url, object: follow })

  const user = { token: ada!, channelId }
  const footage = await makeFootage()
  const videos: RecordedInstance['videos'] = []
  for (const [name, privacy] of [
    ['The first', 1],
    ['The second', 1],
    ['The third', 1],
    ['Unlisted', 2],
    ['Private', 3]
  ] as const) {
    const bytes = name === 'The first' ? footage.captioned : footage.plain
    const { id, uuid } = await uploadVideo({ call }, user, { name, privacy, description: `What is in ${name}` }, bytes)
    await waitForTranscoding({ call }, user, id)
    videos.push({ uuid, privacy })
  }
  const [first, second] = [videos[0]!, videos[1]!]
  const { videoPlaylist } = await succeed('POST /video-playlists', {
    token: ada,
    body: { displayName: 'Both', privacy: 1, videoChannelId: channelId }
  })
  for (const { uuid } of [first, second])
    await succeed(`POST /video-playlists/${videoPlaylist.uuid}/videos`, { token: ada, body: { videoId: uuid } })
  const { comment } = await succeed(`POST /videos/${first.uuid}/comment-threads`, { token: grace, body: { text: 'I *like* it' } })
  await succeed(`POST /videos/${first.uuid}/comments/${comment.id}`, { token: ada, body: { text: 'Thank you' } })
  await succeed(`PUT /videos/${first.uuid}/rate`, { token: grace, body: { rating: 'like' } })
  await succeed(`PUT /videos/${second.uuid}/rate`, { token: grace, body: { rating: 'dislike' } })

  // What the follower thinks of the first video, and its own one.
  const PUBLIC = 'https://www.w3.org/ns/activitystreams#Public'
  const object = `${RECORDED_ORIGIN}/videos/watch/${first.uuid}`
  const context = 'https://www.w3.org/ns/activitystreams'
  const note = {
    '@context': context,
    type: 'Note',
    id: `${object.replace(RECORDED_ORIGIN, peer.url)}/comments/1`,
    content: '<p>Seen from afar</p>',
    inReplyTo: object,
    published: '2026-11-02T00:00:00.000Z',
    attributedTo: account.url,
    to: [PUBLIC],
    cc: []
  }
  serve(note)
  await say({ type: 'Create', id: `${note.id}/activity`, actor: account.url, to: [PUBLIC], cc: [], object: note })
  const like = { '@context': context, type: 'Like', id: `${account.url}/likes/1`, actor: account.url, object }
  serve(like)
  await say(like)
  const { video, activity } = follower.publish({ name: 'A far film' })
  const { json } = await peer.get(video.id)
  serve(json)
  await say(activity)

  await eventually(async () => (await query('SELECT 1 FROM videos WHERE remote')).length === 1, 30, 'the remote video')
  const queues = 'SELECT 1 FROM deliveries UNION ALL SELECT 1 FROM videos WHERE counters_due_at IS NOT NULL'
  await eventually(async () => (await query(queues)).length === 0, 60, 'empty queues')
  const facts = await readFacts(call, tokens, videoPlaylist.uuid)
  const addresses = await collectAddresses(
    videos.map(({ uuid }) => uuid),
    [`/video-playlists/${videoPlaylist.uuid}`, new URL(comment.url).pathname]
  )

  server.disconnect()
  await once(server, 'exit')
  const target = join(import.meta.dirname, commit!)
  await mkdir(target, { recursive: true })
  const withoutPort = (text: string) => text.replaceAll(peer.host, RECORDED_FOLLOWER)
  const dump = join(work, 'dump.sql')
  await exec('pg_dump', ['-h', host, '-p', String(databasePort), '-U', username, '--no-owner', '--inserts', '-f', dump, 'recorded'])
  // Settings of another version of Postgres, and commands of psql.
  const statements = (await readFile(dump, 'utf8')).replace(/^(\\.*|SET (transaction|idle)_.*|--( .*)?)\n/gm, '')
  await writeFile(dump, withoutPort(statements))
  const recorded: RecordedInstance = { commit: commit!, videos, playlist: videoPlaylist.uuid, addresses, facts, served }
  await writeFile(join(target, 'recorded.json'), withoutPort(`${JSON.stringify(recorded, null, 2)}\n`))
  await exec('tar', ['-C', work, '-czf', join(target, 'instance.tar.gz'), 'dump.sql', 'storage'])
}

/** All addresses in what the instance announces, with what they answer; those of the private video as well. */
async function collectAddresses(uuids: string[], more: string[]): Promise<RecordedAddress[]> {
  const accept = 'application/activity+json'
  const documents = [
    ...uuids.flatMap(uuid =>
      ['', '/activity', '/likes', '/dislikes', '/announces', '/comments', '/chapters'].map(part => `/videos/watch/${uuid}${part}`)
    ),
    ...['peertube', 'ada', 'grace'].map(name => `/accounts/${name}`),
    ...['ada_channel', 'ada_films'].map(name => `/video-channels/${name}`),
    ...more
  ].map(path => RECORDED_ORIGIN + path)
  const files = new Set<string>()
  const answers: RecordedAddress[] = []
  const get = async (url: string, headers = {}) => await fetch(url.replace(RECORDED_ORIGIN, `http://127.0.0.1:${port}`), { headers })
  for (const url of documents) {
    const response = await get(url, { accept })
    const document = response.ok ? ((await response.json()) as { id: string }) : undefined
    answers.push({ url, status: response.status, id: document?.id ?? null })
    for (const [address] of JSON.stringify(document ?? '').matchAll(
      /http:\/\/tube\.example\/[^"\\]+\.\w{2,7}(?=")|[^"]+\/metadata\/\d+(?=")/g
    ))
      files.add(address)
  }
  const { call, login } = await createTestClient(`http://127.0.0.1:${port}`)
  const token = await login('ada', RECORDED_PASSWORD)
  for (const uuid of uuids) {
    const { text } = await call(`GET /videos/${uuid}`, { token })
    for (const [address] of text.matchAll(/http:\/\/tube\.example\/(?:static|download)[^"\\]+\.\w{2,7}(?=")/g)) files.add(address)
  }
  for (const url of [...files].sort()) {
    // The second answer of the ffprobe output comes from the database and is the one that stays.
    await (await get(url)).arrayBuffer()
    const response = await get(url)
    const bytes = Buffer.from(await response.arrayBuffer())
    answers.push({ url, status: response.status, ...(response.ok ? { sha256: createHash('sha256').update(bytes).digest('hex') } : {}) })
  }
  return answers
}

/** Two very small films, one with subtitles. */
async function makeFootage(): Promise<{ plain: Buffer<ArrayBuffer>; captioned: Buffer<ArrayBuffer> }> {
  const subtitles = join(work, 'words.srt')
  await writeFile(subtitles, '1\n00:00:00,500 --> 00:00:01,500\nHello\n')
  const make = async (name: string, inputs: string[], outputs: string[]) => {
    const file = join(work, name)
    const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=192x144:rate=10:duration=2', '-f', 'lavfi', '-i', 'sine=440:duration=2']
    const encoding = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac', ...outputs]
    await exec('ffmpeg', ['-v', 'error', '-y', ...picture, ...inputs, ...encoding, file])
    return (await readFile(file)) as Buffer<ArrayBuffer>
  }
  return {
    plain: await make('plain.mp4', [], []),
    captioned: await make('captioned.mkv', ['-i', subtitles], ['-c:s', 'srt', '-metadata:s:s:0', 'language=eng'])
  }
}
