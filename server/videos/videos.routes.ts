import { videosContract } from '../../shared/videos.ts'
import { findAccount } from '../actors/accounts.query.ts'
import { findChannel } from '../channels/channels.query.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { CacheableRequest } from '../core/response-cache.ts'
import { implementContract, type Viewer } from '../core/route.ts'
import { assertCanWatchVideo, findVideoAccessInfo, findManagedVideo, type VideoRequestContext } from './video-access.ts'
import { imagePath, sourceDownloadUrl } from './video-urls.ts'
import { listCaptions, listCaptionTracks } from './captions.ts'
import { deleteCaption } from './delete-caption.ts'
import { listChapters } from './chapters.ts'
import { addFileToken, createVideoFileToken, fileTokenHolder } from './video-file-token.ts'
import { VIDEO_CATEGORY_LABELS, VIDEO_LANGUAGE_LABELS, VIDEO_LICENCE_LABELS, VIDEO_PRIVACY_LABELS, resolutionLabel } from './labels.ts'
import { listVideoPasswords, removeVideoPassword, replaceVideoPasswords } from './video-passwords.ts'
import { convertUploadedVideoImages } from './video-images.ts'
import { channelCrawlStatus } from './crawl-status.ts'
import { findTruncation, findUploadedFileMetadata } from './uploaded-file.ts'
import { readVideoFileMetadata } from './video-file-metadata.ts'
import { VideoSourceModel } from './video-file.model.ts'
import { canManageVideo } from './video.policy.ts'
import { StoryboardModel } from './video-image.model.ts'
import { assertChannelOfAccount, deleteVideo, findVideoDescription, findVideo, updateVideo } from './videos.ts'
import { listVideos } from './videos.query.ts'

/** Returns the viewer, IP address and video password (header `x-peertube-video-password`) of a request. */
export function videoRequestContext(request: CacheableRequest, viewer: Viewer | null): VideoRequestContext {
  return { viewer, password: request.get('x-peertube-video-password'), ip: request.ip }
}

/** The routes of shared/videos.ts. */
export const videosRoutes = implementContract(videosContract, {
  'GET /videos': async ({ query, viewer }) => await listVideos(query, viewer, { followedOnly: 'for everybody' }),
  'GET /videos/categories': () => VIDEO_CATEGORY_LABELS,
  'GET /videos/licences': () => VIDEO_LICENCE_LABELS,
  'GET /videos/languages': () => VIDEO_LANGUAGE_LABELS,
  'GET /videos/privacies': () => VIDEO_PRIVACY_LABELS,
  'GET /accounts/:name/videos': async ({ params, query, viewer }) =>
    await listVideos(query, viewer, { accountId: (await findAccount(params.name)).id, followedOnly: 'for visitors' }),
  'GET /video-channels/:channelHandle/videos': async ({ params, query, viewer }) =>
    await listVideos(query, viewer, { channelId: (await findChannel(params.channelHandle)).id, followedOnly: 'for visitors' }),
  'GET /users/me/videos': async ({ query, viewer }) => {
    if (query.channelId !== undefined) await assertChannelOfAccount(query.channelId, viewer.accountId)
    return await listVideos({ sort: '-createdAt', ...query, include: undefined }, viewer, {
      mine: true,
      accountId: viewer.accountId,
      channelId: query.channelId
    })
  },
  'GET /videos/:id': async ({ params, viewer, request }) => await findVideo(params.id, videoRequestContext(request, viewer)),
  'GET /videos/:id/description': async ({ params, viewer, request }) => ({
    description: await findVideoDescription(params.id, videoRequestContext(request, viewer))
  }),
  'PUT /videos/:id': async ({ params, viewer, body, files }) => {
    await findManagedVideo(params.id, viewer)
    await updateVideo(params.id, viewer, body, await convertUploadedVideoImages(files))
  },
  'DELETE /videos/:id': async ({ params, viewer }) => await deleteVideo(params.id, viewer),
  'GET /videos/:id/source': async ({ params, viewer }) => {
    const video = await findManagedVideo(params.id, viewer)
    const source = await VideoSourceModel.findByPk(video.id, { rejectOnEmpty: notFound('Video source') })
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
      truncatedAt: await findTruncation(video.id),
      metadata: source.metadata as Record<string, unknown> | null,
      createdAt: source.createdAt.toISOString()
    }
  },
  'GET /videos/:id/metadata/:videoFileId': async ({ params, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    await assertCanWatchVideo(video, params.id, videoRequestContext(request, viewer))
    const ofUploadedFile = canManageVideo(viewer, video) ? await findUploadedFileMetadata(video.id, params.videoFileId) : null
    return ofUploadedFile ?? (await readVideoFileMetadata(video, params.videoFileId))
  },
  'GET /videos/:id/storyboards': async ({ params, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    const passwordId = await assertCanWatchVideo(video, params.id, videoRequestContext(request, viewer))
    const storyboard = await StoryboardModel.findByPk(video.id)
    if (!storyboard) return { storyboards: [] }
    const { totalHeight, totalWidth, spriteHeight, spriteWidth, spriteDuration } = storyboard
    return {
      storyboards: [
        {
          storyboardPath: await addFileToken(imagePath('storyboards', storyboard.filename), video, fileTokenHolder(viewer, passwordId)),
          totalHeight,
          totalWidth,
          spriteHeight,
          spriteWidth,
          spriteDuration
        }
      ]
    }
  },
  'GET /videos/:id/captions': async ({ params, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    const passwordId = await assertCanWatchVideo(video, params.id, videoRequestContext(request, viewer))
    return await listCaptions(video, fileTokenHolder(viewer, passwordId))
  },
  'GET /videos/:id/caption-tracks': async ({ params, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    const passwordId = await assertCanWatchVideo(video, params.id, videoRequestContext(request, viewer))
    return await listCaptionTracks(video, fileTokenHolder(viewer, passwordId))
  },
  'DELETE /videos/:id/captions/:captionLanguage': async ({ params, query, viewer }) =>
    await deleteCaption(await findManagedVideo(params.id, viewer), params.captionLanguage, query.kind),
  'GET /videos/:id/chapters': async ({ params, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    await assertCanWatchVideo(video, params.id, videoRequestContext(request, viewer))
    return { chapters: await listChapters(video.id) }
  },
  'GET /video-channels/:channelHandle/reading': async ({ params }) => await channelCrawlStatus(params.channelHandle),
  'POST /videos/:id/token': async ({ params, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    const passwordId = await assertCanWatchVideo(video, params.id, videoRequestContext(request, viewer))
    if (passwordId === null && !viewer) throw new Problem(401, null, 'Not authenticated')
    const { token, expires } = await createVideoFileToken(video.id, fileTokenHolder(viewer, passwordId))
    return { files: { token, expires: expires.toISOString() } }
  },
  'GET /videos/:id/passwords': async ({ params, query, viewer }) => await listVideoPasswords(params.id, viewer, query),
  'PUT /videos/:id/passwords': async ({ params, body, viewer }) => await replaceVideoPasswords(params.id, viewer, body.passwords),
  'DELETE /videos/:id/passwords/:passwordId': async ({ params, viewer }) => await removeVideoPassword(params.id, viewer, params.passwordId)
})
