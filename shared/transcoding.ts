import { z } from 'zod'
import { defineContract } from './contract.ts'
import { resultList, Paging, Timestamp } from './fields.ts'
import { TranscodingProgress, VideoId } from './videos.ts'

const State = z.enum(['waiting', 'running', 'done', 'failed'], 'Invalid value')

/** Which encodings go first: an administrator's word. */
export const TranscodingPriority = z.enum(['low', 'normal', 'high'], 'Invalid value')
export type TranscodingPriority = z.output<typeof TranscodingPriority>

/**
 * The encoding of a video, as administrators see it among the others. `retryable`: what was uploaded is still there. `position`: from 1, of
 * those that wait.
 */
export const TranscodingSummary = z.object({
  video: z.object({ id: z.int(), uuid: z.string(), shortUUID: z.string(), name: z.string() }),
  account: z.object({ name: z.string(), displayName: z.string() }),
  state: State,
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

/** What encodes pictures, by ffmpeg's name, and how many workers have it. */
export const WorkingEncoder = z.object({ name: z.string(), workers: z.int() })

/** The encoding of a video, as its owner follows it, and of all videos. */
export const transcodingContract = defineContract({
  'GET /videos/:id/transcoding': {
    summary: 'How far the encoding is',
    tag: 'My videos',
    auth: 'user',
    params: z.object({ id: VideoId }),
    response: TranscodingProgress
  },
  'GET /server/transcodings': {
    summary: 'Encodings of all videos, the latest change first',
    tag: 'Administration',
    auth: 'admin',
    query: Paging.extend({ state: State.optional() }),
    response: resultList(TranscodingSummary)
  },
  'GET /server/encoders': {
    summary: 'The encoders that work, on any worker',
    tag: 'Administration',
    auth: 'admin',
    response: resultList(WorkingEncoder)
  },
  'PUT /server/transcodings/:id': {
    summary: 'Say which encoding goes first',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId }),
    body: z.object({ priority: TranscodingPriority }),
    refusals: { 400: 'Not being encoded' }
  },
  'DELETE /server/transcodings/:id': {
    summary: 'Stop an encoding: what is finished of the video stays',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId }),
    refusals: { 400: 'Not being encoded' }
  },
  'POST /videos/:id/transcoding': {
    summary: 'Encode a video again',
    tag: 'Administration',
    auth: 'admin',
    params: z.object({ id: VideoId }),
    body: z.object({ transcodingType: z.enum(['hls', 'web-video'], 'Invalid value'), forceTranscoding: z.boolean().optional() }),
    refusals: { 400: 'Nothing to encode from, or being encoded already' }
  }
})
