import { z } from 'zod'
import { defineContract } from './contract.ts'
import { int, resultList, Paging, Timestamp } from './fields.ts'
import { TranscodingProgress, VideoId } from './videos.ts'

const TranscodingState = z.enum(['waiting', 'running', 'done', 'failed'], 'Invalid value')

/** The priority an administrator gave to a transcoding. */
export const TranscodingPriority = z.enum(['low', 'normal', 'high'], 'Invalid value')
export type TranscodingPriority = z.output<typeof TranscodingPriority>

/**
 * The transcoding of a video in the list for administrators. `retryable`: the uploaded file still exists. `position`: from 1, among those
 * that wait.
 */
export const TranscodingSummary = z.object({
  video: z.object({ id: z.int(), uuid: z.string(), shortUUID: z.string(), name: z.string() }),
  account: z.object({ name: z.string(), displayName: z.string() }),
  state: TranscodingState,
  priority: TranscodingPriority,
  position: z.int().nullable(),
  percent: z.number(),
  attempts: z.int(),
  error: z.string().nullable(),
  retryable: z.boolean(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  notBefore: Timestamp
})
export type TranscodingSummary = z.output<typeof TranscodingSummary>

/** An available H.264 encoder by ffmpeg's name, and the number of workers that have it. */
export const WorkingEncoder = z.object({ name: z.string(), workers: z.int() })

/** Routes for the transcoding of one video, for its owner, and of all videos, for administrators. */
export const transcodingContract = defineContract({
  'GET /videos/:id/transcoding': {
    summary: 'Progress of the transcoding',
    tag: 'My videos',
    auth: 'user',
    params: z.object({ id: VideoId }),
    response: TranscodingProgress
  },
  'GET /server/transcodings': {
    summary: 'Transcodings of all videos, the latest change first',
    tag: 'Administration',
    auth: 'admin',
    query: Paging.extend({ state: TranscodingState.optional() }),
    response: resultList(TranscodingSummary)
  },
  'GET /server/encoders': {
    summary: 'Available H.264 encoders of all workers',
    tag: 'Administration',
    auth: 'admin',
    response: resultList(WorkingEncoder)
  },
  'PUT /server/transcodings/:id': {
    summary: 'Set the priority of a transcoding',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId }),
    body: z.object({ priority: TranscodingPriority }),
    refusals: { 400: 'Not being encoded' }
  },
  'DELETE /server/transcodings/:id': {
    summary: 'Stop a transcoding; finished renditions stay',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId }),
    refusals: { 400: 'Not being encoded' }
  },
  'DELETE /videos/:id/hls': {
    summary: 'Remove the HLS files of a video',
    description: 'The rest is played as one MP4 per quality. What is then offered in no form is deleted.',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId }),
    refusals: { 400: 'None of this kind, nothing else to play, or being encoded', 404: 'No such video' }
  },
  'DELETE /videos/:id/hls/:fileId': {
    summary: 'Remove one HLS file of a video',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId, fileId: int(1, 2 ** 31 - 1) }),
    refusals: { 400: 'None of this kind, nothing else to play, or being encoded', 404: 'No such video or file' }
  },
  'DELETE /videos/:id/web-videos': {
    summary: 'Remove the web video files of a video',
    description: 'Every quality is played by HLS only. What is then offered in no form is deleted.',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId }),
    refusals: { 400: 'None of this kind, nothing else to play, or being encoded', 404: 'No such video' }
  },
  'DELETE /videos/:id/web-videos/:fileId': {
    summary: 'Remove one web video file of a video',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId, fileId: int(1, 2 ** 31 - 1) }),
    refusals: { 400: 'None of this kind, nothing else to play, or being encoded', 404: 'No such video or file' }
  },
  'POST /videos/:id/transcoding': {
    summary: 'Transcode a video again',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId }),
    body: z.object({ transcodingType: z.enum(['hls', 'web-video'], 'Invalid value'), forceTranscoding: z.boolean().optional() }),
    refusals: { 400: 'Nothing to encode from, or the video is of another server', 409: 'Being encoded already' }
  }
})
