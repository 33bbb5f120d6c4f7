import { uploadsContract } from '../../shared/uploads.ts'
import { transaction } from '../core/transaction.ts'
import { invalidParams } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
import { convertUploadedVideoImages } from '../videos/video-images.ts'
import { videoIdentifiers } from '../videos/videos.ts'
import { createVideoFromUpload } from './create-video.ts'

// The library of the protocol is loaded with the first upload, not at server start.
const loadResumable = async () => await import('./resumable-upload.ts')

/** The routes of shared/uploads.ts. */
export const uploadsRoutes = implementContract(uploadsContract, {
  'POST /videos/upload': async ({ body, files, viewer }) => {
    const { channelId, ...attributes } = body
    const file = files.videofile
    if (!file) throw invalidParams([{ type: 'field', msg: 'Should have a file', path: 'videofile', location: 'body' }])
    const images = await convertUploadedVideoImages(files)
    const video = await transaction(
      async tx =>
        await createVideoFromUpload(
          { path: file.path, name: file.name, size: file.size, userId: viewer.id, channelId, attributes, images },
          tx
        )
    )
    return { video: videoIdentifiers(video) }
  },
  'GET /users/me/uploads': async ({ viewer }) => ({ data: await (await loadResumable()).listUnfinishedUploads(viewer.id) }),
  'POST /videos/upload-resumable': async ({ body, files, viewer, request, response }) => {
    const { beginResumableUpload } = await loadResumable()
    const location = await beginResumableUpload(request, viewer, body, await convertUploadedVideoImages(files))
    response.status(201).setHeader('Location', location).setHeader('Cache-Control', 'no-store').end()
  },
  'PUT /videos/upload-resumable': async ({ viewer, request, response }) => {
    const { receiveUploadChunk } = await loadResumable()
    const video = await receiveUploadChunk(request, response, viewer)
    return video && { video: videoIdentifiers(video) }
  },
  'DELETE /videos/upload-resumable': async ({ query, viewer, request, response }) =>
    await (await loadResumable()).cancelResumableUpload(request, response, viewer, query.upload_id)
})
