import type { Viewer as RequestViewer } from '../core/route.ts'
import { VIDEO_PRIVACY } from './video.model.ts'

type Viewer = Pick<RequestViewer, 'id' | 'role'>
type OwnedVideo = { ownerUserId: number | null }

/** Whether the viewer owns the video or moderates the instance. */
export const canManageVideo = (viewer: Viewer | null, video: OwnedVideo): boolean =>
  viewer !== null && (viewer.id === video.ownerUserId || isModerator(viewer))

/** Whether the viewer is a moderator or an administrator. */
export const isModerator = (viewer: Viewer | null): boolean => viewer !== null && viewer.role <= 1

/** Whether the viewer may watch without a password. */
export const canWatchVideo = (viewer: Viewer | null, video: OwnedVideo & { privacy: number }): boolean =>
  video.privacy === VIDEO_PRIVACY.PUBLIC ||
  video.privacy === VIDEO_PRIVACY.UNLISTED ||
  (video.privacy === VIDEO_PRIVACY.INTERNAL && viewer !== null) ||
  canManageVideo(viewer, video)

/** Whether files of a video of this privacy are served without authorization. */
export const isPublicOrUnlisted = (privacy: number): boolean => privacy === VIDEO_PRIVACY.PUBLIC || privacy === VIDEO_PRIVACY.UNLISTED
