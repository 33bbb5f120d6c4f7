import { runQuery, sql } from '../core/sql.ts'
import { acceptFetchedActivity } from '../fediverse/accept-delivery.ts'
import { fetchCollectionPages } from '../fediverse/remote-collection.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { isPassingFetchError } from '../fediverse/fetch-budget.ts'
import { idOf, isObject, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { parentsOf } from './comment.codec.ts'
import { COMMENT_REPAIR } from './repair-internals.ts'

const CREATIONS = new Set(['Create', 'Update'])
const REACTIONS = new Set(['Like', 'Dislike', 'EmojiReact'])

/**
 * Reads the newest activities in the outbox of a remote actor and processes those about comments and videos of this server as if they had
 * been sent now; those that were received before have no effect. What its server does not answer for now stays due. Throws FetchError.
 */
export async function crawlCommenterOutbox({ id, url, outbox }: { id: number; url: string; outbox: string }): Promise<void> {
  const startedAt = new Date()
  const noteRead = async () => void (await runQuery(sql`UPDATE actors SET notes_read_at = ${startedAt} WHERE id = ${id}`))
  try {
    if (sameOrigin(outbox, url)) await acceptOutbox({ id, url, outbox })
    await noteRead()
  } catch (error) {
    if (error instanceof FetchError && !isPassingFetchError(error)) await noteRead()
    throw error
  }
}

async function acceptOutbox({ id, url, outbox }: { id: number; url: string; outbox: string }): Promise<void> {
  const budget = new FetchBudget(COMMENT_REPAIR.maxOutboxFetches)
  const items: unknown[] = []
  for await (const page of fetchCollectionPages(outbox)) {
    items.push(...page.items)
    if (items.length >= COMMENT_REPAIR.maxOutboxItems) break
  }
  const activities = await embedObjects(items.slice(0, COMMENT_REPAIR.maxOutboxItems), url, budget)
  const isAboutUs = await findWhatIsAboutUs(activities, id)
  // The oldest first, so that replies find their parents.
  for (const activity of withoutWithdrawn(activities).filter(isAboutUs).reverse()) await acceptFetchedActivity(activity, url)
}

/**
 * The activities of an outbox with their objects: some servers name both by their ids (GoToSocial, Hubzilla). What is known here is not
 * fetched, and what cannot be had is left out. Throws FetchError where the server does not answer.
 */
async function embedObjects(items: unknown[], actor: string, budget: FetchBudget): Promise<JsonObject[]> {
  const urls = items.flatMap(item => [item, isObject(item) ? item.object : null]).map(item => httpUrl(idOf(item)))
  const known = new Set(
    (
      await runQuery<{ url: string }>(sql`
        SELECT activity_id AS url FROM incoming WHERE activity_id = ANY(${urls}) UNION SELECT url FROM comments WHERE url = ANY(${urls})`)
    ).map(({ url }) => url)
  )
  const fetchOwn = async (value: unknown): Promise<JsonObject | null> => {
    const url = httpUrl(idOf(value))
    if (!url || !sameOrigin(url, actor)) return null
    try {
      return (await fetchRemoteDocument(url, { budget })).document
    } catch (error) {
      if (!(error instanceof FetchError) || error.kind === 'unreachable') throw error
      return null
    }
  }
  const isKnown = (value: unknown) => known.has(httpUrl(idOf(value)) ?? '')
  const activities: JsonObject[] = []
  for (const item of items) {
    const isEmbedded = isObject(item) && item.type !== undefined
    const activity = isEmbedded ? item : isKnown(item) ? null : await fetchOwn(item)
    if (!activity) continue
    const type = typeOf(activity)
    if (isObject(activity.object) || !CREATIONS.has(type ?? '')) activities.push(activity)
    else if (!isKnown(activity) && !(type === 'Create' && isKnown(activity.object))) {
      const object = await fetchOwn(activity.object)
      if (object) activities.push({ ...activity, object })
    }
  }
  return activities
}

/** Leaves out of activities, the newest first, what its actor took back later, and what was taken back before it was done again. */
function withoutWithdrawn(activities: JsonObject[]): JsonObject[] {
  const decided = new Set<string>()
  return activities.filter(activity => {
    if (CREATIONS.has(typeOf(activity) ?? '')) return !decided.has(idOf(activity.object) ?? '')
    const keys = keysOfDecision(activity)
    const isFirst = !keys.some(key => decided.has(key))
    for (const key of keys) decided.add(key)
    return isFirst
  })
}

/** What an activity decides about: a reaction by its id or by its type and its object, or something deleted by its id. */
function keysOfDecision(activity: JsonObject): string[] {
  const type = typeOf(activity) ?? ''
  const decided = type === 'Undo' || type === 'Delete' ? activity.object : REACTIONS.has(type) ? activity : null
  const keys = [
    idOf(decided),
    isObject(decided) && REACTIONS.has(typeOf(decided) ?? '') ? `${typeOf(decided)} ${idOf(decided.object)}` : null
  ]
  return keys.filter(key => key !== null)
}

/**
 * Finds out which activities are about something of this server: a comment below it or below a comment that is known here, a reaction to
 * it, or an end of one that is stored.
 */
async function findWhatIsAboutUs(activities: JsonObject[], actorId: number): Promise<(activity: JsonObject) => boolean> {
  const parents = (activity: JsonObject) => (isObject(activity.object) ? parentsOf(activity.object) : [])
  const ended = activities.filter(activity => ['Undo', 'Delete'].includes(typeOf(activity) ?? '')).map(({ object }) => object)
  const endedIds = ended.map(object => httpUrl(idOf(object))).filter(url => url !== null)
  const endedReactions = ended.map(object => (isObject(object) ? idOf(object.object) : null)).filter(url => url !== null)
  const known = new Set(
    (
      await runQuery<{ url: string }>(sql`
        SELECT url FROM comments WHERE url = ANY(${activities.flatMap(parents)})
        UNION SELECT url FROM comments WHERE url = ANY(${endedIds}) AND deleted_at IS NULL
        UNION SELECT unnest(ARRAY[reactions.url, videos.url]) FROM reactions JOIN accounts ON accounts.id = reactions.account_id
          JOIN videos ON videos.id = reactions.video_id
        WHERE accounts.actor_id = ${actorId} AND (reactions.url = ANY(${endedIds}) OR videos.url = ANY(${endedReactions}))`)
    ).map(({ url }) => url)
  )
  return activity => {
    const { object } = activity
    const type = typeOf(activity) ?? ''
    if (CREATIONS.has(type)) return parents(activity).some(url => isLocalUrl(url) || known.has(url))
    if (type === 'Undo' || type === 'Delete')
      return [idOf(object), isObject(object) ? idOf(object.object) : null].some(url => url !== null && known.has(url))
    return REACTIONS.has(type) && isLocalUrl(idOf(object) ?? '')
  }
}
