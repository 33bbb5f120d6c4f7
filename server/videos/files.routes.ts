import { join } from 'node:path'
import { Router, type Request, type RequestHandler, type Response } from 'express'
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

const NAME = /^[0-9a-zA-Z-]{1,100}\.(m3u8|mp4|json|jpg|png|webp|vtt)$/

/** A quality as one file, for browsers that play neither HLS nor run scripts. */
const WHOLE = /^(\d{1,5})\.mp4$/

/** Pictures, HLS files and downloads. What is private opens for its viewers only, whatever address is tried. */
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

const REMOTE: Record<string, Sql> = {
  thumbnails: sql`SELECT filename, url FROM thumbnails WHERE kind = 'thumbnail'`,
  previews: sql`SELECT filename, url FROM thumbnails WHERE kind = 'preview'`,
  avatars: sql`SELECT filename, url FROM actor_images WHERE kind = 'avatar'`,
  banners: sql`SELECT filename, url FROM actor_images WHERE kind = 'banner'`,
  storyboards: sql`SELECT filename, url FROM storyboards`,
  captions: sql`SELECT filename, url FROM video_captions`
}
const PICTURES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const CAPTIONS = ['text/vtt', 'text/plain', 'application/octet-stream']

filesRouter.get('/lazy-static/video-captions/:name', async (request, response) => {
  const name = safeName(request.params.name)
  if (await sendRemote(request, response, 'captions', name, { types: CAPTIONS, maxSize: config.cache.remote_files.max_caption_size }))
    return
  await sendStoredFile(request, response, storedFilePath('captions', name), forAll(config.cache.static.images))
})
for (const kind of ['thumbnails', 'previews', 'storyboards', 'avatars', 'banners'] as const) {
  filesRouter.get(`/lazy-static/${kind}/:name`, async (request, response) => {
    const name = safeName(request.params.name)
    if (await sendRemote(request, response, kind, name, { types: PICTURES, maxSize: config.federation.fetch.max_image_size })) return
    await sendStoredFile(request, response, storedFilePath(kind, name), forAll(config.cache.static.images))
  })
}

/**
 * Sends what a row says is at another server; false where no row says so. Nothing else can be asked for
 * (docs/federation.md#files-of-other-servers). Throws 404.
 */
async function sendRemote(
  request: Request,
  response: Response,
  kind: string,
  name: string,
  expected: RemoteFileConstraints
): Promise<boolean> {
  const rows = REMOTE[kind]
  const [found] = rows ? await runQuery<{ url: string | null }>(sql`SELECT url FROM (${rows}) file WHERE filename = ${name}`) : []
  if (!found?.url) return false
  const cached = await getCachedRemoteFile(name, found.url, expected)
  if (!cached) throw notFound('File')
  await sendStoredFile(request, response, storedFilePath('cache', cached), forAll(config.cache.static.images))
  return true
}

const hls: RequestHandler = async (request, response) => {
  const video = await videoOf(String(request.params.uuid))
  const name = safeName(String(request.params.name))
  await assertFilesOpen(request, video)
  const open = isPublicOrUnlisted(video.privacy)
  const changing = open ? 'no-cache' : 'private, no-store'
  const [, resolution] = WHOLE.exec(name) ?? []
  if (resolution !== undefined) {
    return await sendProgressiveMp4(
      request,
      response,
      await findProgressiveMp4Source(video, Number(resolution)),
      open ? 'no-cache' : forOne(config.cache.static.private)
    )
  }
  if (!name.endsWith('.mp4')) {
    response.setHeader('Cache-Control', changing)
    const token = request.query.reinjectVideoFileToken === 'true' ? String(request.query.videoFileToken ?? '') : undefined
    // Players that look for a playlist's end ask for its last bytes.
    if (name.endsWith('.m3u8') && (token !== undefined || request.headers.range === undefined))
      return await sendHlsPlaylist(request, response, join(hlsFolder(video.uuid), name), token)
  }
  const lasting = open ? forAll(config.cache.static.segments, true) : forOne(config.cache.static.private)
  await sendStoredFile(request, response, join(hlsFolder(video.uuid), name), name.endsWith('.mp4') ? lasting : changing)
}
filesRouter.get('/static/streaming-playlists/hls/private/:uuid/:name', hls)
filesRouter.get('/static/streaming-playlists/hls/:uuid/:name', hls)

filesRouter.get('/download/streaming-playlists/hls/videos/:name', async (request, response) => {
  const [, uuid = '', resolution = ''] = /^([0-9a-f-]{36})-(\d{1,5})-fragmented\.mp4$/.exec(String(request.params.name)) ?? []
  const video = await videoOf(uuid)
  await assertFilesOpen(request, video)
  const [about] = await runQuery<{ name: string; download_enabled: boolean }>(
    sql`SELECT name, download_enabled FROM videos WHERE id = ${video.id}`
  )
  if (!about) throw notFound('Video')
  const whole = await findProgressiveMp4Source(video, Number(resolution))
  if (!about.download_enabled && !canManageVideo(await requestViewer(request), video))
    throw new Problem(403, null, 'Downloading this video is disabled.')
  response.attachment(`${about.name}-${resolutionLabel(Number(resolution))}-hls.${whole.sound ? 'm4a' : 'mp4'}`)
  await sendProgressiveMp4(request, response, whole, forOne(0))
})

filesRouter.get('/download/original-video-files/:name', async (request, response) => {
  const viewer = await requestViewer(request)
  const [source] = await runQuery<{ video_id: number; filename: string; input_filename: string }>(
    sql`SELECT video_id, filename, input_filename FROM video_sources WHERE filename = ${String(request.params.name)}`
  )
  if (!source) throw notFound('Video source')
  const opened = await verifyVideoFileToken(request.query.videoFileToken, await findVideoAccessInfo(source.video_id))
  if (!opened?.manages) {
    if (!viewer) throw new Problem(401, null, 'Not authenticated')
    await findManagedVideo(source.video_id, viewer)
  }
  response.attachment(source.input_filename)
  await sendStoredFile(request, response, storedFilePath('original_video_files', source.filename), forOne(0))
})

/** The video of a path. Throws 404. */
async function videoOf(id: string): Promise<VideoAccessInfo> {
  const uuid = longUuid(id)
  if (!uuid) throw notFound('Video')
  return await findCachedVideoAccessInfo(uuid)
}

/** Public and unlisted files are open; the others want a token, a login or the password. Throws 403. */
async function assertFilesOpen(request: Request, video: VideoAccessInfo): Promise<void> {
  if (isPublicOrUnlisted(video.privacy)) return
  const token = request.query.videoFileToken
  const password = request.headers['x-peertube-video-password']
  if (token !== undefined) {
    if (await verifyVideoFileToken(token, video)) return
    throw new Problem(403, null, 'This token does not open this video.')
  }
  const viewer = await requestViewer(request)
  if (!viewer && typeof password !== 'string')
    throw new Problem(403, null, 'Video password header, video file token query parameter and bearer token are all missing')
  await assertCanWatchVideo(video, video.uuid, { viewer, password: typeof password === 'string' ? password : undefined, ip: request.ip })
}

/** How long (ms) anybody may keep an answer; what is `immutable` is not even asked for again. */
function forAll(age: number, immutable = false): string {
  return `public, max-age=${Math.floor(age / 1000)}${immutable ? ', immutable' : ''}`
}

/** How long (ms) its reader alone may keep an answer. */
function forOne(age: number): string {
  return `private, max-age=${Math.floor(age / 1000)}`
}

function safeName(name: string | undefined): string {
  if (!name || !NAME.test(name)) throw notFound('File')
  return name
}
