import type { User } from '../../../shared/accounts.ts'
import type { Comment } from '../../../shared/comments.ts'
import type { VideoDetails } from '../../../shared/videos.ts'

/** Who sees comments of a video first, by PeerTube's numbers. */
export const COMMENTS_POLICY_IDS = { open: 1, closed: 2, approval: 3 } as const

const MODERATOR = 1

/** Where comments stand: the video, and what opens it besides a login. */
export type CommentContext = { video: VideoDetails; headers?: Record<string, string> }

/** Whether somebody may delete a comment: its author may, the owner of the video, and moderators. */
export function mayDeleteComment(user: User | null, video: VideoDetails, comment: Comment): boolean {
  return user !== null && !comment.isDeleted && (user.account.id === comment.account?.id || decides(user, video))
}

/** Whether somebody decides what appears below a video; of another server's video that server does. */
export function mayApproveComments(user: User | null, video: VideoDetails): boolean {
  return user !== null && video.isLocal && decides(user, video)
}

function decides(user: User, video: VideoDetails): boolean {
  return user.account.id === video.account.id || user.role.id <= MODERATOR
}
