import type { Transaction } from 'sequelize'
import { instanceHost, instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { hostOf } from '../fediverse/origin.ts'
import { enqueueForwardedActivities, DELIVERY_PRIORITY, enqueueActivity, type DeliveryAudience } from '../fediverse/outbox.ts'
import type { IncomingActivity } from '../fediverse/activity-handlers.ts'
import { AS_PUBLIC, type Activity } from '../fediverse/vocabulary.ts'
import { announceToGroupFollowers } from './group-announce.outbox.ts'
import type { CommentRow } from './comment.row.ts'

const PRIVACY_PUBLIC = 1
const PRIVACY_UNLISTED = 2

/** Builds the Note of a comment: HTML as `content`, the Markdown of a local comment as `source` (docs/federation.md#forwarding). */
export async function buildCommentNote(row: CommentRow, tx?: Transaction): Promise<{ id: string; [key: string]: unknown }> {
  const { markdownToHtml } = await import('../core/markdown.ts')
  const author = row.author!
  const repliedTo = row.parent_author ?? row.owner
  const mentions = repliedTo === author ? [] : [{ type: 'Mention', href: repliedTo, name: `@${await findMentionName(repliedTo, tx)}` }]
  return {
    to: [AS_PUBLIC],
    cc: [`${author}/followers`, ...mentions.map(({ href }) => href)],
    type: 'Note',
    id: row.url,
    content: row.remote ? row.text : markdownToHtml(row.text).trim(),
    mediaType: 'text/html',
    ...(row.remote ? {} : { source: { content: row.text, mediaType: 'text/markdown' } }),
    inReplyTo: row.parent_url ?? row.video_url,
    published: row.created_at.toISOString(),
    updated: row.updated_at.toISOString(),
    url: row.url,
    attributedTo: author,
    replyApproval: row.reply_approval,
    ...(row.remote ? {} : { replies: `${row.url}/replies` }),
    tag: mentions
  }
}

/**
 * Sends a local comment: below a local video to all followers of that video's account and channel, below a remote one to its origin, which
 * forwards it.
 */
export async function sendCommentActivity(row: CommentRow, type: 'Create' | 'Update', tx: Transaction): Promise<void> {
  // Comments below a video that is not public or unlisted are not federated.
  if (!row.video_remote && row.video_privacy > PRIVACY_UNLISTED) return
  const note = await buildCommentNote(row, tx)
  const id = type === 'Create' ? `${row.url}/activity` : `${row.url}/updates/${row.updated_at.toISOString()}`
  const activity: Activity = {
    to: note.to as string[],
    cc: note.cc as string[],
    type,
    id: row.reply_approval && row.video_remote ? `${id}#approved` : id,
    actor: row.author!,
    object: note
  }
  await enqueueActivity(
    { activity, kind: 'comment', audience: await findAudience(row, tx), lane: DELIVERY_PRIORITY.PUBLISH, subject: row.url },
    tx
  )
  if (!row.video_remote) await announceToGroupFollowers([{ url: row.url, videoId: row.video_id, activity }], tx)
}

/** Sends the deletion of a comment as `actor`; null and an actor of another server send nothing. */
export async function sendCommentDelete(row: CommentRow, actor: string | null, tx: Transaction): Promise<void> {
  if (actor === null || (row.held && !row.video_remote) || hostOf(actor) !== instanceHost()) return
  const activity: Activity = {
    to: [AS_PUBLIC],
    cc: [`${actor}/followers`],
    type: 'Delete',
    id: `${row.url}/delete`.replace(/^.*\/\/[^/]+/, instanceOrigin()),
    actor,
    object: row.url
  }
  await enqueueActivity(
    { activity, kind: 'base', audience: await findAudience(row, tx), lane: DELIVERY_PRIORITY.NOW, subject: row.url },
    tx
  )
  if (!row.video_remote) await announceToGroupFollowers([{ url: row.url, videoId: row.video_id, activity }], tx)
}

/** Tells a remote author that the comment is approved (FEP-5624). */
export async function sendReplyApproval(row: CommentRow, tx: Transaction): Promise<void> {
  const [author] = await runQuery<{ inbox: string }>(sql`SELECT inbox_url AS inbox FROM actors WHERE url = ${row.author}`, tx)
  if (!author) return
  await enqueueActivity(
    {
      activity: {
        type: 'ApproveReply',
        id: row.reply_approval!,
        actor: row.owner,
        inReplyTo: row.parent_url ?? row.video_url,
        object: row.url
      },
      kind: 'approval',
      audience: { inboxes: [author.inbox] },
      lane: DELIVERY_PRIORITY.NOW,
      subject: row.url
    },
    tx
  )
}

/** A received activity about a comment below a local video, to be forwarded. */
export type ReceivedCommentActivity = {
  url: string
  videoId: number
  incoming: Pick<IncomingActivity, 'id' | 'body' | 'type' | 'signer' | 'activity'>
}

/** Forwards received activities about remote comments below local videos to the followers, unchanged (docs/federation.md#forwarding). */
export async function forwardCommentActivities(received: ReceivedCommentActivity[], tx: Transaction): Promise<void> {
  if (received.length === 0) return
  const publisherUrls = await findPublisherUrls(
    received.map(({ videoId }) => videoId),
    tx
  )
  await enqueueForwardedActivities(
    instanceActorUrl(),
    received
      .filter(({ videoId }) => publisherUrls.has(videoId))
      .map(({ url, videoId, incoming: { body, type, signer } }) => ({
        body,
        type,
        audience: { followersOf: publisherUrls.get(videoId)!, except: [hostOf(signer)] },
        subject: url
      })),
    tx
  )
  await announceToGroupFollowers(
    received.map(({ url, videoId, incoming }) => ({ url, videoId, activity: incoming.activity })),
    tx
  )
}

async function findAudience(row: CommentRow, tx: Transaction): Promise<DeliveryAudience> {
  const [owner] = await runQuery<{ inbox: string }>(
    sql`SELECT coalesce(shared_inbox_url, inbox_url) AS inbox FROM actors WHERE url = ${row.owner}`,
    tx
  )
  // All participants of the thread receive it.
  const participants = await runQuery<{ inbox: string }>(
    sql`
    SELECT DISTINCT coalesce(a.shared_inbox_url, a.inbox_url) AS inbox FROM comments c JOIN accounts ON accounts.id = c.account_id
      JOIN actors a ON a.id = accounts.actor_id
    WHERE a.host IS NOT NULL AND (c.id = ${row.thread_id ?? row.id} OR c.thread_id = ${row.thread_id ?? row.id})`,
    tx
  )
  const followersOf = row.video_remote ? [] : ((await findPublisherUrls([row.video_id], tx)).get(row.video_id) ?? [])
  return {
    inboxes: [...(row.video_remote ? [owner!.inbox] : []), ...participants.map(({ inbox }) => inbox)],
    followersOf: row.author && row.video_privacy === PRIVACY_PUBLIC ? [row.author, ...followersOf] : followersOf
  }
}

/** Returns the actors whose followers know each video; videos that were never federated are missing. */
async function findPublisherUrls(videoIds: number[], tx: Transaction): Promise<Map<number, string[]>> {
  const rows = await runQuery<{ id: number; account: string; channel: string }>(
    sql`
    SELECT v.id, aa.url AS account, ca.url AS channel FROM videos v JOIN channels c ON c.id = v.channel_id
      JOIN actors ca ON ca.id = c.actor_id JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id
    WHERE v.id = ANY(${[...new Set(videoIds)]}::int[]) AND (v.privacy = ${PRIVACY_PUBLIC} OR v.publications > 0)`,
    tx
  )
  return new Map(rows.map(({ id, account, channel }) => [id, [account, channel, instanceActorUrl()]]))
}

async function findMentionName(url: string, tx?: Transaction): Promise<string> {
  const [row] = await runQuery<{ name: string; host: string | null }>(
    sql`SELECT preferred_username AS name, host FROM actors WHERE url = ${url}`,
    tx
  )
  return row ? `${row.name}@${row.host ?? instanceHost()}` : url
}

const instanceActorUrl = () => `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
