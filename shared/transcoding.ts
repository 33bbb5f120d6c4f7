import { z } from 'zod'
import { contract } from './contract.ts'
import { Progress, VideoId } from './videos.ts'

/** The encoding of a video, as its owner follows it. */
export const transcoding = contract({
  'GET /videos/:id/transcoding': { summary: 'How far the encoding is', tag: 'My videos', auth: 'user', params: z.object({ id: VideoId }), response: Progress },
  'POST /videos/:id/transcoding': {
    summary: 'Encode a video again', tag: 'Administration', auth: 'admin', params: z.object({ id: VideoId }),
    body: z.object({ transcodingType: z.enum(['hls', 'web-video'], 'Invalid value'), forceTranscoding: z.boolean().optional() }),
    refusals: { 400: 'Nothing to encode from, or being encoded already' }
  }
})
