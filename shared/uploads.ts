import { z } from 'zod'
import { defineContract } from './contract.ts'
import { int } from './fields.ts'
import { VideoUpdateFields } from './videos.ts'

/** The metadata of an upload. */
export const UploadAttributes = z.object({ ...VideoUpdateFields, channelId: int(1, 2 ** 31 - 1) })

/** The response to a complete upload. */
export const UploadResponse = z.object({ video: z.object({ id: z.int(), uuid: z.uuid(), shortUUID: z.string() }) })

const UploadId = z.object({ upload_id: z.string('Invalid value').min(1, 'Invalid value').max(500, 'Invalid value') })

/** Routes for uploads: in one request, or resumable in chunks. */
export const uploadsContract = defineContract({
  'POST /videos/upload': {
    summary: 'Upload a video in one request',
    tag: 'Upload',
    auth: 'user',
    files: { videofile: 'video', thumbnailfile: 'image', previewfile: 'image' },
    body: UploadAttributes,
    response: UploadResponse,
    description:
      'The space is reserved before the body is read: what does not fit is refused at once or while it arrives, with `Connection: close`.',
    refusals: {
      400: 'A field is missing or invalid, or too_many_uploads',
      408: 'Nothing arrived for too long',
      413: 'quota_reached or max_file_size_reached',
      415: 'The type is not supported',
      422: 'The file cannot be read as a video',
      507: 'insufficient_storage'
    }
  },
  'GET /users/me/uploads': {
    summary: 'Unfinished uploads',
    tag: 'Upload',
    auth: 'user',
    response: z.object({
      data: z.array(
        z.object({
          uploadId: z.string(),
          filename: z.string(),
          name: z.string(),
          size: z.int(),
          received: z.int(),
          expiresAt: z.iso.datetime()
        })
      )
    })
  },
  'POST /videos/upload-resumable': {
    summary: 'Start a resumable upload',
    tag: 'Upload',
    auth: 'user',
    files: { thumbnailfile: 'image', previewfile: 'image' },
    status: 201,
    description: "Headers X-Upload-Content-Length (bytes) and X-Upload-Content-Type (MIME). Answers 201 with the upload's URL in Location.",
    body: UploadAttributes.extend({ filename: z.string('Invalid value').min(1, 'Invalid value').max(1000, 'Invalid value') }),
    refusals: {
      400: 'A header or field is missing, or too_many_uploads',
      413: 'quota_reached or max_file_size_reached',
      415: 'The type is not supported',
      507: 'insufficient_storage'
    }
  },
  'PUT /videos/upload-resumable': {
    summary: 'Send a chunk, or query how much was received',
    tag: 'Upload',
    auth: 'user',
    query: z.looseObject(UploadId.shape),
    limit: 'upload',
    response: UploadResponse,
    description:
      'Header `Content-Range: bytes first-last/size` with the chunk as body, or `bytes */size` to query. Answers 308 with Range until the last byte is received, then 200, which is repeated for a day.',
    refusals: {
      400: 'invalid_content_range',
      403: "Another user's upload",
      404: 'The upload has ended, or its video was deleted',
      408: 'Nothing arrived for too long; what did is kept',
      409: 'upload_busy: another request sends a chunk, or the last one is being processed',
      507: 'insufficient_storage'
    }
  },
  'DELETE /videos/upload-resumable': { summary: 'Cancel an upload', tag: 'Upload', auth: 'user', query: z.looseObject(UploadId.shape) }
})
