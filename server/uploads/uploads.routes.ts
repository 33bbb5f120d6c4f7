import { rm } from 'node:fs/promises'
import { uploadsContract } from '../../shared/uploads.ts'
import type { MultipartFile } from '../core/multipart.ts'
import { transaction } from '../core/transaction.ts'
import { invalidParams } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
import { convertUploadedVideoImages, type PreparedVideoImage } from '../videos/video-images.ts'
import { videoIdentifiers } from '../videos/videos.ts'
import { createVideoFromUpload } from './create-video.ts'
import { admitUpload, settleUpload } from './one-request-upload.ts'
import { beginResumableUpload, cancelResumableUpload, listUnfinishedUploads, receiveUploadChunk } from './resumable-upload.ts'

/** The routes of shared/uploads.ts. */
export const uploadsRoutes = implementContract(
  uploadsContract,
  {
    'POST /videos/upload': async ({ body, files, viewer, request }) => {
      const { channelId, ...attributes } = body
      const file = files.videofile
      if (!file) throw invalidParams([{ type: 'field', msg: 'Should have a file', path: 'videofile', location: 'body' }])
      return await withImages(files, async images => {
        // The uploaded bytes would be lost with the transaction.
        const video = await transaction(
          async tx => {
            const created = await createVideoFromUpload(
              { path: file.path, name: file.name, size: file.size, userId: viewer.id, channelId, attributes, images },
              tx
            )
            await settleUpload(request, tx)
            return created
          },
          { timeLimited: false }
        )
        return { video: videoIdentifiers(video) }
      })
    },
    'GET /users/me/uploads': async ({ viewer }) => ({ data: await listUnfinishedUploads(viewer.id) }),
    'POST /videos/upload-resumable': async ({ body, files, viewer, request, response }) => {
      const location = await withImages(files, async images => await beginResumableUpload(request, viewer, body, images))
      response.status(201).setHeader('Location', location).setHeader('Cache-Control', 'no-store').end()
    },
    'PUT /videos/upload-resumable': async ({ query, viewer, request, response }) => {
      const video = await receiveUploadChunk(request, response, viewer, query.upload_id)
      return video && { video: videoIdentifiers(video) }
    },
    'DELETE /videos/upload-resumable': async ({ query, viewer, response }) => {
      await cancelResumableUpload(viewer, query.upload_id)
      response.status(204).setHeader('Cache-Control', 'no-store').end()
    }
  },
  { 'POST /videos/upload': admitUpload }
)

/** Converts the images of an upload for `act`, and removes them where it fails. */
async function withImages<T>(
  files: { thumbnailfile?: MultipartFile; previewfile?: MultipartFile },
  act: (images: PreparedVideoImage[]) => Promise<T>
): Promise<T> {
  const images = await convertUploadedVideoImages(files)
  try {
    return await act(images)
  } catch (error) {
    await Promise.all(images.map(async ({ path }) => await rm(path, { force: true })))
    throw error
  }
}
