import { z } from 'zod'
import { defineContract } from './contract.ts'
import { int } from './fields.ts'
import { VideoParam } from './videos.ts'

/** Routes for what players report so that views and viewers are counted. */
export const viewsContract = defineContract({
  'POST /videos/:id/views': {
    summary: 'Report what is being watched',
    tag: 'Views',
    auth: 'optional',
    params: VideoParam,
    description:
      'Every few seconds (views.videos.watchingInterval of the configuration) and whenever the viewer jumps. A view counts once enough was watched, and once per viewer and video within a while.',
    body: z.object({
      currentTime: int(0).describe('Second of the video'),
      viewEvent: z.enum(['seek'], 'Invalid value').optional().describe('The viewer jumped to this second'),
      sessionId: z
        .string('Invalid value')
        .regex(/^[\w-]{1,100}$/, 'Invalid value')
        .optional()
        .describe('Tells apart viewers behind one address')
    }),
    refusals: { 400: 'The video is shorter' }
  }
})
