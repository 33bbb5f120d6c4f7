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

const PUBLICLY = 1
const UNLISTED = 2

/** The Note of a comment: HTML for everybody, its Markdown as the source (docs/federation.md#forwarding). */
export async function buildCommentNote(row: CommentRow, inside?: Transaction): Promise<{ id: string; [key: string]: unknown }> {
  const { markdownToHtml } = await import('../core/markdown.ts')
  const author = row.author!
  const answered = row.parent_author ?? row.owner
  const mentions = answered === author ? [] : [{ type: 'Mention', href: answered, name: `@${await nameOf(answered, inside)}` }]
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
    tag: mentions
  }
}

/** Tells a comment of ours: of our own video to all who follow it, of another's to its origin, which sends it on. */
export async function sendCommentActivity(row: CommentRow, type: 'Create' | 'Update', inside: Transaction): Promise<void> {
  // What is said below a video that is not for others stays here.
  if (!row.video_remote && row.video_privacy > UNLISTED) return
  const note = await buildCommentNote(row, inside)
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
    { activity, kind: 'comment', audience: await audienceOf(row, inside), lane: DELIVERY_PRIORITY.PUBLISH, subject: row.url },
    inside
  )
  if (!row.video_remote) await announceToGroupFollowers([{ url: row.url, videoId: row.video_id, activity }], inside)
}

/** Tells that a comment is deleted, in the name of whoever may say so; null: only here. */
export async function sendCommentDelete(row: CommentRow, actor: string | null, inside: Transaction): Promise<void> {
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
    { activity, kind: 'base', audience: await audienceOf(row, inside), lane: DELIVERY_PRIORITY.NOW, subject: row.url },
    inside
  )
  if (!row.video_remote) await announceToGroupFollowers([{ url: row.url, videoId: row.video_id, activity }], inside)
}

/** Tells a remote author that the comment is welcome (FEP-5624). */
export async function sendReplyApproval(row: CommentRow, inside: Transaction): Promise<void> {
  const [author] = await runQuery<{ inbox: string }>(sql`SELECT inbox_url AS inbox FROM actors WHERE url = ${row.author}`, inside)
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
    inside
  )
}

/** What another server said about a comment below a video of ours, to be sent on. */
export type ReceivedCommentActivity = {
  url: string
  videoId: number
  incoming: Pick<IncomingActivity, 'id' | 'body' | 'type' | 'signer' | 'activity'>
}

/**
 * Sends what was said about remote comments below videos of ours on to those who follow them, as it came (docs/federation.md#forwarding).
 */
export async function forwardCommentActivities(all: ReceivedCommentActivity[], inside: Transaction): Promise<void> {
  if (all.length === 0) return
  const publishers = await publishersOf(
    all.map(({ videoId }) => videoId),
    inside
  )
  await enqueueForwardedActivities(
    instanceActor(),
    all
      .filter(({ videoId }) => publishers.has(videoId))
      .map(({ url, videoId, incoming: { body, type, signer } }) => ({
        body,
        type,
        audience: { followersOf: publishers.get(videoId)!, except: [hostOf(signer)] },
        subject: url
      })),
    inside
  )
  await announceToGroupFollowers(
    all.map(({ url, videoId, incoming }) => ({ url, videoId, activity: incoming.activity })),
    inside
  )
}

async function audienceOf(row: CommentRow, inside: Transaction): Promise<DeliveryAudience> {
  const [owner] = await runQuery<{ inbox: string }>(
    sql`SELECT coalesce(shared_inbox_url, inbox_url) AS inbox FROM actors WHERE url = ${row.owner}`,
    inside
  )
  // Everybody of the thread hears of it.
  const others = await runQuery<{ inbox: string }>(
    sql`
    SELECT DISTINCT coalesce(a.shared_inbox_url, a.inbox_url) AS inbox FROM comments c JOIN accounts ON accounts.id = c.account_id JOIN actors a ON a.id = accounts.actor_id
    WHERE a.host IS NOT NULL AND (c.id = ${row.thread_id ?? row.id} OR c.thread_id = ${row.thread_id ?? row.id})`,
    inside
  )
  const followersOf = row.video_remote ? [] : ((await publishersOf([row.video_id], inside)).get(row.video_id) ?? [])
  return {
    inboxes: [...(row.video_remote ? [owner!.inbox] : []), ...others.map(({ inbox }) => inbox)],
    followersOf: row.author && row.video_privacy === PUBLICLY ? [row.author, ...followersOf] : followersOf
  }
}

/** Whose followers know of videos; none for those nobody was told of. */
async function publishersOf(videoIds: number[], inside: Transaction): Promise<Map<number, string[]>> {
  const rows = await runQuery<{ id: number; account: string; channel: string }>(
    sql`
    SELECT v.id, aa.url AS account, ca.url AS channel FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id
    WHERE v.id = ANY(${[...new Set(videoIds)]}::int[]) AND (v.privacy = ${PUBLICLY} OR v.publications > 0)`,
    inside
  )
  return new Map(rows.map(({ id, account, channel }) => [id, [account, channel, instanceActor()]]))
}

async function nameOf(url: string, inside?: Transaction): Promise<string> {
  const [row] = await runQuery<{ name: string; host: string | null }>(
    sql`SELECT preferred_username AS name, host FROM actors WHERE url = ${url}`,
    inside
  )
  return row ? `${row.name}@${row.host ?? instanceHost()}` : url
}

const instanceActor = () => `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
