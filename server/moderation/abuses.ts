import type { Transaction } from 'sequelize'
import type { z } from 'zod'
import type { abusesContract } from '../../shared/abuses.ts'
import { instanceHost, instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import { assertCanWatchVideo, findVideoAccessInfo, type VideoRequestContext } from '../videos/video-access.ts'
import { sendFlag } from './flag.outbox.ts'
import type { AbuseReport, AbuseTarget } from './abuse-report.ts'

type ReportBody = z.output<(typeof abusesContract)['POST /abuses']['body']>

/** Reports an object to the moderators here and, if it is remote, to its origin; returns the id of the report. Throws 400, 404. */
export async function reportAbuse(
  { reason, predefinedReasons = [], video, comment, account }: ReportBody,
  viewer: Viewer,
  context: VideoRequestContext
): Promise<number> {
  if ([video, comment, account].filter(Boolean).length > 1) throw new Problem(400, null, 'Report one thing at a time.')
  const target = video
    ? await findVideoTarget(video.id, context)
    : comment
      ? await findCommentTarget(comment.id, context)
      : account
        ? await findAccountTarget(account.id)
        : null
  if (!target) throw new Problem(400, null, 'video id or account id or comment id is required.')
  return await transaction(async tx => {
    const [reserved] = await runQuery<{ id: number }>(sql`SELECT nextval('abuses_id_seq')::int AS id`, tx)
    const report = {
      url: `${instanceOrigin()}/admin/abuses/${reserved!.id}`,
      reason,
      predefinedReasons: [...new Set(predefinedReasons)],
      reporterId: viewer.accountId,
      reporterHost: null,
      startAt: video?.startAt ?? null,
      endAt: video?.endAt ?? null
    }
    await storeAbuse(report, target, tx, reserved!.id)
    await sendFlag(report, target, tx)
    return reserved!.id
  })
}

/** Stores a report; an identical one is stored once. */
export async function storeAbuse(
  { url, reason, predefinedReasons, reporterId, reporterHost, startAt, endAt }: AbuseReport,
  { kind, id, url: object, flaggedId }: AbuseTarget,
  tx?: Transaction,
  abuseId?: number
): Promise<void> {
  const [videoId, commentId] = [kind === 'video' ? id : null, kind === 'comment' ? id : null]
  await runQuery(
    sql`
    INSERT INTO abuses (id, url, kind, reason, predefined_reasons, reporter_id, reporter_host, flagged_id, video_id, comment_id,
      object_url, start_at, end_at, deleted_video)
    SELECT coalesce(${abuseId ?? null}::int, nextval('abuses_id_seq')), ${url}, ${kind}, ${reason}, ${predefinedReasons}::text[],
      ${reporterId}::int, ${reporterHost}::text, ${flaggedId}::int, ${videoId}::int, ${commentId}::int, ${object}, ${startAt}::int,
        ${endAt}::int,
      (SELECT json_build_object('id', v.id, 'uuid', v.uuid, 'name', v.name, 'nsfw', v.nsfw, 'channel', json_build_object('id', c.id,
          'name', actor.preferred_username, 'displayName', c.name, 'url', actor.url, 'host', coalesce(actor.host, ${instanceHost()}::text),
          'avatars', '[]'::json, 'isLocal', actor.host IS NULL))
        FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors actor ON actor.id = c.actor_id WHERE v.id = ${videoId}::int)
    ON CONFLICT (url, object_url) DO NOTHING`,
    tx
  )
}

/** Sets the state and the moderators' comment of a report. Throws 404. */
export async function decideAbuse(id: number, { state, moderationComment }: { state?: number; moderationComment?: string }): Promise<void> {
  const updated = await runQuery(sql`
    UPDATE abuses SET state = coalesce(${state ?? null}::int, state), moderation_comment = coalesce(${moderationComment ?? null}::text,
      moderation_comment), updated_at = now() WHERE id = ${id} RETURNING id`)
  if (updated.length === 0) throw notFound('Abuse')
}

/** Deletes a report. Throws 404. */
export async function deleteAbuse(id: number): Promise<void> {
  if ((await runQuery(sql`DELETE FROM abuses WHERE id = ${id} RETURNING id`)).length === 0) throw notFound('Abuse')
}

async function findVideoTarget(requestedId: number | string, context: VideoRequestContext): Promise<AbuseTarget> {
  const video = await findVideoAccessInfo(requestedId)
  // Unlike a link, a report may name the video by its id: access is checked by UUID.
  await assertCanWatchVideo(video, video.uuid, context)
  const [row] = await runQuery<AbuseTarget>(sql`
    SELECT 'video' AS kind, v.id, v.url, c.account_id AS "flaggedId" FROM videos v JOIN channels c ON c.id = v.channel_id
      WHERE v.id = ${video.id}`)
  return row!
}

async function findCommentTarget(id: number, context: VideoRequestContext): Promise<AbuseTarget> {
  const [row] = await runQuery<AbuseTarget & { video: number; held: boolean }>(sql`
    SELECT 'comment' AS kind, id, url, account_id AS "flaggedId", video_id AS video, held FROM comments
      WHERE id = ${id} AND deleted_at IS NULL`)
  if (!row) throw notFound('Comment')
  const video = await findVideoAccessInfo(row.video)
  await assertCanWatchVideo(video, video.uuid, context)
  const { viewer } = context
  if (row.held && viewer?.accountId !== row.flaggedId && viewer?.id !== video.ownerUserId && (viewer?.role ?? 2) > 1)
    throw notFound('Comment')
  return row
}

async function findAccountTarget(id: number): Promise<AbuseTarget> {
  const [row] = await runQuery<AbuseTarget>(
    sql`SELECT 'account' AS kind, a.id, actors.url, a.id AS "flaggedId" FROM accounts a JOIN actors ON actors.id = a.actor_id
      WHERE a.id = ${id}`
  )
  if (!row) throw notFound('Account')
  return row
}
