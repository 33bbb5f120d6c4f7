import type { User } from '../../../shared/accounts.ts'
import type { Comment } from '../../../shared/comments.ts'
import type { VideoDetails } from '../../../shared/videos.ts'

/** The comment policies of a video, by PeerTube's ids. */
export const COMMENTS_POLICY_IDS = { open: 1, closed: 2, approval: 3 } as const

const MODERATOR_ROLE_ID = 1

/** The video of the comments, and the request headers that give access to it (its password). */
export type CommentContext = { video: VideoDetails; headers?: Record<string, string> }

/** Whether a user may delete a comment: its author, the owner of the video, and moderators. */
export function mayDeleteComment(user: User | null, video: VideoDetails, comment: Comment): boolean {
  return user !== null && !comment.isDeleted && (user.account.id === comment.account?.id || isOwnerOrModerator(user, video))
}

/** Whether a user may approve held comments: only of local videos (remote ones: on their server), the owner and moderators. */
export function mayApproveComments(user: User | null, video: VideoDetails): boolean {
  return user !== null && video.isLocal && isOwnerOrModerator(user, video)
}

function isOwnerOrModerator(user: User, video: VideoDetails): boolean {
  return user.account.id === video.account.id || user.role.id <= MODERATOR_ROLE_ID
}
