import { Router, type Request, type RequestHandler } from 'express'
import { notFound, Problem } from '../core/problem.ts'
import { requestViewer } from '../core/route.ts'
import { sendStoredFile } from '../core/send-file.ts'
import { runQuery, sql } from '../core/sql.ts'
import { storedFilePath } from '../storage/disk.ts'
import { privateCache } from './cache-control.ts'
import { resolutionLabel } from './labels.ts'
import { findFilesToMux } from './mux-files.query.ts'
import { findProgressiveMp4Source, sendProgressiveMp4 } from './send-progressive-mp4.ts'
import { assertCanReadTorrent, findStoredTorrent, sendTorrent } from './send-torrent.ts'
import { findVideoAccessInfo, type VideoAccessInfo } from './video-access.ts'
import { verifyVideoFileToken } from './video-file-token.ts'
import { assertCanReadFiles, assertCanReadUploadedFile, findRequestedVideo } from './video-files-access.ts'
import { canManageVideo } from './video.policy.ts'

/** Routes of downloads, mounted by files.routes.ts. Files are sent under the name of their video. */
export const downloadsRouter = Router()

const downloadRendition: RequestHandler = async (request, response) => {
  const isWebVideo = request.path.startsWith('/download/web-videos/')
  const format = isWebVideo
    ? /^([0-9a-f-]{36})-(\d{1,5})\.mp4$/
    : /^([0-9a-f-]{36})-(\d{1,5}(?=-fragmented\.mp4)|0(?=-fragmented\.m4a))-fragmented\.\w+$/
  const [, uuid = '', resolution = ''] = format.exec(String(request.params.name)) ?? []
  const video = await findRequestedVideo(uuid)
  await assertCanReadFiles(request, video)
  const source = await findProgressiveMp4Source(video, Number(resolution), { offered: isWebVideo })
  const name = await assertCanDownload(request, video)
  const suffix = isWebVideo ? '' : '-hls'
  response.attachment(`${name}-${resolutionLabel(Number(resolution))}${suffix}.${source.isAudioOnly ? 'm4a' : 'mp4'}`)
  await sendProgressiveMp4(request, response, source, privateCache(0))
}
downloadsRouter.get('/download/streaming-playlists/hls/videos/:name', downloadRendition)
downloadsRouter.get('/download/web-videos/:name', downloadRendition)

downloadsRouter.get('/download/videos/generate/:id', async (request, response) => {
  const video = await findRequestedVideo(String(request.params.id))
  await assertCanReadFiles(request, video)
  const source = await findFilesToMux(video, request.query.videoFileIds)
  const name = await assertCanDownload(request, video)
  response.attachment(`${name}.${source.isAudioOnly ? 'm4a' : 'mp4'}`)
  await sendProgressiveMp4(request, response, source, privateCache(0))
})

downloadsRouter.get('/download/torrents/:name', async (request, response) => {
  const torrent = await findStoredTorrent(String(request.params.name))
  await assertCanReadTorrent(request, torrent)
  const name = await assertCanDownload(request, torrent.video)
  response.attachment(`${name}-${resolutionLabel(torrent.resolution)}.torrent`)
  sendTorrent(response, torrent, privateCache(0))
})

downloadsRouter.get('/download/original-video-files/:name', async (request, response) => {
  const [source] = await runQuery<{ video_id: number; filename: string; input_filename: string }>(
    sql`SELECT video_id, filename, input_filename FROM video_sources WHERE filename = ${String(request.params.name)}`
  )
  if (!source) throw notFound('Video source')
  await assertCanReadUploadedFile(request, await findVideoAccessInfo(source.video_id))
  response.attachment(source.input_filename)
  await sendStoredFile(request, response, storedFilePath('original_video_files', source.filename), privateCache(0))
})

/** Returns the name of a video that the requester may download. Throws 403 where its owner disabled that, 404. */
async function assertCanDownload(request: Request, video: VideoAccessInfo): Promise<string> {
  const [row] = await runQuery<{ name: string; download_enabled: boolean }>(
    sql`SELECT name, download_enabled FROM videos WHERE id = ${video.id}`
  )
  if (!row) throw notFound('Video')
  if (row.download_enabled) return row.name
  const grant = await verifyVideoFileToken(request.query.videoFileToken, video)
  if (!grant?.manages && !canManageVideo(await requestViewer(request), video))
    throw new Problem(403, null, 'Downloading this video is disabled.')
  return row.name
}
