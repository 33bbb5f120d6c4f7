import { join } from 'node:path'
import { Router, type Request, type RequestHandler, type Response } from 'express'
import { notBlockedSql } from '../actors/blocks.ts'
import { config } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { notFound, Problem } from '../core/problem.ts'
import { requestViewer } from '../core/route.ts'
import { sendStoredFile } from '../core/send-file.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { getCachedRemoteFile, type RemoteFileConstraints } from '../fediverse/remote-file-cache.ts'
import { hlsFolder, storedFilePath } from '../storage/disk.ts'
import { longUuid } from '../../shared/short-uuid.ts'
import { assertCanWatchVideo, findVideoAccessInfo, findManagedVideo, type VideoAccessInfo } from './video-access.ts'
import { verifyVideoFileToken } from './video-file-token.ts'
import { resolutionLabel } from './labels.ts'
import { findCachedVideoAccessInfo } from './public-file-cache.ts'
import { sendHlsPlaylist } from './send-hls-playlist.ts'
import { sendProgressiveMp4, findProgressiveMp4Source } from './send-progressive-mp4.ts'
import { canManageVideo, isPublicOrUnlisted } from './video.policy.ts'
import { FETCH } from '../fediverse/fetch-internals.ts'

const FILE_NAME = /^[0-9a-zA-Z-]{1,100}\.(m3u8|mp4|json|jpg|png|webp|vtt)$/

/**
 * A resolution as one MP4, for browsers that neither play HLS nor run scripts, and as `transcoding.web_videos` announces it. Names without
 * the UUID were announced before 0.2 and keep their addresses.
 */
const PROGRESSIVE_MP4_NAME = /^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-)?(\d{1,5})\.mp4$/

/** Routes of images, captions, HLS files and downloads. Files of a private video need authorization at every URL that leads to them. */
export const filesRouter = Router()
filesRouter.use(
  ['/static', '/lazy-static', '/download'],
  (request, response, next) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Expose-Headers', 'Content-Range, Content-Length, ETag, Retry-After')
    if (request.method === 'OPTIONS') {
      response.setHeader('Access-Control-Allow-Methods', 'GET,HEAD')
      response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '*')
      return void response.status(204).end()
    }
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new Problem(405, null, 'Files are only read.', { headers: { Allow: 'GET, HEAD' } })
    next()
  },
  limitRate('files')
)

/** Per kind, the query of file names and of the URLs of the files that are hosted by other servers. */
const REMOTE_FILES_SQL: Record<string, Sql> = {
  thumbnails: sql`SELECT filename, url FROM thumbnails WHERE kind = 'thumbnail'`,
  previews: sql`SELECT filename, url FROM thumbnails WHERE kind = 'preview'`,
  avatars: sql`SELECT filename, url FROM actor_images WHERE kind = 'avatar'`,
  banners: sql`SELECT filename, url FROM actor_images WHERE kind = 'banner'`,
  storyboards: sql`SELECT filename, url FROM storyboards`,
  captions: sql`SELECT filename, url FROM video_captions`,
  'comment-attachments': sql`SELECT filename, attached.url FROM comment_attachments attached JOIN comments ON comments.id = comment_id
    JOIN accounts ON accounts.id = comments.account_id JOIN actors ON actors.id = accounts.actor_id
    WHERE NOT held AND deleted_at IS NULL AND ${notBlockedSql({ actorId: sql`actors.id`, host: sql`actors.host` }, null)}`
}
const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const CAPTION_TYPES = ['text/vtt', 'text/plain', 'application/octet-stream']

filesRouter.get('/lazy-static/video-captions/:name', async (request, response) => {
  const name = assertFileName(request.params.name)
  if (
    await sendRemoteFile(request, response, 'captions', name, { types: CAPTION_TYPES, maxSize: config.cache.remote_files.max_caption_size })
  )
    return
  await sendStoredFile(request, response, storedFilePath('captions', name), publicCache(config.cache.static.images))
})
for (const kind of ['thumbnails', 'previews', 'storyboards', 'avatars', 'banners'] as const) {
  filesRouter.get(`/lazy-static/${kind}/:name`, async (request, response) => {
    const name = assertFileName(request.params.name)
    if (await sendRemoteFile(request, response, kind, name, { types: IMAGE_TYPES, maxSize: FETCH.maxImageSize })) return
    await sendStoredFile(request, response, storedFilePath(kind, name), publicCache(config.cache.static.images))
  })
}

filesRouter.get('/lazy-static/comment-attachments/:name', async (request, response) => {
  const name = assertFileName(request.params.name)
  if (!(await sendRemoteFile(request, response, 'comment-attachments', name, { types: IMAGE_TYPES, maxSize: FETCH.maxImageSize })))
    throw notFound('File')
})

/**
 * Sends a file of another server through the cache; returns false where the database names no remote file of this name. Only URLs from the
 * database are fetched (docs/federation.md#files-of-other-servers). Throws 404.
 */
async function sendRemoteFile(
  request: Request,
  response: Response,
  kind: string,
  name: string,
  constraints: RemoteFileConstraints
): Promise<boolean> {
  const remoteFiles = REMOTE_FILES_SQL[kind]
  const [found] = remoteFiles
    ? await runQuery<{ url: string | null }>(sql`SELECT url FROM (${remoteFiles}) file WHERE filename = ${name}`)
    : []
  if (!found?.url) return false
  const cached = await getCachedRemoteFile(name, found.url, constraints)
  if (!cached) throw notFound('File')
  await sendStoredFile(request, response, storedFilePath('cache', cached), publicCache(config.cache.static.images))
  return true
}

const sendHlsFile: RequestHandler = async (request, response) => {
  const video = await findRequestedVideo(String(request.params.uuid))
  const name = assertFileName(String(request.params.name))
  await assertCanReadFiles(request, video)
  const isOpen = isPublicOrUnlisted(video.privacy)
  const mutableCacheControl = isOpen ? 'no-cache' : 'private, no-store'
  const [, resolution] = PROGRESSIVE_MP4_NAME.exec(name) ?? []
  if (resolution !== undefined) {
    return await sendProgressiveMp4(
      request,
      response,
      await findProgressiveMp4Source(video, Number(resolution)),
      isOpen ? 'no-cache' : privateCache(config.cache.static.private)
    )
  }
  if (!name.endsWith('.mp4')) {
    response.setHeader('Cache-Control', mutableCacheControl)
    const token = request.query.reinjectVideoFileToken === 'true' ? String(request.query.videoFileToken ?? '') : undefined
    // Players request the last bytes of a playlist (Range) to look for its end.
    if (name.endsWith('.m3u8') && (token !== undefined || request.headers.range === undefined))
      return await sendHlsPlaylist(request, response, join(hlsFolder(video.uuid), name), token)
  }
  const immutableCacheControl = isOpen ? publicCache(config.cache.static.segments, true) : privateCache(config.cache.static.private)
  await sendStoredFile(
    request,
    response,
    join(hlsFolder(video.uuid), name),
    name.endsWith('.mp4') ? immutableCacheControl : mutableCacheControl,
    { appendOnly: name.endsWith('.mp4') }
  )
}
filesRouter.get('/static/streaming-playlists/hls/private/:uuid/:name', sendHlsFile)
filesRouter.get('/static/streaming-playlists/hls/:uuid/:name', sendHlsFile)

filesRouter.get('/download/streaming-playlists/hls/videos/:name', async (request, response) => {
  const [, uuid = '', resolution = ''] =
    /^([0-9a-f-]{36})-(\d{1,5}(?=-fragmented\.mp4)|0(?=-fragmented\.m4a))-fragmented\.\w+$/.exec(String(request.params.name)) ?? []
  const video = await findRequestedVideo(uuid)
  await assertCanReadFiles(request, video)
  const [row] = await runQuery<{ name: string; download_enabled: boolean }>(
    sql`SELECT name, download_enabled FROM videos WHERE id = ${video.id}`
  )
  if (!row) throw notFound('Video')
  const source = await findProgressiveMp4Source(video, Number(resolution))
  if (!row.download_enabled && !canManageVideo(await requestViewer(request), video))
    throw new Problem(403, null, 'Downloading this video is disabled.')
  response.attachment(`${row.name}-${resolutionLabel(Number(resolution))}-hls.${source.isAudioOnly ? 'm4a' : 'mp4'}`)
  await sendProgressiveMp4(request, response, source, privateCache(0))
})

filesRouter.get('/download/original-video-files/:name', async (request, response) => {
  const viewer = await requestViewer(request)
  const [source] = await runQuery<{ video_id: number; filename: string; input_filename: string }>(
    sql`SELECT video_id, filename, input_filename FROM video_sources WHERE filename = ${String(request.params.name)}`
  )
  if (!source) throw notFound('Video source')
  const grant = await verifyVideoFileToken(request.query.videoFileToken, await findVideoAccessInfo(source.video_id))
  if (!grant?.manages) {
    if (!viewer) throw missingFileCredentials()
    await findManagedVideo(source.video_id, viewer)
  }
  response.attachment(source.input_filename)
  await sendStoredFile(request, response, storedFilePath('original_video_files', source.filename), privateCache(0))
})

/** Returns the video of a UUID or short UUID from a path. Throws 404. */
async function findRequestedVideo(id: string): Promise<VideoAccessInfo> {
  const uuid = longUuid(id)
  if (!uuid) throw notFound('Video')
  return await findCachedVideoAccessInfo(uuid)
}

/** Throws 403 unless the video is public or unlisted, or the request has a valid file token, login or password. */
async function assertCanReadFiles(request: Request, video: VideoAccessInfo): Promise<void> {
  if (isPublicOrUnlisted(video.privacy)) return
  const token = request.query.videoFileToken
  const password = request.headers['x-peertube-video-password']
  if (token !== undefined) {
    if (await verifyVideoFileToken(token, video)) return
    throw new Problem(403, null, 'This token does not open this video.')
  }
  const viewer = await requestViewer(request)
  if (!viewer && typeof password !== 'string') throw missingFileCredentials()
  await assertCanWatchVideo(video, video.uuid, { viewer, password: typeof password === 'string' ? password : undefined, ip: request.ip })
}

function missingFileCredentials(): Problem {
  return new Problem(403, null, 'Video password header, video file token query parameter and bearer token are all missing')
}

/** Cache-Control for shared caches; `maxAge` in ms. An `immutable` response is never revalidated (RFC 8246). */
function publicCache(maxAge: number, immutable = false): string {
  return `public, max-age=${Math.floor(maxAge / 1000)}${immutable ? ', immutable' : ''}`
}

/** Cache-Control for the browser alone; `maxAge` in ms. */
function privateCache(maxAge: number): string {
  return `private, max-age=${Math.floor(maxAge / 1000)}`
}

/** Returns the name if it is a plain file name. Throws 404. */
function assertFileName(name: string | undefined): string {
  if (!name || !FILE_NAME.test(name)) throw notFound('File')
  return name
}
