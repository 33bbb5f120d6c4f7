import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { notFound } from '../core/problem.ts'
import { matchesHandleSql } from '../actors/handle.ts'
import { countKnownVideosSql, isOutboxBeingCrawled } from './outbox-crawler.ts'
import { crawlOutboxJob } from './crawl.job.ts'
import { CRAWL } from '../fediverse/crawl-internals.ts'

/**
 * Returns how many videos of a channel are stored here, of how many its outbox has, and whether the outbox is being crawled. Enqueues a
 * crawl of a remote channel that is due for one. Throws 404.
 */
export async function channelCrawlStatus(handle: string): Promise<{ known: number; total: number | null; reading: boolean }> {
  const [actor] = await runQuery<{ id: number; remote: boolean; total: number | null; due: boolean }>(sql`
    SELECT actor.id, actor.host IS NOT NULL AS remote, actor.outbox_total AS total,
      (actor.outbox_read_at IS NULL OR actor.outbox_read_at < now() - make_interval(secs =>
        CASE WHEN actor.outbox_next IS NULL THEN ${config.federation.crawl.interval / 1000}::double precision
          ELSE ${CRAWL.maxTime / 1000}::double precision END)) AS due
    FROM actors actor JOIN channels ON channels.actor_id = actor.id WHERE ${matchesHandleSql(sql`actor`, handle)}`)
  if (!actor) throw notFound('Video channel')
  if (!actor.remote) {
    const [row] = await runQuery<{ count: number }>(
      sql`SELECT count(*)::int AS count FROM videos v JOIN channels c ON c.id = v.channel_id
        WHERE c.actor_id = ${actor.id} AND v.privacy = 1 AND v.state = 1`
    )
    return { known: row!.count, total: row!.count, reading: false }
  }
  const isCrawling = await isOutboxBeingCrawled(actor.id)
  if (actor.due && !isCrawling)
    await crawlOutboxJob.enqueue({ actorId: actor.id }).catch(error => logger.debug('A channel that is opened is not read now', { error }))
  const [row] = await runQuery<{ known: number }>(countKnownVideosSql(actor.id))
  return { known: row!.known, total: actor.total, reading: isCrawling || actor.due }
}
