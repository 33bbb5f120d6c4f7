import { runQuery, sql } from '../core/sql.ts'
import { resolveActivityActor } from '../actors/follow.inbox.ts'
import type { CollectionQuery } from '../actors/activitypub-response.ts'
import { httpUrl } from '../fediverse/origin.ts'
import { onActivity, onWithdrawal, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { isOutdated } from '../fediverse/undone-activities.ts'
import { idOf, isObject, textOf, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { registerVideoCollection } from '../videos/video-collections.ts'
import { addRetentionCondition } from '../videos/retention.ts'
import { removeRemoteReaction, storeRemoteReaction } from './reactions.ts'

/** Emoji reactions that count as a like (FEP-c0e0), and the names of such emoji. */
const LIKE_EMOJI = new Set(['👍', '❤', '♥', '⭐', 'thumbsup', 'thumbs_up', '+1', 'heart', 'star'])
/** Those that are a dislike, even as the content of a Like (Misskey). */
const DISLIKE_EMOJI = new Set(['👎', 'thumbsdown', 'thumbs_down', '-1'])

/** Registers the inbox handlers, the collections and the retention condition of reactions; called once at start. */
export function registerReactionInboxHandlers(): void {
  onActivity('Like', async incoming => await handleReaction(incoming, isDislikeEmoji(incoming.activity) ? 'dislike' : 'like'))
  onActivity('Dislike', async incoming => await handleReaction(incoming, 'dislike'))
  onActivity('EmojiReact', async incoming => {
    if (isDislikeEmoji(incoming.activity)) return await handleReaction(incoming, 'dislike')
    return LIKE_EMOJI.has(emojiOf(incoming.activity)) && (await handleReaction(incoming, 'like'))
  })
  for (const type of ['Undo(Like)', 'Undo(EmojiReact)'])
    onActivity(type, async incoming => {
      const isDislike = isObject(incoming.object) && isDislikeEmoji(incoming.object)
      return await handleUndo(incoming, isDislike ? 'dislike' : 'like')
    })
  onActivity('Undo(Dislike)', async incoming => await handleUndo(incoming, 'dislike'))
  onWithdrawal(async (url, { actor }) => await removeRemoteReaction(actor, { url }))
  registerVideoCollection('likes', ({ id }) => reactionUrlsQuery(id, 'like'))
  registerVideoCollection('dislikes', ({ id }) => reactionUrlsQuery(id, 'dislike'))
  addRetentionCondition(
    sql`EXISTS (SELECT 1 FROM reactions JOIN accounts a ON a.id = reactions.account_id WHERE reactions.video_id = v.id
      AND a.user_id IS NOT NULL)`
  )
}

const isDislikeEmoji = (reaction: JsonObject) => DISLIKE_EMOJI.has(emojiOf(reaction))

/**
 * The emoji of a reaction, without the tone of its skin and the selector of its presentation (Unicode Technical Standard #51), of one that is
 * only named (`:thumbsdown:`, `:thumbsdown@host:`) the name in lower case; may be empty.
 */
function emojiOf(reaction: JsonObject): string {
  const content = (textOf(reaction, 'content') ?? '').slice(0, 200).trim()
  const name = /^:([\w+-]+)(@[\w.-]+)?:$/.exec(content)?.[1]
  return name?.toLowerCase() ?? content.replace(/[\ufe0e\ufe0f]|[\u{1f3fb}-\u{1f3ff}]/gu, '')
}

async function handleReaction(incoming: IncomingActivity, type: 'like' | 'dislike'): Promise<boolean> {
  const url = httpUrl(idOf(incoming.object))
  const [video] = await runQuery<{ id: number }>(
    sql`SELECT id FROM videos WHERE url = ${url} AND NOT remote AND (privacy IN (1, 2) OR publications > 0) AND state = 1`
  )
  if (!video) return false
  const actor = await resolveActivityActor(incoming)
  const [account] = await runQuery<{ id: number }>(sql`SELECT id FROM accounts WHERE actor_id = ${actor.id}`)
  if (!account) return false
  await storeRemoteReaction({
    url: incoming.id,
    videoId: video.id,
    account: { id: account.id, url: incoming.actor },
    type,
    isEmoji: incoming.type === 'EmojiReact'
  })
  return true
}

/**
 * Takes back the reaction that an Undo names. What it is about decides only where its id is unknown here, as with software that makes a new
 * one for the Undo, or missing; an emoji beside a Like has no such place.
 */
async function handleUndo({ actor, object }: IncomingActivity, type: 'like' | 'dislike'): Promise<boolean> {
  if (!isObject(object)) return false
  const url = httpUrl(object.id)
  if (url && (await removeRemoteReaction(actor, { url }))) return true
  const video = httpUrl(idOf(object.object))
  if (!video || typeOf(object) === 'EmojiReact' || (url && (await isOutdated(url, actor)))) return false
  return await removeRemoteReaction(actor, { video, type })
}

function reactionUrlsQuery(videoId: number, type: 'like' | 'dislike'): CollectionQuery {
  return async (start, count) => {
    const [row] = await runQuery<{ total: number }>(
      sql`SELECT count(*)::int AS total FROM reactions WHERE video_id = ${videoId} AND type = ${type}`
    )
    const rows = await runQuery<{ url: string }>(
      sql`SELECT url FROM reactions WHERE video_id = ${videoId} AND type = ${type} ORDER BY id DESC LIMIT ${count} OFFSET ${start}`
    )
    return { total: row!.total, items: rows.map(({ url }) => url) }
  }
}
