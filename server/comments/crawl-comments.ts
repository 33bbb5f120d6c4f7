import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { fetchCollectionPages } from '../fediverse/remote-collection.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { idOf, typeOf } from '../fediverse/vocabulary.ts'
import { fetchUnknownComments } from './crawl-replies.ts'
import { tombstoneComment } from './comments.ts'

/**
 * A comment below a remote video that is older than this and that two readings of the origin's list do not have is treated as deleted, if
 * the origin does not serve it; a younger one may not have reached the origin yet.
 */
const UNLISTED_GRACE_PERIOD = '1 hour'

type ExistingComment = {
  id: number
  url: string
  video_id: number
  account_id: number | null
  remote: boolean
  settled: boolean
  deleted: boolean
}

/**
 * Crawls the comments of a remote video at its origin, if they were not read since `readBefore`: fetches missing ones and replaces deleted ones
 * by tombstones. Throws FetchError.
 */
export async function crawlComments(videoId: number, readBefore = new Date()): Promise<void> {
  const [video] = await runQuery<{ url: string; list: string; now: Date }>(
    sql`SELECT url, collections->>'comments' AS list, now() AS now FROM videos
      WHERE id = ${videoId} AND remote AND gone_at IS NULL AND forbidden_privacy IS NULL AND collections->>'comments' IS NOT NULL
        AND coalesce(comments_read_at, '-infinity') < ${readBefore}`
  )
  if (!video || !sameOrigin(video.list, video.url)) return
  const listed = await listComments(video.list)
  // The oldest first, so that replies find their parents.
  await fetchUnknownComments([...listed].reverse(), video.url)
  const existing = await runQuery<ExistingComment>(sql`
    SELECT id, url, video_id, account_id, remote, created_at < now() - ${UNLISTED_GRACE_PERIOD}::interval AS settled,
      deleted_at IS NOT NULL AS deleted FROM comments WHERE video_id = ${videoId}`)
  const missing = existing.filter(row => row.remote && !row.deleted && !listed.has(row.url))
  // A list that changes while its pages are read leaves out what moves to a page before.
  const listedLater = missing.some(({ settled }) => settled) ? await listComments(video.list) : null
  for (const row of missing) {
    if (listedLater?.has(row.url)) continue
    // What the origin of the video serves itself is asked for there; what others serve may have been removed below this video alone.
    if ((row.settled && !sameOrigin(row.url, video.url)) || (await isGoneAtOrigin(row.url)))
      await transaction(async tx => await tombstoneComment(row, tx))
  }
  await runQuery(sql`UPDATE videos SET comments_read_at = ${video.now} WHERE id = ${videoId}`)
}

/** Returns the URLs of other servers in a list of comments. Throws FetchError. */
async function listComments(list: string): Promise<Set<string>> {
  const listed = new Set<string>()
  for await (const { items } of fetchCollectionPages(list)) {
    for (const item of items) {
      const url = httpUrl(idOf(item))
      if (url && !isLocalUrl(url)) listed.add(url)
    }
  }
  return listed
}

async function isGoneAtOrigin(url: string): Promise<boolean> {
  try {
    return typeOf((await fetchRemoteDocument(url, { budget: new FetchBudget() })).document) === 'Tombstone'
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    return error.kind === 'gone' || error.kind === 'missing'
  }
}
