import { views } from '../../shared/views.ts'
import { logger } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { implement } from '../core/route.ts'
import { run, sql } from '../core/sql.ts'
import { assertMayWatch, guardedVideo } from '../videos/video-access.ts'
import { asking } from '../videos/videos.routes.ts'
import { ping } from './watch-sessions.ts'

/** What players say of what is watched. */
export const viewsRoutes = implement(views, {
  'POST /videos/:id/views': async ({ params, body, viewer, request }) => {
    const video = await guardedVideo(params.id)
    await assertMayWatch(video, params.id, asking(request, viewer))
    const { id, uuid } = video
    const [row] = await run<{ duration: number }>(sql`SELECT duration FROM videos WHERE id = ${id}`)
    const duration = row?.duration ?? 0
    // Some players round up.
    if (body.currentTime > Math.ceil(duration))
      throw new Problem(400, null, `Current time ${body.currentTime} is invalid (video ${uuid} duration: ${Math.floor(duration)})`)
    const seen = { videoId: id, uuid, duration, time: body.currentTime, seek: body.viewEvent === 'seek' }
    try {
      await ping(seen, { userId: viewer?.id ?? null, ip: request.ip ?? '', sessionId: body.sessionId })
    } catch (error) {
      // Without Redis nothing is counted and nobody is kept from watching.
      logger.debug('A view could not be noted', { reason: (error as Error).message })
    }
  }
})
