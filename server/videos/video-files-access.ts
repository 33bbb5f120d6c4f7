import type { Request } from 'express'
import { longUuid } from '../../shared/short-uuid.ts'
import { notFound, Problem } from '../core/problem.ts'
import { requestViewer } from '../core/route.ts'
import { findCachedVideoAccessInfo } from './public-file-cache.ts'
import { assertCanWatchVideo, findManagedVideo, type VideoAccessInfo } from './video-access.ts'
import { verifyVideoFileToken } from './video-file-token.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** Returns the video of a UUID or short UUID from a path. Throws 404. */
export async function findRequestedVideo(id: string): Promise<VideoAccessInfo> {
  const uuid = longUuid(id)
  if (!uuid) throw notFound('Video')
  return await findCachedVideoAccessInfo(uuid)
}

/** Throws 403 unless the video is public or unlisted, or the request has a valid file token, login or password. */
export async function assertCanReadFiles(request: Request, video: VideoAccessInfo): Promise<void> {
  if (isPublicOrUnlisted(video.privacy)) return
  const token = request.query.videoFileToken
  const password = request.headers['x-peertube-video-password']
  if (token !== undefined) {
    if (await verifyVideoFileToken(token, video)) return
    throw new Problem(403, null, 'This token does not open this video.')
  }
  const viewer = await requestViewer(request)
  if (!viewer && typeof password !== 'string') throw missingFileCredentials()
  await assertCanWatchVideo(video, video.uuid, { viewer, password: typeof password === 'string' ? password : undefined, ip: request.ip })
}

/** Throws 403 unless the request has a file token or the login of somebody who manages the video: nobody else may have the uploaded file. */
export async function assertCanReadUploadedFile(request: Request, video: VideoAccessInfo): Promise<void> {
  if ((await verifyVideoFileToken(request.query.videoFileToken, video))?.manages) return
  const viewer = await requestViewer(request)
  if (!viewer) throw missingFileCredentials()
  await findManagedVideo(video.id, viewer)
}

/** The answer to a request for files that has nothing to show it may have them. */
function missingFileCredentials(): Problem {
  return new Problem(403, null, 'Video password header, video file token query parameter and bearer token are all missing')
}
