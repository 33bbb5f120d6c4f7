import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { isClassLockHeld, tryClassLock } from '../core/locks.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { fetchCollectionPages, type CollectionPage } from '../fediverse/remote-collection.ts'
import { Budget, FetchError } from '../fediverse/remote-fetch.ts'
import { httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { idOf, isObject, typeOf } from '../fediverse/vocabulary.ts'
import { resolveVideo, storeVideoDocument } from './resolve-video.ts'

/** So many videos of a page are fetched at once. */
const AT_ONCE = 4

type Crawled = { id: number; url: string; outbox_url: string; outbox_cursor: Date | null; outbox_next: string | null }
type Known = { url: string; published: Date; updated: Date | null }
type Reading = {
  complete: boolean
  whole: boolean
  seen: Set<string>
  oldest: Date | null
  newest: Date | null
  total: number | null
  askedAt: Date
}

/**
 * Reads the outbox of a remote actor, newest first, down to where everything is known, fetches the videos that are missing and removes
 * those that are gone: what outages, theirs or ours, left out (Repair). A second reader of the same outbox finds nothing to do.
 */
export async function crawlOutbox(actorId: number): Promise<void> {
  await transaction(async lock => {
    const acquired = await tryClassLock('CRAWL', actorId, lock)
    const [actor] = await runQuery<Crawled>(
      sql`SELECT id, url, outbox_url, outbox_cursor, outbox_next FROM actors WHERE id = ${actorId} AND host IS NOT NULL AND outbox_url IS NOT NULL`
    )
    if (!acquired || !actor || !sameOrigin(actor.outbox_url, actor.url)) return
    const reading: Reading = {
      complete: false,
      whole: false,
      seen: new Set(),
      oldest: null,
      newest: null,
      total: null,
      askedAt: new Date()
    }
    const next = await read(actor, reading).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error
      logger.debug('An outbox could not be read', { outbox: actor.outbox_url, reason: error.message })
      return undefined
    })
    if (next === undefined) {
      await runQuery(sql`UPDATE actors SET outbox_read_at = now() WHERE id = ${actor.id}`)
      return
    }
    await checkMissing(actor, reading)
    await runQuery(sql`
      UPDATE actors SET outbox_read_at = now(), outbox_next = ${next}, outbox_total = coalesce(${reading.total}::int, outbox_total),
        outbox_cursor = CASE WHEN ${reading.complete}::boolean THEN greatest(outbox_cursor, least(${reading.newest}::timestamptz, now())) ELSE outbox_cursor END WHERE id = ${actor.id}`)
  })
}

/** Reads pages; gives where to go on the next time, null when all was read. */
async function read(actor: Crawled, reading: Reading): Promise<string | null> {
  let stopped = actor.outbox_next
  try {
    let page: CollectionPage | undefined
    for await (page of fetchCollectionPages(actor.outbox_url)) {
      if (reading.total === null && page.total !== null)
        await runQuery(sql`UPDATE actors SET outbox_total = ${(reading.total = page.total)} WHERE id = ${actor.id}`)
      const isNew = await takePage(page.items, actor, reading)
      if (!actor.outbox_next) stopped = page.next
      else if (!isNew) break
      if (await reachesCursor(actor, reading)) {
        reading.complete = true
        return null
      }
    }
    reading.whole = !actor.outbox_next
    // What lies between is known: it goes on where the last reading stopped.
    for await (const older of actor.outbox_next ? fetchCollectionPages(actor.outbox_url, { from: actor.outbox_next }) : []) {
      stopped = older.next
      await takePage(older.items, actor, reading)
    }
    reading.complete = true
    return null
  } catch (error) {
    if (!(error instanceof FetchError) || reading.seen.size === 0) throw error
    return stopped
  }
}

/** As many are known as there should be, down to where all was known the last time: nothing older can be missing. */
async function reachesCursor({ id, outbox_cursor }: Crawled, { oldest, total }: Reading): Promise<boolean> {
  if (!outbox_cursor || !oldest || oldest >= outbox_cursor) return false
  const [row] = await runQuery<{ known: number }>(countKnownVideosSql(id))
  return total === null || row!.known === total
}

/** Takes the videos of a page; gives whether any was not known. */
async function takePage(items: unknown[], actor: Crawled, reading: Reading): Promise<boolean> {
  const videos = items.map(videoOf).filter(one => one !== null && sameOrigin(one.url, actor.url)) as NonNullable<
    ReturnType<typeof videoOf>
  >[]
  const known = new Map((await knownOf(videos.map(one => one.url))).map(one => [one.url, one]))
  const wanted = videos.filter(({ url, document }) => !known.has(url) || isNewer(document, known.get(url)!))
  for (let place = 0; place < wanted.length; place += AT_ONCE) {
    await Promise.all(wanted.slice(place, place + AT_ONCE).map(async ({ url, document }) => await take(url, document, reading.askedAt)))
  }
  const dates = await knownOf(videos.map(one => one.url))
  for (const { url } of videos) reading.seen.add(url)
  for (const { published } of dates) {
    if (!reading.oldest || published < reading.oldest) reading.oldest = published
    if (!reading.newest || published > reading.newest) reading.newest = published
  }
  return wanted.length > 0
}

/** One video that cannot be had keeps no other from being taken; too many questions end the reading. */
async function take(url: string, document: unknown, askedAt: Date): Promise<void> {
  try {
    const budget = new Budget()
    await (document ? storeVideoDocument(document, askedAt, budget) : resolveVideo(url, { budget, refresh: true }))
  } catch (error) {
    if (!(error instanceof FetchError) || error.kind === 'budget' || error.kind === 'unreachable') throw error
    logger.debug('A video could not be taken', { url, reason: error.message })
  }
}

/** Videos that should have been among those read and were not: their origin is asked, and what is gone there is removed here. */
async function checkMissing(actor: Crawled, { complete, whole, seen, oldest, askedAt }: Reading): Promise<void> {
  if (!complete || (!whole && !oldest)) return
  const missing = await runQuery<{ url: string }>(sql`
    SELECT v.url ${listedOf(actor.id)} AND v.published_at >= ${whole ? new Date(0) : oldest} AND v.refreshed_at < ${askedAt} AND NOT v.url = ANY(${[...seen]})
    ORDER BY v.refreshed_at LIMIT ${config.federation.crawl.max_items}`)
  for (const { url } of missing)
    await resolveVideo(url, { refresh: true }).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error
    })
}

/** Whether somebody reads an actor's outbox at this moment, in any process. */
export async function isOutboxBeingCrawled(actorId: number): Promise<boolean> {
  const [row] = await runQuery<{ held: boolean }>(sql`SELECT ${isClassLockHeld('CRAWL', sql`${actorId}`)} AS held`)
  return row!.held
}

/** How many of an actor's listed videos are known here. */
export function countKnownVideosSql(actorId: number): Sql {
  return sql`SELECT count(*)::int AS known ${listedOf(actorId)}`
}

/** The listed videos of a channel, an account, or (whole) an instance. */
function listedOf(actorId: number): Sql {
  return sql`FROM videos v JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id JOIN actors ca ON ca.id = c.actor_id JOIN actors me ON me.id = ${actorId}
    WHERE v.remote AND v.privacy = 1 AND (c.actor_id = me.id OR a.actor_id = me.id OR (me.type = 'Application' AND ca.host = me.host))`
}

async function knownOf(urls: string[]): Promise<Known[]> {
  return await runQuery<Known>(
    sql`SELECT url, published_at AS published, remote_updated_at AS updated FROM videos WHERE remote AND gone_at IS NULL AND url = ANY(${urls})`
  )
}

/** The video of an entry of an outbox: of a Create with its document, of an Announce with its address. */
function videoOf(item: unknown): { url: string; document: unknown } | null {
  if (!isObject(item)) return null
  const url = httpUrl(idOf(item.object))
  if (!url) return null
  if (item.type === 'Create') return typeOf(item.object) === 'Video' ? { url, document: item.object } : null
  return item.type === 'Announce' ? { url, document: null } : null
}

function isNewer(document: unknown, { updated }: Known): boolean {
  return isObject(document) && typeof document.updated === 'string' && Date.parse(document.updated) > (updated?.getTime() ?? 0)
}
