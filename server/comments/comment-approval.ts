import { hasFollowsWithHost } from '../fediverse/confirm-at-origin.ts'
import type { IncomingActivity } from '../fediverse/activity-handlers.ts'
import { isPassingFetchError } from '../fediverse/fetch-budget.ts'
import { FetchError, fetchRemoteDocument, type FetchBudget } from '../fediverse/remote-fetch.ts'
import { hostOf, httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { idOf, typeOf } from '../fediverse/vocabulary.ts'
import type { ParsedCommentNote } from './comment.codec.ts'

/** How a comment came here: in an activity, or fetched from its origin; `listedBy`: because the list of that video or comment names it. */
export type CommentSource = { incoming?: IncomingActivity; listedBy?: string }
/** A remote video whose owner approves comments; `owners`: the URLs of its account and its channel. */
export type GuardedVideo = { url: string; owners: string[] }

/**
 * Whether the origin of a remote video shows a comment below it: it forwarded it, it lists it, or it serves the approval that the comment
 * names (docs/federation.md#approvals). Throws FetchError where that origin does not answer.
 */
export async function isApprovedAtOrigin(
  note: ParsedCommentNote,
  video: GuardedVideo,
  { incoming, listedBy }: CommentSource,
  budget: FetchBudget
): Promise<boolean> {
  if (incoming && hostOf(incoming.signer) === hostOf(video.url)) return true
  if (listedBy !== undefined && sameOrigin(listedBy, video.url)) return true
  if (!note.approval || !sameOrigin(note.approval, video.url)) return false
  if (incoming && !(await hasFollowsWithHost(hostOf(incoming.signer)))) return false
  return await isApproval(note.approval, note, video, budget)
}

/** Whether an address of the origin serves the approval of a comment, by the owner of the video and for where the comment stands. */
async function isApproval(address: string, note: ParsedCommentNote, { owners }: GuardedVideo, budget: FetchBudget): Promise<boolean> {
  try {
    const { url, document } = await fetchRemoteDocument(address, { budget })
    const [actor, object, inReplyTo] = [document.actor, document.object, document.inReplyTo].map(value => httpUrl(idOf(value)))
    return (
      typeOf(document) === 'ApproveReply' &&
      url === address &&
      owners.includes(actor ?? '') &&
      object === note.url &&
      (document.inReplyTo === undefined || note.inReplyTo.includes(inReplyTo ?? ''))
    )
  } catch (error) {
    if (!(error instanceof FetchError) || isPassingFetchError(error)) throw error
    return false
  }
}
