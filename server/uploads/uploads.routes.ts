import { uploads } from '../../shared/uploads.ts'
import { transaction } from '../core/transaction.ts'
import { invalid } from '../core/problem.ts'
import { implement } from '../core/route.ts'
import { readPictures } from '../videos/video-images.ts'
import { videoNames } from '../videos/videos.ts'
import { assertSpace } from './validation.ts'
import { takeVideo } from './create-video.ts'

// The protocol's library comes in with the first upload, not with the server.
const resumable = async () => await import('./resumable-upload.ts')

/** The routes of shared/uploads.ts. */
export const uploadsRoutes = implement(uploads, {
  'POST /videos/upload': async ({ body, files, viewer }) => {
    const { channelId, ...attributes } = body
    const file = files.videofile
    if (!file) throw invalid([{ type: 'field', msg: 'Should have a file', path: 'videofile', location: 'body' }])
    await assertSpace(0)
    const pictures = await readPictures(files)
    const video = await transaction(
      async transaction =>
        await takeVideo(
          { path: file.path, name: file.name, size: file.size, userId: viewer.id, channelId, attributes, pictures },
          transaction
        )
    )
    return { video: videoNames(video) }
  },
  'GET /users/me/uploads': async ({ viewer }) => ({ data: await (await resumable()).unfinishedUploads(viewer.id) }),
  'POST /videos/upload-resumable': async ({ body, files, viewer, request, response }) => {
    const { beginUpload } = await resumable()
    const location = await beginUpload(request, viewer, body, await readPictures(files))
    response.status(201).setHeader('Location', location).setHeader('Cache-Control', 'no-store').end()
  },
  'PUT /videos/upload-resumable': async ({ viewer, request, response }) => {
    const { receivePiece } = await resumable()
    const video = await receivePiece(request, response, viewer)
    return video && { video: videoNames(video) }
  },
  'DELETE /videos/upload-resumable': async ({ query, viewer, request, response }) =>
    await (await resumable()).cancelUpload(request, response, viewer, query.upload_id)
})
