import type { Viewer as Whole } from '../core/route.ts'
import { VIDEO_PRIVACY } from './video.model.ts'

type Viewer = Pick<Whole, 'id' | 'role'>
type Owned = { ownerUserId: number | null }

/** The owner of a video, or somebody who moderates the instance. */
export const canManageVideo = (viewer: Viewer | null, video: Owned): boolean =>
  viewer !== null && (viewer.id === video.ownerUserId || isModerator(viewer))

/** Moderators and administrators see every video. */
export const isModerator = (viewer: Viewer | null): boolean => viewer !== null && viewer.role <= 1

/** Whether the viewer may watch without a password. */
export const canWatchVideo = (viewer: Viewer | null, video: Owned & { privacy: number }): boolean =>
  video.privacy === VIDEO_PRIVACY.PUBLIC ||
  video.privacy === VIDEO_PRIVACY.UNLISTED ||
  (video.privacy === VIDEO_PRIVACY.INTERNAL && viewer !== null) ||
  canManageVideo(viewer, video)

/** Public and unlisted files need no token. */
export const isPublicOrUnlisted = (privacy: number): boolean => privacy === VIDEO_PRIVACY.PUBLIC || privacy === VIDEO_PRIVACY.UNLISTED
