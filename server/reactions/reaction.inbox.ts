import { run, sql } from '../core/sql.ts'
import { actorOf } from '../actors/follow.inbox.ts'
import type { Part } from '../actors/activitypub-response.ts'
import { httpUrl } from '../fediverse/origin.ts'
import { receive, type Incoming } from '../fediverse/activity-handlers.ts'
import { revoke, wasRevoked } from '../fediverse/tombstones.ts'
import { idOf, isObject } from '../fediverse/vocabulary.ts'
import { registerCollection } from '../videos/video-collections.ts'
import { keepVideosWith } from '../videos/retention.ts'
import { dropReaction, takeReaction } from './reactions.ts'

/** Emoji that say the same as a like (FEP-c0e0). */
const LIKES = new Set(['👍', '❤', '❤️', '♥', '⭐'])

/** Hears likes and dislikes of our videos. */
export function receiveReactions(): void {
  receive('Like', async incoming => await receiveReaction(incoming, 'like'))
  receive('Dislike', async incoming => await receiveReaction(incoming, 'dislike'))
  receive('EmojiReact', async incoming => LIKES.has(String(incoming.activity.content)) && (await receiveReaction(incoming, 'like')))
  receive('Undo(Like)', async incoming => await receiveUndo(incoming, 'like'))
  receive('Undo(EmojiReact)', async incoming => await receiveUndo(incoming, 'like'))
  receive('Undo(Dislike)', async incoming => await receiveUndo(incoming, 'dislike'))
  registerCollection('likes', ({ id }) => reactionsOf(id, 'like'))
  registerCollection('dislikes', ({ id }) => reactionsOf(id, 'dislike'))
  keepVideosWith(
    sql`EXISTS (SELECT 1 FROM reactions JOIN accounts a ON a.id = reactions.account_id WHERE reactions.video_id = v.id AND a.user_id IS NOT NULL)`
  )
}

async function receiveReaction(incoming: Incoming, type: 'like' | 'dislike'): Promise<boolean> {
  const url = httpUrl(idOf(incoming.object))
  const [video] = await run<{ id: number }>(
    sql`SELECT id FROM videos WHERE url = ${url} AND NOT remote AND (privacy IN (1, 2) OR publications > 0) AND state = 1`
  )
  if (!video) return false
  const actor = await actorOf(incoming)
  // Taken back before it came (federation.md 4.44).
  if (await wasRevoked(incoming.id)) return true
  const [account] = await run<{ id: number }>(sql`SELECT id FROM accounts WHERE actor_id = ${actor.id}`)
  if (!account) return false
  await takeReaction({ url: incoming.id, videoId: video.id, accountId: account.id, type })
  return true
}

async function receiveUndo({ actor, object }: Incoming, type: 'like' | 'dislike'): Promise<boolean> {
  if (!isObject(object)) return false
  const url = httpUrl(object.id)
  const dropped = await dropReaction(actor, url, { video: httpUrl(idOf(object.object)), type })
  if (!dropped && url) await revoke(url)
  return true
}

function reactionsOf(videoId: number, type: 'like' | 'dislike'): Part {
  return async (start, count) => {
    const [row] = await run<{ total: number }>(
      sql`SELECT count(*)::int AS total FROM reactions WHERE video_id = ${videoId} AND type = ${type}`
    )
    const rows = await run<{ url: string }>(
      sql`SELECT url FROM reactions WHERE video_id = ${videoId} AND type = ${type} ORDER BY id DESC LIMIT ${count} OFFSET ${start}`
    )
    return { total: row!.total, items: rows.map(({ url }) => url) }
  }
}
