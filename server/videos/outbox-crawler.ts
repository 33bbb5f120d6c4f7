import { logger } from '../core/logger.ts'
import { isClassLockHeld, tryClassLock } from '../core/locks.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { fetchCollectionPages, type CollectionPage } from '../fediverse/remote-collection.ts'
import { FetchBudget, FetchError } from '../fediverse/remote-fetch.ts'
import { httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { idOf, isObject, typeOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { isVideoDocument, resolveVideo, storeVideoDocument } from './resolve-video.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

/** How many videos of a page are fetched in parallel. */
const FETCH_CONCURRENCY = 4

/** The remote actor whose outbox is crawled; `outbox_next`: the page where an incomplete crawl stopped. */
type CrawledActor = { id: number; url: string; type: string; outbox_url: string; outbox_cursor: Date | null; outbox_next: string | null }
type StoredVideo = { url: string; published: Date; updated: Date | null }
/**
 * Progress of one crawl. `complete`: the crawl reached the end or the part that is already known; `whole`: it read the collection from
 * its first page to its last; `mixed`: it has items that are no videos; `oldest`, `newest`: publication dates among the videos of the
 * pages read.
 */
type CrawlProgress = {
  complete: boolean
  whole: boolean
  mixed: boolean
  seenUrls: Set<string>
  oldest: Date | null
  newest: Date | null
  total: number | null
  startedAt: Date
}

/**
 * Reads the outbox of a remote actor, newest first, until everything older is known, fetches missing videos and removes those that no
 * longer exist: this makes up for activities lost in outages of either side. Returns at once while the same outbox is being crawled.
 */
export async function crawlOutbox(actorId: number): Promise<void> {
  await transaction(async tx => {
    const acquired = await tryClassLock('CRAWL', actorId, tx)
    const [actor] = await runQuery<CrawledActor>(
      sql`SELECT id, url, type, outbox_url, outbox_cursor, outbox_next FROM actors WHERE id = ${actorId} AND host IS NOT NULL
        AND outbox_url IS NOT NULL`
    )
    if (!acquired || !actor || !sameOrigin(actor.outbox_url, actor.url)) return
    const progress: CrawlProgress = {
      complete: false,
      whole: false,
      mixed: false,
      seenUrls: new Set(),
      oldest: null,
      newest: null,
      total: null,
      startedAt: new Date()
    }
    const next = await readPages(actor, progress).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error
      logger.debug('An outbox could not be read', { outbox: actor.outbox_url, reason: error.message })
      return undefined
    })
    if (next === undefined) {
      await runQuery(sql`UPDATE actors SET outbox_read_at = now() WHERE id = ${actor.id}`)
      return
    }
    await refreshMissing(actor, progress)
    await runQuery(sql`
      UPDATE actors SET outbox_read_at = now(), outbox_next = ${next}, outbox_total = coalesce(${progress.total}::int, outbox_total),
        outbox_cursor = CASE WHEN ${progress.complete}::boolean THEN greatest(outbox_cursor, least(${progress.newest}::timestamptz, now()))
          ELSE outbox_cursor END WHERE id = ${actor.id}`)
  })
}

/** Reads pages and stores their videos; returns the URL where the next crawl continues, null if this one is complete. Throws FetchError. */
async function readPages(actor: CrawledActor, progress: CrawlProgress): Promise<string | null> {
  let resumeAt = actor.outbox_next
  try {
    let page: CollectionPage | undefined
    for await (page of fetchCollectionPages(actor.outbox_url)) {
      if (progress.total === null && page.total !== null)
        await runQuery(sql`UPDATE actors SET outbox_total = ${(progress.total = page.total)} WHERE id = ${actor.id}`)
      const hasNewVideos = await storePageVideos(page.items, actor, progress)
      if (!actor.outbox_next) resumeAt = page.next
      else if (!hasNewVideos) break
      if (await hasReachedKnownPart(actor, progress)) {
        progress.complete = true
        return null
      }
    }
    progress.whole = !actor.outbox_next
    // The pages in between are known already: continue where the last crawl stopped.
    for await (const olderPage of actor.outbox_next ? fetchCollectionPages(actor.outbox_url, { from: actor.outbox_next }) : []) {
      resumeAt = olderPage.next
      await storePageVideos(olderPage.items, actor, progress)
    }
    progress.complete = true
    return null
  } catch (error) {
    if (!(error instanceof FetchError) || progress.seenUrls.size === 0) throw error
    return resumeAt
  }
}

/**
 * Whether nothing older can be missing: the crawl is past the point up to which everything was known the last time, and as many videos are
 * stored as the collection counts.
 */
async function hasReachedKnownPart({ id, outbox_cursor }: CrawledActor, { oldest, total, mixed }: CrawlProgress): Promise<boolean> {
  if (!outbox_cursor || !oldest || oldest >= outbox_cursor) return false
  // Where posts are counted, too, the total says nothing about videos.
  if (mixed) return true
  const [row] = await runQuery<{ known: number }>(countKnownVideosSql(id))
  return total === null || row!.known === total
}

/** Fetches and stores the new and changed videos of a page; returns whether there were any. */
async function storePageVideos(items: unknown[], actor: CrawledActor, progress: CrawlProgress): Promise<boolean> {
  const videos = items
    .map(item => parseOutboxItem(item, actor))
    .filter(video => video !== null)
    .filter(({ url }) => sameOrigin(url, actor.url))
  if (videos.length < items.length) progress.mixed = true
  const urls = videos.map(video => video.url)
  const stored = new Map((await findStoredVideos(urls)).map(video => [video.url, video]))
  const outdated = videos.filter(({ url, document }) => !stored.has(url) || isNewer(document, stored.get(url)!))
  for (let start = 0; start < outdated.length; start += FETCH_CONCURRENCY) {
    await Promise.all(
      outdated
        .slice(start, start + FETCH_CONCURRENCY)
        .map(async ({ url, document }) => await storeOutboxVideo(url, document, progress.startedAt))
    )
  }
  const storedNow = await findStoredVideos(urls)
  for (const url of urls) progress.seenUrls.add(url)
  for (const { published } of storedNow) {
    if (!progress.oldest || published < progress.oldest) progress.oldest = published
    if (!progress.newest || published > progress.newest) progress.newest = published
  }
  return outdated.length > 0
}

/** Stores one video; a failure is skipped. Throws FetchError where the budget is used up or the origin is unreachable. */
async function storeOutboxVideo(url: string, document: JsonObject | null, requestedAt: Date): Promise<void> {
  try {
    const budget = new FetchBudget()
    await (document ? storeVideoDocument(document, requestedAt, budget) : resolveVideo(url, { budget, refresh: true }))
  } catch (error) {
    if (!(error instanceof FetchError) || error.kind === 'budget' || error.kind === 'unreachable') throw error
    logger.debug('A video could not be taken', { url, reason: error.message })
  }
}

/** Refreshes the stored videos that should have been on the pages read and were not; those that their origin deleted are removed. */
async function refreshMissing(actor: CrawledActor, { complete, whole, seenUrls, oldest, startedAt }: CrawlProgress): Promise<void> {
  if (!complete || (!whole && !oldest)) return
  const missing = await runQuery<{ url: string }>(sql`
    SELECT v.url ${fromListedVideos(actor.id)}
      AND v.published_at >= ${whole ? new Date(0) : oldest} AND v.refreshed_at < ${startedAt} AND NOT v.url = ANY(${[...seenUrls]})
    ORDER BY v.refreshed_at LIMIT ${CRAWL.maxItems}`)
  for (const { url } of missing)
    await resolveVideo(url, { refresh: true }).catch((error: unknown) => {
      if (!(error instanceof FetchError)) throw error
    })
}

/** Whether any process is crawling an actor's outbox at the moment. */
export async function isOutboxBeingCrawled(actorId: number): Promise<boolean> {
  const [row] = await runQuery<{ held: boolean }>(sql`SELECT ${isClassLockHeld('CRAWL', sql`${actorId}`)} AS held`)
  return row!.held
}

/** Query for the number of an actor's listed videos that are stored; the column is `known`. */
export function countKnownVideosSql(actorId: number): Sql {
  return sql`SELECT count(*)::int AS known ${fromListedVideos(actorId)}`
}

/** FROM and WHERE of the public videos `v` of a channel, an account or, for an Application actor, its whole instance. */
function fromListedVideos(actorId: number): Sql {
  return sql`FROM videos v JOIN channels c ON c.id = v.channel_id JOIN accounts a ON a.id = c.account_id
    JOIN actors ca ON ca.id = c.actor_id JOIN actors me ON me.id = ${actorId}
    WHERE v.remote AND v.privacy = 1 AND (c.actor_id = me.id OR a.actor_id = me.id OR (me.type = 'Application' AND ca.host = me.host))`
}

/** Finds those that are stored and shown; one that its origin refused to show is asked for again when an outbox lists it. */
async function findStoredVideos(urls: string[]): Promise<StoredVideo[]> {
  return await runQuery<StoredVideo>(
    sql`SELECT url, published_at AS published, remote_updated_at AS updated FROM videos WHERE remote AND gone_at IS NULL
      AND forbidden_since IS NULL AND url = ANY(${urls})`
  )
}

/**
 * Returns the video of an outbox item: with its document for a Create, with its URL alone for an Announce; null for other items. What an
 * account announces are boosts, not its videos.
 */
function parseOutboxItem(item: unknown, actor: CrawledActor): { url: string; document: JsonObject | null } | null {
  if (!isObject(item)) return null
  const url = httpUrl(idOf(item.object))
  const type = typeOf(item)
  if (!url) return null
  if (type === 'Create') return isObject(item.object) && isVideoDocument(item.object) ? { url, document: item.object } : null
  return type === 'Announce' && (actor.type === 'Group' || actor.type === 'Application') ? { url, document: null } : null
}

function isNewer(document: unknown, { updated }: StoredVideo): boolean {
  return isObject(document) && typeof document.updated === 'string' && Date.parse(document.updated) > (updated?.getTime() ?? 0)
}
