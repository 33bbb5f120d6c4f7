import type { Viewer as Whole } from '../core/route.ts'
import { PRIVACY } from './video.model.ts'

type Viewer = Pick<Whole, 'id' | 'role'>
type Owned = { ownerUserId: number | null }

/** The owner of a video, or somebody who moderates the instance. */
export const canManage = (viewer: Viewer | null, video: Owned): boolean =>
  viewer !== null && (viewer.id === video.ownerUserId || isModerator(viewer))

/** Moderators and administrators see every video. */
export const isModerator = (viewer: Viewer | null): boolean => viewer !== null && viewer.role <= 1

/** Whether the viewer may watch without a password. */
export const canWatch = (viewer: Viewer | null, video: Owned & { privacy: number }): boolean =>
  video.privacy === PRIVACY.PUBLIC ||
  video.privacy === PRIVACY.UNLISTED ||
  (video.privacy === PRIVACY.INTERNAL && viewer !== null) ||
  canManage(viewer, video)

/** Public and unlisted files need no token. */
export const isOpen = (privacy: number): boolean => privacy === PRIVACY.PUBLIC || privacy === PRIVACY.UNLISTED
