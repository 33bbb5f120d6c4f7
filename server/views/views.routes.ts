import { viewsContract } from '../../shared/views.ts'
import { Problem } from '../core/problem.ts'
import { implementContract } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { assertCanWatchVideo, findVideoAccessInfo } from '../videos/video-access.ts'
import { videoRequestContext } from '../videos/videos.routes.ts'
import { recordPlaybackHeartbeat } from './watch-sessions.ts'

/** Routes where players report playback. */
export const viewsRoutes = implementContract(viewsContract, {
  'POST /videos/:id/views': async ({ params, body, viewer, request }) => {
    const video = await findVideoAccessInfo(params.id)
    await assertCanWatchVideo(video, params.id, videoRequestContext(request, viewer))
    const { id, uuid } = video
    const [row] = await runQuery<{ duration: number }>(sql`SELECT duration FROM videos WHERE id = ${id}`)
    const duration = row?.duration ?? 0
    // Some players round the position up.
    if (body.currentTime > Math.ceil(duration))
      throw new Problem(400, null, `Current time ${body.currentTime} is invalid (video ${uuid} duration: ${Math.floor(duration)})`)
    const heartbeat = { videoId: id, uuid, duration, time: body.currentTime, seek: body.viewEvent === 'seek' }
    await recordPlaybackHeartbeat(heartbeat, { userId: viewer?.id ?? null, ip: request.ip ?? '', sessionId: body.sessionId })
  }
})
