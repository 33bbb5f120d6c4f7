import { runQuery, sql } from '../core/sql.ts'
import { acceptFetchedActivity } from '../fediverse/accept-delivery.ts'
import { fetchCollectionPages } from '../fediverse/remote-collection.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { idOf, isObject, listOf, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { COMMENT_REPAIR } from './repair-internals.ts'

/**
 * Reads the newest activities in the outbox of a remote actor and processes those about comments and videos of this server as if they had
 * been sent now; those that were received before have no effect. Throws FetchError.
 */
export async function crawlCommenterOutbox({ id, url, outbox }: { id: number; url: string; outbox: string }): Promise<void> {
  await runQuery(sql`UPDATE actors SET notes_read_at = now() WHERE id = ${id}`)
  if (!sameOrigin(outbox, url)) return
  const activities: JsonObject[] = []
  let itemCount = 0
  for await (const { items } of fetchCollectionPages(outbox)) {
    for (const item of items) if (isObject(item) && (await isAboutUs(item))) activities.push(item)
    itemCount += items.length
    if (itemCount >= COMMENT_REPAIR.maxOutboxItems) break
  }
  // The oldest first, so that replies find their parents.
  for (const activity of activities.reverse()) await acceptFetchedActivity(activity, url)
}

/** Whether an activity is a reaction to something of this server, or a comment below it or below a comment that is known here. */
async function isAboutUs(activity: JsonObject): Promise<boolean> {
  const { object } = activity
  const type = typeOf(activity) ?? ''
  if (type !== 'Create' && type !== 'Update') return ['Like', 'Dislike', 'EmojiReact'].includes(type) && isLocalUrl(idOf(object) ?? '')
  if (!isObject(object)) return false
  for (const one of listOf(object.inReplyTo)) {
    const url = httpUrl(idOf(one))
    if (url && (isLocalUrl(url) || (await runQuery(sql`SELECT 1 FROM comments WHERE url = ${url}`)).length > 0)) return true
  }
  return false
}
