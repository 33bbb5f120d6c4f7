import { join } from 'node:path'
import { Router, type Request, type RequestHandler, type Response } from 'express'
import { config, storageFolder } from '../core/config.ts'
import { counted } from '../core/limits.ts'
import { notFound, Problem } from '../core/problem.ts'
import { viewerOf } from '../core/route.ts'
import { run, sql, type Sql } from '../core/sql.ts'
import { cachedFile, type Expected } from '../fediverse/cached-file.ts'
import { hlsFolder } from '../storage/disk.ts'
import { longUuid } from '../../shared/ids.ts'
import { assertMayWatch, guardedVideo, managedVideo, type Guarded } from './access.ts'
import { openedBy } from './file-token.ts'
import { resolutionLabel } from './labels.ts'
import { sendPlaylist } from './send-playlist.ts'
import { canManage, isOpen } from './video.policy.ts'

const NAME = /^[0-9a-zA-Z-]{1,100}\.(m3u8|mp4|json|jpg|png|webp|vtt)$/

/** Pictures, HLS files and downloads. What is private opens for its viewers only, whatever address is tried. */
export const filesRouter = Router()
filesRouter.use(['/static', '/lazy-static', '/download'], (request, response, next) => {
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.setHeader('Access-Control-Expose-Headers', 'Content-Range, Content-Length, ETag, Retry-After')
  if (request.method === 'OPTIONS') {
    response.setHeader('Access-Control-Allow-Methods', 'GET,HEAD')
    response.setHeader('Access-Control-Allow-Headers', request.headers['access-control-request-headers'] ?? '*')
    return void response.status(204).end()
  }
  if (request.method !== 'GET' && request.method !== 'HEAD') throw new Problem(405, null, 'Files are only read.', { headers: { Allow: 'GET, HEAD' } })
  next()
}, counted('files'))

const REMOTE: Record<string, Sql> = {
  thumbnails: sql`SELECT filename, url FROM thumbnails WHERE kind = 'thumbnail'`, previews: sql`SELECT filename, url FROM thumbnails WHERE kind = 'preview'`,
  avatars: sql`SELECT filename, url FROM actor_images WHERE kind = 'avatar'`, banners: sql`SELECT filename, url FROM actor_images WHERE kind = 'banner'`, storyboards: sql`SELECT filename, url FROM storyboards`, captions: sql`SELECT filename, url FROM video_captions`
}
const PICTURES = ['image/jpeg', 'image/png', 'image/webp', 'image/gif']
const CAPTIONS = ['text/vtt', 'text/plain', 'application/octet-stream']

filesRouter.get('/lazy-static/video-captions/:name', async (request, response) => {
  const name = safeName(request.params.name)
  if (!await sendRemote(response, 'captions', name, { types: CAPTIONS, maxSize: config.cache.remote_files.max_caption_size })) throw notFound('File')
})
for (const kind of ['thumbnails', 'previews', 'storyboards', 'avatars', 'banners'] as const) {
  filesRouter.get(`/lazy-static/${kind}/:name`, async (request, response) => {
    const name = safeName(request.params.name)
    if (await sendRemote(response, kind, name, { types: PICTURES, maxSize: config.federation.fetch.max_image_size })) return
    await sendFile(response, storageFolder(kind), name, { maxAge: config.cache.static.images })
  })
}

/** Sends what a row says is at another server; false where no row says so. Nothing else can be asked for (federation.md 4.46). Throws 404. */
async function sendRemote(response: Response, kind: string, name: string, expected: Expected): Promise<boolean> {
  const rows = REMOTE[kind]
  const [found] = rows ? await run<{ url: string | null }>(sql`SELECT url FROM (${rows}) file WHERE filename = ${name}`) : []
  if (!found?.url) return false
  const cached = await cachedFile(name, found.url, expected)
  if (!cached) throw notFound('File')
  await sendFile(response, storageFolder('cache'), cached, { maxAge: config.cache.static.images })
  return true
}

const hls: RequestHandler = async (request, response) => {
  const video = await videoOf(String(request.params.uuid))
  const name = safeName(String(request.params.name))
  await assertFilesOpen(request, video)
  const open = isOpen(video.privacy)
  if (!name.endsWith('.mp4')) {
    response.setHeader('Cache-Control', open ? 'no-cache' : 'private, no-store')
    const token = request.query.reinjectVideoFileToken === 'true' ? String(request.query.videoFileToken ?? '') : undefined
    // Players that look for a playlist's end ask for its last bytes.
    if (name.endsWith('.m3u8') && (token !== undefined || request.headers.range === undefined)) return await sendPlaylist(request, response, join(hlsFolder(video.uuid), name), token)
  }
  await sendFile(response, hlsFolder(video.uuid), name, name.endsWith('.mp4') ? (open ? { maxAge: config.cache.static.segments, immutable: true } : privately(config.cache.static.private)) : { cacheControl: false })
}
filesRouter.get('/static/streaming-playlists/hls/private/:uuid/:name', hls)
filesRouter.get('/static/streaming-playlists/hls/:uuid/:name', hls)

filesRouter.get('/download/streaming-playlists/hls/videos/:name', async (request, response) => {
  const [, uuid = '', resolution = ''] = /^([0-9a-f-]{36})-(\d{1,5})-fragmented\.mp4$/.exec(String(request.params.name)) ?? []
  const video = await videoOf(uuid)
  await assertFilesOpen(request, video)
  const [file] = await run<{ filename: string, name: string, download_enabled: boolean }>(sql`
    SELECT f.filename, v.name, v.download_enabled FROM videos v JOIN streaming_playlists p ON p.video_id = v.id JOIN video_files f ON f.streaming_playlist_id = p.id
    WHERE v.id = ${video.id} AND f.resolution = ${Number(resolution)} AND NOT f.growing`)
  if (!file) throw notFound('Video file')
  if (!file.download_enabled && !canManage(await viewerOf(request), video)) throw new Problem(403, null, 'Downloading this video is disabled.')
  response.attachment(`${file.name}-${resolutionLabel(Number(resolution))}-hls.mp4`)
  await sendFile(response, hlsFolder(video.uuid), file.filename, privately(0))
})

filesRouter.get('/download/original-video-files/:name', async (request, response) => {
  const viewer = await viewerOf(request)
  const [source] = await run<{ video_id: number, filename: string, input_filename: string }>(sql`SELECT video_id, filename, input_filename FROM video_sources WHERE filename = ${String(request.params.name)}`)
  if (!source) throw notFound('Video source')
  const opened = await openedBy(request.query.videoFileToken, await guardedVideo(source.video_id))
  if (!opened?.manages) {
    if (!viewer) throw new Problem(401, null, 'Not authenticated')
    await managedVideo(source.video_id, viewer)
  }
  response.attachment(source.input_filename)
  await sendFile(response, storageFolder('original_video_files'), source.filename, privately(0))
})

/** The video of a path. Throws 404. */
async function videoOf(id: string): Promise<Guarded> {
  const uuid = longUuid(id)
  if (!uuid) throw notFound('Video')
  return await guardedVideo(uuid)
}

/** Public and unlisted files are open; the others want a token, a login or the password. Throws 403. */
async function assertFilesOpen(request: Request, video: Guarded): Promise<void> {
  if (isOpen(video.privacy)) return
  const token = request.query.videoFileToken
  const password = request.headers['x-peertube-video-password']
  if (token !== undefined) {
    if (await openedBy(token, video)) return
    throw new Problem(403, null, 'This token does not open this video.')
  }
  const viewer = await viewerOf(request)
  if (!viewer && typeof password !== 'string') throw new Problem(403, null, 'Video password header, video file token query parameter and bearer token are all missing')
  await assertMayWatch(video, video.uuid, { viewer, password: typeof password === 'string' ? password : undefined, ip: request.ip })
}

const privately = (age: number): SendOptions => ({ cacheControl: false, headers: { 'Cache-Control': `private, max-age=${Math.floor(age / 1000)}` } })

type SendOptions = { maxAge?: number, immutable?: boolean, cacheControl?: boolean, headers?: Record<string, string> }

/** Streams a file with ranges and validators. Throws 404, 416. */
async function sendFile(response: Response, root: string, name: string, options: SendOptions): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    response.sendFile(name, { root, dotfiles: 'deny', ...options }, error => {
      if (!error || response.writableEnded || (error as NodeJS.ErrnoException).code === 'ECONNABORTED' || (error as NodeJS.ErrnoException).code === 'EPIPE') return resolve()
      const { status } = error as { status?: number }
      reject(status === 404 ? notFound('File') : error)
    })
  })
}

function safeName(name: string | undefined): string {
  if (!name || !NAME.test(name)) throw notFound('File')
  return name
}
