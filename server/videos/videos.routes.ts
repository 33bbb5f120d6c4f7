import { join } from 'node:path'
import type { Request } from 'express'
import { videos } from '../../shared/videos.ts'
import { findAccount } from '../actors/accounts.query.ts'
import { findChannel } from '../channels/channels.query.ts'
import { config } from '../core/config.ts'
import { notFound, Problem } from '../core/problem.ts'
import { implement, type Viewer } from '../core/route.ts'
import { fileMetadata } from '../media/probe.ts'
import { hlsFolder } from '../storage/disk.ts'
import { assertMayWatch, guardedVideo, managedVideo, type Asking } from './video-access.ts'
import { imagePath, sourceDownloadUrl } from './video-urls.ts'
import { captionsOf } from './captions.ts'
import { chaptersOf } from './chapters.ts'
import { fileToken } from './video-file-token.ts'
import { CATEGORIES, LANGUAGES, LICENCES, PRIVACIES, resolutionLabel } from './labels.ts'
import { listPasswords, removePassword, replacePasswords } from './video-passwords.ts'
import { readPictures } from './video-images.ts'
import { readingOf } from './crawl-status.ts'
import { StreamingPlaylist, VideoFile, VideoSource } from './video-file.model.ts'
import { Storyboard } from './video-image.model.ts'
import { deleteVideo, findDescription, findVideo, updateVideo } from './videos.ts'
import { listVideos } from './videos.query.ts'

/** Who asks for a video, with the password the request carries. */
export function asking(request: Request, viewer: Viewer | null): Asking {
  const password = request.headers['x-peertube-video-password']
  return { viewer, password: typeof password === 'string' ? password : undefined, ip: request.ip }
}

/** The routes of shared/videos.ts. */
export const videosRoutes = implement(videos, {
  'GET /videos': async ({ query, viewer }) => await listVideos(query, viewer),
  'GET /videos/categories': () => CATEGORIES,
  'GET /videos/licences': () => LICENCES,
  'GET /videos/languages': () => LANGUAGES,
  'GET /videos/privacies': () => PRIVACIES,
  'GET /accounts/:name/videos': async ({ params, query, viewer }) =>
    await listVideos(query, viewer, { accountId: (await findAccount(params.name)).id }),
  'GET /video-channels/:channelHandle/videos': async ({ params, query, viewer }) =>
    await listVideos(query, viewer, { channelId: (await findChannel(params.channelHandle)).id }),
  'GET /users/me/videos': async ({ query, viewer }) =>
    await listVideos({ sort: '-createdAt', ...query, include: undefined }, viewer, {
      mine: true,
      accountId: viewer.accountId,
      channelId: query.channelId
    }),
  'GET /videos/:id': async ({ params, viewer, request }) => await findVideo(params.id, asking(request, viewer)),
  'GET /videos/:id/description': async ({ params, viewer, request }) => ({
    description: await findDescription(params.id, asking(request, viewer))
  }),
  'PUT /videos/:id': async ({ params, viewer, body, files }) => {
    await managedVideo(params.id, viewer)
    await updateVideo(params.id, viewer, body, await readPictures(files))
  },
  'DELETE /videos/:id': async ({ params, viewer }) => await deleteVideo(params.id, viewer),
  'GET /videos/:id/source': async ({ params, viewer }) => {
    const video = await managedVideo(params.id, viewer)
    const source = await VideoSource.findByPk(video.id, { rejectOnEmpty: notFound('Video source') })
    return {
      filename: source.inputFilename,
      inputFilename: source.inputFilename,
      fileUrl: null,
      fileDownloadUrl: source.filename && sourceDownloadUrl(source.filename),
      resolution: source.resolution === null ? null : { id: source.resolution, label: resolutionLabel(source.resolution) },
      size: Number(source.size),
      width: source.width,
      height: source.height,
      fps: source.fps,
      metadata: source.metadata as Record<string, unknown> | null,
      createdAt: source.createdAt.toISOString()
    }
  },
  'GET /videos/:id/metadata/:videoFileId': async ({ params, viewer, request }) => {
    const video = await guardedVideo(params.id)
    await assertMayWatch(video, params.id, asking(request, viewer))
    const file = await VideoFile.findByPk(params.videoFileId)
    const playlist = file && (await StreamingPlaylist.findByPk(file.streamingPlaylistId))
    if (!file || playlist?.videoId !== video.id || file.growing) throw notFound('Video file')
    // Few ask, so nobody waits for it while the video is encoded.
    if (!file.metadata)
      await file.update(
        { metadata: await fileMetadata(join(hlsFolder(video.uuid), file.filename), config.upload.probe_timeout) },
        { silent: true }
      )
    return file.metadata as Record<string, unknown>
  },
  'GET /videos/:id/storyboards': async ({ params, viewer, request }) => {
    const video = await guardedVideo(params.id)
    await assertMayWatch(video, params.id, asking(request, viewer))
    const board = await Storyboard.findByPk(video.id)
    if (!board) return { storyboards: [] }
    const { totalHeight, totalWidth, spriteHeight, spriteWidth, spriteDuration } = board
    return {
      storyboards: [
        { storyboardPath: imagePath('storyboards', board.filename), totalHeight, totalWidth, spriteHeight, spriteWidth, spriteDuration }
      ]
    }
  },
  'GET /videos/:id/captions': async ({ params, viewer, request }) => {
    const video = await guardedVideo(params.id)
    await assertMayWatch(video, params.id, asking(request, viewer))
    return await captionsOf(video.id)
  },
  'GET /videos/:id/chapters': async ({ params, viewer, request }) => {
    const video = await guardedVideo(params.id)
    await assertMayWatch(video, params.id, asking(request, viewer))
    return { chapters: await chaptersOf(video.id) }
  },
  'GET /video-channels/:channelHandle/reading': async ({ params }) => await readingOf(params.channelHandle),
  'POST /videos/:id/token': async ({ params, viewer, request }) => {
    const video = await guardedVideo(params.id)
    const passwordId = await assertMayWatch(video, params.id, asking(request, viewer))
    if (passwordId === null && !viewer) throw new Problem(401, null, 'Not authenticated')
    const { token, expires } = await fileToken(video.id, passwordId === null ? viewer!.id : null, passwordId)
    return { files: { token, expires: expires.toISOString() } }
  },
  'GET /videos/:id/passwords': async ({ params, query, viewer }) => await listPasswords(params.id, viewer, query),
  'PUT /videos/:id/passwords': async ({ params, body, viewer }) => await replacePasswords(params.id, viewer, body.passwords),
  'DELETE /videos/:id/passwords/:passwordId': async ({ params, viewer }) => await removePassword(params.id, viewer, params.passwordId)
})
