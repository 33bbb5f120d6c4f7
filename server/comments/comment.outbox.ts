import type { Transaction } from 'sequelize'
import { host, origin } from '../core/config.ts'
import { run, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR } from '../actors/instance-actor.ts'
import { hostOf } from '../fediverse/origin.ts'
import { forward, LANE, send, type Audience } from '../fediverse/outbox.ts'
import type { Incoming } from '../fediverse/activity-handlers.ts'
import { PUBLIC, type Activity } from '../fediverse/vocabulary.ts'
import { announceInGroups } from './group-announce.outbox.ts'
import type { Row } from './comment.row.ts'

const PUBLICLY = 1
const UNLISTED = 2

/** The Note of a comment: HTML for everybody, its Markdown as the source (federation.md 2.1). */
export async function noteOf(row: Row, inside?: Transaction): Promise<{ id: string; [key: string]: unknown }> {
  const { markdownHtml } = await import('../core/markdown.ts')
  const author = row.author!
  const answered = row.parent_author ?? row.owner
  const mentions = answered === author ? [] : [{ type: 'Mention', href: answered, name: `@${await nameOf(answered, inside)}` }]
  return {
    to: [PUBLIC],
    cc: [`${author}/followers`, ...mentions.map(({ href }) => href)],
    type: 'Note',
    id: row.url,
    content: row.remote ? row.text : markdownHtml(row.text).trim(),
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
export async function tellComment(row: Row, type: 'Create' | 'Update', inside: Transaction): Promise<void> {
  // What is said below a video that is not for others stays here.
  if (!row.video_remote && row.video_privacy > UNLISTED) return
  const note = await noteOf(row, inside)
  const id = type === 'Create' ? `${row.url}/activity` : `${row.url}/updates/${row.updated_at.toISOString()}`
  const activity: Activity = {
    to: note.to as string[],
    cc: note.cc as string[],
    type,
    id: row.reply_approval && row.video_remote ? `${id}#approved` : id,
    actor: row.author!,
    object: note
  }
  await send({ activity, kind: 'comment', audience: await audienceOf(row, inside), lane: LANE.PUBLISH, subject: row.url }, inside)
  if (!row.video_remote) await announceInGroups([{ url: row.url, videoId: row.video_id, activity }], inside)
}

/** Tells that a comment is deleted, in the name of whoever may say so; null: only here. */
export async function tellDeletion(row: Row, actor: string | null, inside: Transaction): Promise<void> {
  if (actor === null || (row.held && !row.video_remote) || hostOf(actor) !== host()) return
  const activity: Activity = {
    to: [PUBLIC],
    cc: [`${actor}/followers`],
    type: 'Delete',
    id: `${row.url}/delete`.replace(/^.*\/\/[^/]+/, origin()),
    actor,
    object: row.url
  }
  await send({ activity, kind: 'base', audience: await audienceOf(row, inside), lane: LANE.NOW, subject: row.url }, inside)
  if (!row.video_remote) await announceInGroups([{ url: row.url, videoId: row.video_id, activity }], inside)
}

/** Tells a remote author that the comment is welcome (FEP-5624). */
export async function tellApproval(row: Row, inside: Transaction): Promise<void> {
  const [author] = await run<{ inbox: string }>(sql`SELECT inbox_url AS inbox FROM actors WHERE url = ${row.author}`, inside)
  if (!author) return
  await send(
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
      lane: LANE.NOW,
      subject: row.url
    },
    inside
  )
}

/** What another server said about a comment below a video of ours, to be sent on. */
export type Heard = { url: string; videoId: number; incoming: Pick<Incoming, 'id' | 'body' | 'type' | 'signer' | 'activity'> }

/** Sends what was said about remote comments below videos of ours on to those who follow them, as it came (federation.md 1.8). */
export async function sendOn(all: Heard[], inside: Transaction): Promise<void> {
  if (all.length === 0) return
  const publishers = await publishersOf(
    all.map(({ videoId }) => videoId),
    inside
  )
  await forward(
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
  await announceInGroups(
    all.map(({ url, videoId, incoming }) => ({ url, videoId, activity: incoming.activity })),
    inside
  )
}

async function audienceOf(row: Row, inside: Transaction): Promise<Audience> {
  const [owner] = await run<{ inbox: string }>(
    sql`SELECT coalesce(shared_inbox_url, inbox_url) AS inbox FROM actors WHERE url = ${row.owner}`,
    inside
  )
  // Everybody of the thread hears of it.
  const others = await run<{ inbox: string }>(
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
  const rows = await run<{ id: number; account: string; channel: string }>(
    sql`
    SELECT v.id, aa.url AS account, ca.url AS channel FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id
    WHERE v.id = ANY(${[...new Set(videoIds)]}::int[]) AND (v.privacy = ${PUBLICLY} OR v.publications > 0)`,
    inside
  )
  return new Map(rows.map(({ id, account, channel }) => [id, [account, channel, instanceActor()]]))
}

async function nameOf(url: string, inside?: Transaction): Promise<string> {
  const [row] = await run<{ name: string; host: string | null }>(
    sql`SELECT preferred_username AS name, host FROM actors WHERE url = ${url}`,
    inside
  )
  return row ? `${row.name}@${row.host ?? host()}` : url
}

const instanceActor = () => `${origin()}/accounts/${INSTANCE_ACTOR}`
