import { join } from 'node:path'
import { Router, type RequestHandler } from 'express'
import { config } from '../core/config.ts'
import { keepLastKnown } from '../core/last-known.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { notFound, Problem } from '../core/problem.ts'
import { sendStoredFile } from '../core/send-file.ts'
import { sendRemoteFile } from '../fediverse/send-remote-file.ts'
import { hlsFolder, storedFilePath } from '../storage/disk.ts'
import { privateCache, publicCache } from './cache-control.ts'
import { downloadsRouter } from './downloads.routes.ts'
import { findLazyStaticFile } from './lazy-static-files.ts'
import { findSubtitlePlaylist, hasSubtitleFile } from './master-playlist.ts'
import { sendHlsPlaylist, sendHlsPlaylistText } from './send-hls-playlist.ts'
import { sendProgressiveMp4, findProgressiveMp4Source } from './send-progressive-mp4.ts'
import { assertCanReadTorrent, findStoredTorrent, isOpenTorrent, sendTorrent } from './send-torrent.ts'
import { findVideoAccessInfo } from './video-access.ts'
import { assertCanReadFiles, findRequestedVideo } from './video-files-access.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

const FILE_NAME = /^[0-9a-zA-Z-]{1,100}\.(m3u8|mp4|json|jpg|png|webp|vtt)$/

/**
 * A resolution as one MP4, for browsers that neither play HLS nor run scripts, and as `transcoding.web_videos` announces it. Names without
 * the UUID were announced before 0.2 and keep their addresses.
 */
const PROGRESSIVE_MP4_NAME = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}-)?(\d{1,5})\.mp4$/

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

filesRouter.use(downloadsRouter)

/** Per kind, the folder in the storage. */
const FOLDERS = {
  thumbnails: 'thumbnails',
  previews: 'previews',
  storyboards: 'storyboards',
  'video-captions': 'captions',
  avatars: 'avatars',
  banners: 'banners'
} as const

for (const kind of ['thumbnails', 'previews', 'storyboards', 'video-captions', 'avatars', 'banners'] as const) {
  filesRouter.get(`/lazy-static/${kind}/:name`, async (request, response) => {
    const name = assertFileName(request.params.name)
    const file = await findLazyStaticFile(kind, name)
    if (!file) throw notFound('File')
    if (file.videoId !== null) await assertCanReadFiles(request, await findVideoAccessInfo(file.videoId))
    const cacheControl = file.videoId === null ? publicCache(config.cache.static.images) : privateCache(config.cache.static.private)
    if (file.url === null) return await sendStoredFile(request, response, storedFilePath(FOLDERS[kind], name), cacheControl)
    const remoteKind = kind === 'video-captions' ? 'captions' : 'picture'
    await sendRemoteFile(request, response, { name, url: file.url, kind: remoteKind }, cacheControl)
  })
}

filesRouter.get('/lazy-static/torrents/:name', async (request, response) => {
  const torrent = await findStoredTorrent(String(request.params.name))
  await assertCanReadTorrent(request, torrent)
  sendTorrent(response, torrent, isOpenTorrent(torrent) ? 'no-cache' : 'private, no-store')
})

const findKnownProgressiveMp4Source = keepLastKnown(findProgressiveMp4Source, (video, resolution, options) =>
  [video.uuid, resolution, options?.offered, options?.name].join(' ')
)
const findKnownSubtitlePlaylist = keepLastKnown(findSubtitlePlaylist, (videoId, name) => `${videoId} ${name}`)
const hasKnownSubtitleFile = keepLastKnown(hasSubtitleFile, (videoId, name) => `${videoId} ${name}`)

const sendHlsFile: RequestHandler = async (request, response) => {
  const video = await findRequestedVideo(String(request.params.uuid))
  const name = assertFileName(String(request.params.name))
  await assertCanReadFiles(request, video)
  const isOpen = isPublicOrUnlisted(video.privacy)
  const mutableCacheControl = isOpen ? 'no-cache' : 'private, no-store'
  const [, isListedName, resolution] = PROGRESSIVE_MP4_NAME.exec(name) ?? []
  if (resolution !== undefined) {
    return await sendProgressiveMp4(
      request,
      response,
      await findKnownProgressiveMp4Source(video, Number(resolution), isListedName === undefined ? {} : { offered: true, name }),
      isOpen ? 'no-cache' : privateCache(config.cache.static.private)
    )
  }
  if (!name.endsWith('.mp4')) {
    response.setHeader('Cache-Control', mutableCacheControl)
    const token = request.query.reinjectVideoFileToken === 'true' ? String(request.query.videoFileToken ?? '') : undefined
    const subtitlePlaylist = await findKnownSubtitlePlaylist(video.id, name)
    if (subtitlePlaylist !== null) return await sendHlsPlaylistText(request, response, subtitlePlaylist, token)
    if (name.endsWith('.vtt')) {
      if (!(await hasKnownSubtitleFile(video.id, name))) throw notFound('File')
      return await sendStoredFile(request, response, storedFilePath('captions', name), mutableCacheControl)
    }
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

/** Returns the name if it is a plain file name. Throws 404. */
function assertFileName(name: string | undefined): string {
  if (!name || !FILE_NAME.test(name)) throw notFound('File')
  return name
}
