import { z } from 'zod'
import { AbuseMessage } from '../../shared/abuses.ts'
import { config } from '../core/config.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'
import { actorSummarySql, isoTimestampSql } from '../actors/actor.shape.ts'

const MODERATOR_ROLE = 1
const isModerator = (viewer: Viewer) => viewer.role <= MODERATOR_ROLE

/** Lists the messages between moderators and the reporter. Throws 403, 404. */
export async function listAbuseMessages(abuseId: number, viewer: Viewer): Promise<{ total: number; data: AbuseMessage[] }> {
  await assertMayAccessAbuse(abuseId, viewer)
  const rows = await queryAs(
    z.object({ json: AbuseMessage }),
    sql`
    SELECT json_build_object('id', message.id, 'createdAt', ${isoTimestampSql(sql`message.created_at`)},
      'byModerator', message.by_moderator, 'message', message.message,
      'account', CASE WHEN account.id IS NOT NULL THEN ${actorSummarySql(sql`account`, sql`actor`)} END) AS json
    FROM abuse_messages message LEFT JOIN accounts account ON account.id = message.account_id
      LEFT JOIN actors actor ON actor.id = account.actor_id
    WHERE message.abuse_id = ${abuseId} ORDER BY message.id`
  )
  return { total: rows.length, data: rows.map(({ json }) => json) }
}

/** Adds a message about a report and returns its id. Throws 400 where the reporter is remote and would never receive it, 403, 404, 409. */
export async function addAbuseMessage(abuseId: number, viewer: Viewer, message: string): Promise<number> {
  const { remote } = await assertMayAccessAbuse(abuseId, viewer)
  if (remote) throw new Problem(400, null, 'Whoever reported this is on another server and cannot be written to.')
  const [row] = await runQuery<{ id: number }>(sql`
    INSERT INTO abuse_messages (abuse_id, account_id, by_moderator, message)
      SELECT ${abuseId}::int, ${viewer.accountId}::int, ${isModerator(viewer)}::boolean, ${message}::text
    WHERE (SELECT count(*) FROM abuse_messages WHERE abuse_id = ${abuseId}) < ${config.abuses.max_messages} RETURNING id`)
  if (!row) throw new Problem(409, null, 'There are too many messages about this report.')
  return row.id
}

/** Deletes a message: one's own, or any as a moderator. Throws 403, 404. */
export async function deleteAbuseMessage(abuseId: number, id: number, viewer: Viewer): Promise<void> {
  await assertMayAccessAbuse(abuseId, viewer)
  const [message] = await runQuery<{ account_id: number | null }>(
    sql`SELECT account_id FROM abuse_messages WHERE id = ${id} AND abuse_id = ${abuseId}`
  )
  if (!message) throw notFound('Abuse message')
  if (!isModerator(viewer) && message.account_id !== viewer.accountId) throw new Problem(403, null, 'This message is not yours.')
  await runQuery(sql`DELETE FROM abuse_messages WHERE id = ${id}`)
}

/** Allows moderators and the reporter. Throws 403, 404. */
async function assertMayAccessAbuse(id: number, viewer: Viewer): Promise<{ remote: boolean }> {
  const [abuse] = await runQuery<{ reporter_id: number | null; remote: boolean }>(
    sql`SELECT reporter_id, reporter_host IS NOT NULL AS remote FROM abuses WHERE id = ${id}`
  )
  if (!abuse) throw notFound('Abuse')
  if (!isModerator(viewer) && abuse.reporter_id !== viewer.accountId) throw new Problem(403, null, 'This report is not yours.')
  return abuse
}
