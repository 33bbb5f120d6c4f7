import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { rewriteMasterPlaylist } from '../videos/master-playlist.ts'
import { makeFootageBytes } from './footage.ts'
import { eventually, type TestInstance } from './instance.ts'
import { uploadVideo, waitForTranscoding } from './upload.ts'

/** What leads to the video of the matrix from outside it; all stay what they are when the video changes. */
export type LeakWorld = Awaited<ReturnType<typeof makeLeakWorld>>
/** The names of the video's files as they are now, by the folder of their addresses. */
export type LeakFileNames = {
  hls: string[]
  thumbnails: string[]
  previews: string[]
  storyboards: string[]
  captions: string[]
  torrents: string[]
  sources: string[]
  file: number
}

export const LEAK_PASSWORD = 'open sesame'

/** Uploads a video with all that a video can have, and lets somebody rate, report, comment and subscribe while it is public. */
export async function makeLeakWorld(site: TestInstance) {
  const [owner, other, moderator] = [await site.user('ada'), await site.user('eve'), await site.user('mod', { role: 1 })]
  const call = async (key: string, token: string, body?: object) => {
    const answer = await site.call(key, { token, body })
    if (answer.status >= 300) throw new Error(`${key}: ${answer.text}`)
    return answer.json
  }
  const { id, uuid, shortUUID } = await uploadVideo(site, owner, {}, await makeFootageBytes({ seconds: 2, size: '426x240' }))
  await waitForTranscoding(site, owner, uuid)
  await eventually(async () => {
    const due = await runQuery(sql`SELECT FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
      WHERE p.video_id = ${id} AND f.torrents_due_at IS NOT NULL`)
    return due.length === 0
  })
  const caption = `${crypto.randomUUID()}-en.vtt`
  await mkdir(join(site.folder, 'captions'), { recursive: true })
  await writeFile(join(site.folder, 'captions', caption), 'WEBVTT\n\n00:00.000 --> 00:01.000\nHello\n')
  await runQuery(sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${id}, 'en', ${caption})`)
  await transaction(async tx => await rewriteMasterPlaylist({ id, uuid }, tx))
  await runQuery(sql`INSERT INTO video_chapters (video_id, timecode, title) VALUES (${id}, 0, 'Start')`)
  const open = await uploadVideo(site, other, {}, await makeFootageBytes({ seconds: 1, size: '426x240' }))
  await waitForTranscoding(site, other, open.uuid)
  const channel = (await call('GET /users/me', owner.token)).videoChannels[0].name as string
  const { videoPlaylist } = await call('POST /video-playlists', owner.token, {
    displayName: 'Films',
    privacy: 1,
    videoChannelId: owner.channelId
  })
  const element = (await call(`POST /video-playlists/${videoPlaylist.uuid}/videos`, owner.token, { videoId: uuid })).videoPlaylistElement.id
  const { comment } = await call(`POST /videos/${uuid}/comment-threads`, other.token, { text: 'A comment' })
  await call(`PUT /videos/${uuid}/rate`, other.token, { rating: 'like' })
  await call('POST /abuses', other.token, { reason: 'bad bad', video: { id } })
  await call('POST /users/me/subscriptions', other.token, { uri: `${channel}@${new URL(site.url).host}` })
  const [reaction] = await runQuery<{ url: string }>(sql`SELECT url FROM reactions WHERE video_id = ${id}`)
  const shares = await runQuery<{ url: string }>(sql`SELECT url FROM video_shares WHERE video_id = ${id}`)
  return {
    site,
    call,
    tokens: { owner: owner.token, other: other.token, moderator: moderator.token },
    root: await site.login(),
    id,
    uuid,
    shortUUID,
    openUuid: open.uuid,
    channel,
    playlist: videoPlaylist as { id: number; uuid: string; shortUUID: string },
    element: element as number,
    comment: comment.id as number,
    reaction: new URL(reaction!.url).pathname,
    shares: shares.map(({ url }) => new URL(url).pathname)
  }
}

/** Gives the video a copy that this instance holds, unless it has one. */
export async function addRedundancy({ id, uuid, site }: LeakWorld): Promise<void> {
  await runQuery(sql`INSERT INTO redundancies (url, video_id, actor_id, base_url)
    SELECT ${`${site.url}/redundancy/streaming-playlists/hls/${uuid}`}, ${id}, id, 'http://127.0.0.1:9/' FROM actors
      WHERE host IS NULL AND preferred_username = ${INSTANCE_ACTOR_NAME} ON CONFLICT DO NOTHING`)
}

/** Reads the names of the video's files from the database. */
export async function readFileNames({ id, uuid, site }: LeakWorld): Promise<LeakFileNames> {
  const names = async (query: ReturnType<typeof sql>) => (await runQuery<{ name: string }>(query)).map(({ name }) => name)
  const files = await runQuery<{ id: number; filename: string; playlist_filename: string }>(sql`
    SELECT f.id, f.filename, f.playlist_filename FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
    WHERE p.video_id = ${id} ORDER BY f.id`)
  const lists = await runQuery<{ playlist_filename: string; segments_sha256_filename: string }>(
    sql`SELECT playlist_filename, segments_sha256_filename FROM streaming_playlists WHERE video_id = ${id}`
  )
  const captions = await names(sql`SELECT filename AS name FROM video_captions WHERE video_id = ${id}`)
  const master = await site.call(`GET //static/streaming-playlists/hls/${uuid}/${lists[0]!.playlist_filename}`, {
    token: await site.login()
  })
  return {
    hls: [
      ...files.flatMap(({ filename, playlist_filename }) => [filename, playlist_filename]),
      ...lists.flatMap(list => [list.playlist_filename, list.segments_sha256_filename]),
      // Subtitle playlists.
      ...[...master.text.matchAll(/URI="([^"?]+)/g)]
        .map(([, name]) => name!)
        .filter(name => name !== '' && !files.some(file => file.playlist_filename === name)),
      ...captions
    ],
    thumbnails: await names(sql`SELECT filename AS name FROM thumbnails WHERE video_id = ${id} AND kind = 'thumbnail'`),
    previews: await names(sql`SELECT filename AS name FROM thumbnails WHERE video_id = ${id} AND kind = 'preview'`),
    storyboards: await names(sql`SELECT filename AS name FROM storyboards WHERE video_id = ${id}`),
    captions,
    torrents: await names(sql`SELECT t.filename AS name FROM torrents t JOIN video_files f ON f.id = t.video_file_id
      JOIN streaming_playlists p ON p.id = f.streaming_playlist_id WHERE p.video_id = ${id}`),
    sources: await names(sql`SELECT filename AS name FROM video_sources WHERE video_id = ${id}`),
    file: files[0]!.id
  }
}

/** The addresses of a route about the video, which has this title now; they begin with `/`. */
export function leakAddresses(route: string, world: LeakWorld, names: LeakFileNames, title: string): string[] {
  const { uuid, shortUUID, id, channel, playlist, element, comment } = world
  const made = ADDRESSES[route]
  const path = route.split(' ')[1]!
  if (made) return made({ ...world, names, title })
  const values: Record<string, string[]> = {
    id:
      path.includes('playlist') || path.startsWith('/w/p/')
        ? [playlist.uuid]
        : [uuid, shortUUID, ...(path.startsWith('/api') ? [String(id)] : [])],
    uuid: [uuid],
    videoFileId: [String(names.file)],
    threadId: [String(comment)],
    name: [path.includes('video-channels') ? channel : path.includes('ratings') ? 'eve' : 'ada'],
    channelHandle: [channel],
    handle: [channel],
    playlistId: [playlist.uuid],
    elementId: [String(element)]
  }
  return [...path.matchAll(/:(\w+)/g)].reduce<string[]>(
    (paths, [part, name]) => paths.flatMap(one => values[name!]!.map(value => one.replace(part!, value))),
    [path]
  )
}

type Context = LeakWorld & { names: LeakFileNames; title: string }
const encoded = encodeURIComponent
const oembed = (address: string) => `/services/oembed?format=json&url=${encoded(address)}`
const inFolder = (folder: string, names: string[]) => names.map(name => `${folder}/${name}`)

const ADDRESSES: Readonly<Record<string, (context: Context) => string[]>> = {
  'GET /api/v1/search/videos': ({ title, uuid, site, shortUUID }) => [
    `/api/v1/search/videos?search=${encoded(title)}`,
    `/api/v1/search/videos?uuids[]=${uuid}`,
    `/api/v1/search/videos?search=${encoded(`${site.url}/videos/watch/${uuid}`)}`,
    `/api/v1/search/videos?search=${encoded(`${site.url}/w/${shortUUID}`)}`
  ],
  'GET /api/v1/videos': () => ['-publishedAt', '-trending', '-hot', '-views', 'name'].map(sort => `/api/v1/videos?sort=${sort}&count=100`),
  'GET /api/v1/users/me/abuses': () => ['/api/v1/users/me/abuses'],
  'GET /static/streaming-playlists/hls/:uuid/:name': ({ uuid, names }) =>
    inFolder(`/static/streaming-playlists/hls/${uuid}`, [...names.hls, '240.mp4']),
  'GET /static/streaming-playlists/hls/private/:uuid/:name': ({ uuid, names }) =>
    inFolder(`/static/streaming-playlists/hls/private/${uuid}`, [...names.hls, '240.mp4']),
  'GET /lazy-static/thumbnails/:name': ({ names }) => inFolder('/lazy-static/thumbnails', names.thumbnails),
  'GET /lazy-static/previews/:name': ({ names }) => inFolder('/lazy-static/previews', names.previews),
  'GET /lazy-static/storyboards/:name': ({ names }) => inFolder('/lazy-static/storyboards', names.storyboards),
  'GET /lazy-static/video-captions/:name': ({ names }) => inFolder('/lazy-static/video-captions', names.captions),
  'GET /lazy-static/torrents/:name': ({ names }) => inFolder('/lazy-static/torrents', names.torrents),
  'GET /download/torrents/:name': ({ names }) => inFolder('/download/torrents', names.torrents),
  'GET /download/original-video-files/:name': ({ names }) => inFolder('/download/original-video-files', names.sources),
  'GET /download/streaming-playlists/hls/videos/:name': ({ uuid }) => [
    `/download/streaming-playlists/hls/videos/${uuid}-240-fragmented.mp4`
  ],
  'GET /download/web-videos/:name': ({ uuid }) => [`/download/web-videos/${uuid}-240.mp4`],
  'GET /download/videos/generate/:id': ({ uuid, names }) => [`/download/videos/generate/${uuid}?videoFileIds=${names.file}`],
  'GET /w/:id': ({ uuid, shortUUID, id, comment }) => [`/w/${shortUUID}`, `/w/${uuid}`, `/w/${id}`, `/w/${shortUUID};threadId=${comment}`],
  'GET /services/oembed': ({ site, uuid, shortUUID }) => [
    oembed(`${site.url}/w/${shortUUID}`),
    oembed(`${site.url}/videos/embed/${uuid}`),
    oembed(`${site.url}/videos/watch/${uuid}`)
  ],
  'GET /w/p/:id': ({ playlist }) => [`/w/p/${playlist.shortUUID}`],
  'GET /search': ({ title }) => [`/search?search=${encoded(title)}`],
  'GET /': () => ['/', '/?sort=trending', '/?sort=local'],
  'GET /accounts/:name/outbox': () => ['/accounts/ada/outbox?page=1'],
  'GET /video-channels/:name/outbox': ({ channel }) => [`/video-channels/${channel}/outbox?page=1`],
  'GET /videos/watch/:id/announces/:actorId': ({ shares }) => shares,
  // None was given; that it is not there is answered for every video.
  'GET /videos/watch/:id/quote-authorizations/:quoteId': ({ uuid }) => [`/videos/watch/${uuid}/quote-authorizations/1`],
  'GET /videos/watch/:uuid/comments/:id{/:part}': ({ uuid, comment }) =>
    ['', '/activity', '/replies'].map(part => `/videos/watch/${uuid}/comments/${comment}${part}`),
  'GET /accounts/:name/likes/:id': ({ reaction }) => [reaction],
  'GET /accounts/:name/dislikes/:id': ({ reaction }) => [reaction.replace('likes', 'dislikes')],
  'GET /video-playlists/:id': ({ playlist }) => [`/video-playlists/${playlist.uuid}`, `/video-playlists/${playlist.uuid}?page=1`]
}
