import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { fetchCollectionPages } from '../fediverse/remote-collection.ts'
import { Budget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { findTombstoned } from '../fediverse/tombstones.ts'
import { idOf } from '../fediverse/vocabulary.ts'
import { fetchRemoteComment } from './comment.inbox.ts'
import { tombstoneComment } from './comments.ts'

/**
 * What its origin does not list for so long below a video of its own is taken to be deleted; what is younger may not have got there yet.
 */
const SETTLED = '1 hour'

type Known = { id: number; url: string; video_id: number; remote: boolean; settled: boolean; deleted: boolean }

/**
 * Reads the comments below a remote video from its origin: those that are missing here are fetched, those that are gone are emptied. Throws
 * FetchError.
 */
export async function crawlComments(videoId: number): Promise<void> {
  const [video] = await runQuery<{ url: string; list: string; now: Date }>(
    sql`SELECT url, collections->>'comments' AS list, now() AS now FROM videos WHERE id = ${videoId} AND remote AND gone_at IS NULL AND collections->>'comments' IS NOT NULL`
  )
  if (!video || !sameOrigin(video.list, video.url)) return
  const listed = new Set<string>()
  for await (const { items } of fetchCollectionPages(video.list)) {
    for (const item of items) {
      const url = httpUrl(idOf(item))
      if (url && !isLocalUrl(url)) listed.add(url)
    }
  }
  const known = new Map(
    (
      await runQuery<Known>(sql`
    SELECT id, url, video_id, remote, created_at < now() - ${SETTLED}::interval AS settled, deleted_at IS NOT NULL AS deleted FROM comments WHERE video_id = ${videoId}`)
    ).map(row => [row.url, row])
  )
  const gone = await findTombstoned([...listed])
  // The oldest first: answers find what they answer.
  for (const url of [...listed].reverse()) if (!known.has(url) && !gone.has(url)) await patient(fetchRemoteComment(url))
  for (const row of known.values()) {
    if (!row.remote || row.deleted || listed.has(row.url)) continue
    if (row.settled || (await isGoneThere(row.url))) await transaction(async inside => await tombstoneComment(row, inside))
  }
  await runQuery(sql`UPDATE videos SET comments_read_at = ${video.now} WHERE id = ${videoId}`)
}

/** One comment that cannot be had keeps no other from being read. */
async function patient(asked: Promise<unknown>): Promise<void> {
  await asked.catch((error: unknown) => {
    if (!(error instanceof FetchError) || error.kind === 'budget') throw error
  })
}

async function isGoneThere(url: string): Promise<boolean> {
  try {
    return (await fetchRemoteDocument(url, { budget: new Budget() })).document.type === 'Tombstone'
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    return error.kind === 'gone' || error.kind === 'missing'
  }
}
