import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { notBlockedSql } from '../actors/blocks.ts'
import { resolveActivityActor } from '../actors/follow.inbox.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import { idOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { isVideoServedToPeers } from './local-video.query.ts'
import { VIDEO_PRIVACY } from './video.model.ts'

/** The longest URL of a quote that is stored, in characters. */
const MAX_QUOTE_URL = 2000

type QuotedVideo = { id: number; url: string; owner: string; ownerUserId: number | null; privacy: number; state: number }

/** Registers the handler of requests to quote (FEP-044f); called once at start. */
export function registerQuoteRequestHandler(): void {
  onActivity('QuoteRequest', handleQuoteRequest)
}

/**
 * Anyone whom its owner has not blocked may quote a public video: the request is accepted with a QuoteAuthorization. Whatever else is here
 * may not be quoted; the answer does not tell whether there is something that the requester may not see (docs/federation.md#hidden-objects).
 */
async function handleQuoteRequest(incoming: IncomingActivity): Promise<boolean> {
  const quoted = httpUrl(idOf(incoming.object))
  const quote = httpUrl(idOf(incoming.activity.instrument))
  if (!quoted || !isLocalUrl(quoted) || !quote || quote.length > MAX_QUOTE_URL || !sameOrigin(quote, incoming.actor)) return false
  const requester = await resolveActivityActor(incoming)
  const { inboxUrl } = requester
  if (!inboxUrl) return false
  const request = { type: 'QuoteRequest', id: incoming.id, actor: incoming.actor, object: quoted, instrument: quote }
  await transaction(async tx => {
    const video = await findQuotedVideo(quoted, tx)
    if (video?.privacy === VIDEO_PRIVACY.PUBLIC && !(await isBlockedBy(video.ownerUserId, requester, tx))) {
      const id = await authorizeQuote(video.id, quote, tx)
      const result = `${video.url}/quote-authorizations/${id}`
      await sendAnswer(
        { type: 'Accept', id: `${result}/accept/${randomUUID()}`, actor: video.owner, object: request, result },
        inboxUrl,
        tx
      )
    } else {
      const actor = video?.owner ?? (await findCommentAuthor(quoted, tx)) ?? `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`
      await sendAnswer({ type: 'Reject', id: `${instanceOrigin()}/rejects/quotes/${randomUUID()}`, actor, object: request }, inboxUrl, tx)
    }
  })
  return true
}

/** Whether the instance or a user has blocked an actor. */
async function isBlockedBy(userId: number | null, { id, host }: { id: number; host: string | null }, tx: Transaction): Promise<boolean> {
  const notBlocked = notBlockedSql({ actorId: sql`${id}::int`, host: sql`${host}::text` }, userId)
  return (await runQuery(sql`SELECT 1 WHERE ${notBlocked}`, tx)).length === 0
}

/** Returns the document of an authorization; null if there is none (FEP-044f, QuoteAuthorization). */
export async function buildQuoteAuthorization(
  { id: videoId, url, owner }: { id: number; url: string; owner: string },
  id: number
): Promise<JsonObject | null> {
  const [found] = await runQuery<{ quote: string }>(
    sql`SELECT quote_url AS quote FROM quote_authorizations WHERE id = ${id} AND video_id = ${videoId}`
  )
  return found
    ? {
        type: 'QuoteAuthorization',
        id: `${url}/quote-authorizations/${id}`,
        attributedTo: owner,
        interactingObject: found.quote,
        interactionTarget: url
      }
    : null
}

async function authorizeQuote(videoId: number, quote: string, tx: Transaction): Promise<number> {
  const [row] = await runQuery<{ id: number }>(
    sql`INSERT INTO quote_authorizations (video_id, quote_url) VALUES (${videoId}, ${quote})
      ON CONFLICT (video_id, quote_url) DO UPDATE SET quote_url = excluded.quote_url RETURNING id`,
    tx
  )
  return row!.id
}

async function sendAnswer(
  activity: { type: 'Accept' | 'Reject'; id: string; actor: string; object: { id: string; actor: string }; result?: string },
  inbox: string,
  tx: Transaction
): Promise<void> {
  await enqueueActivity(
    {
      activity: { ...activity, to: [activity.object.actor] },
      kind: 'quoteRequest',
      audience: { inboxes: [inbox] },
      lane: DELIVERY_PRIORITY.NOW,
      subject: activity.object.id
    },
    tx
  )
}

async function findQuotedVideo(url: string, tx: Transaction): Promise<QuotedVideo | null> {
  const [video] = await runQuery<QuotedVideo>(
    sql`SELECT v.id, v.url, v.privacy, v.state, owner.url AS owner, a.user_id AS "ownerUserId" FROM videos v
      JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id JOIN actors owner ON owner.id = a.actor_id WHERE v.url = ${url} AND NOT v.remote`,
    tx
  )
  return video && isVideoServedToPeers(video) ? video : null
}

/** Returns the author of a comment of this server that other servers may see. */
async function findCommentAuthor(url: string, tx: Transaction): Promise<string | null> {
  const [comment] = await runQuery<{ author: string }>(
    sql`SELECT author.url AS author FROM comments c JOIN accounts a ON a.id = c.account_id JOIN actors author ON author.id = a.actor_id
      JOIN videos v ON v.id = c.video_id
      WHERE c.url = ${url} AND NOT c.remote AND NOT c.held AND c.deleted_at IS NULL AND (v.remote OR v.privacy <= ${VIDEO_PRIVACY.UNLISTED})`,
    tx
  )
  return comment?.author ?? null
}
