import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { config, instanceOrigin } from '../core/config.ts'
import { Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { shareNextRun } from '../core/share-next-run.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'

/** Whether the viewer may see remote videos that this instance does not follow: who may fetch any by its URL (`search.remote_uri`). */
export function maySeeUnfollowed(viewer: Pick<Viewer, 'id'> | null): boolean {
  const { users, anonymous } = config.search.remote_uri
  return viewer ? users : anonymous
}

/** Lists at the same time share one query. */
const findFollowedTargets = shareNextRun(
  async () =>
    await runQuery<{ id: number; host: string | null; type: string }>(sql`
      SELECT target.id, target.host, target.type FROM follows JOIN actors target ON target.id = follows.target_id
      WHERE follows.state = 'accepted'
        AND follows.actor_id = (SELECT id FROM actors WHERE url = ${`${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`})`)
)

/**
 * Returns the condition that a video is local, or that this instance follows who published or shared it: its channel, its account, its
 * server, or a sharer. Other remote videos were fetched for one user, by a subscription or a search. The targets are looked up first: in one
 * query with the videos, Postgres takes longer to plan it than to run it.
 */
export async function followedCondition({
  video,
  channelActor,
  accountActor
}: Record<'video' | 'channelActor' | 'accountActor', Sql>): Promise<Sql> {
  const targets = await findFollowedTargets()
  if (targets.length === 0) return sql`NOT ${video}.remote`
  const ids = targets.map(({ id }) => id)
  const hosts = targets.filter(({ type, host }) => type === 'Application' && host !== null).map(({ host }) => host)
  return sql`(NOT ${video}.remote OR ${channelActor}.id = ANY(${ids}::int[]) OR ${accountActor}.id = ANY(${ids}::int[])
    OR ${channelActor}.host = ANY(${hosts}::text[])
    OR EXISTS (SELECT 1 FROM video_shares share WHERE share.video_id = ${video}.id AND share.actor_id = ANY(${ids}::int[])))`
}

/** Throws 403 does_not_respect_follow_constraints for a remote video that is not followed here, unless the viewer may see those, too. */
export async function assertFollowConstraints({ id, remote }: { id: number; remote: boolean }, viewer: Viewer | null): Promise<void> {
  if (!remote || maySeeUnfollowed(viewer)) return
  const [row] = await runQuery<{ url: string; followed: boolean }>(sql`
    SELECT v.url, ${await followedCondition({ video: sql`v`, channelActor: sql`ca`, accountActor: sql`aa` })} AS followed
    FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id
      JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id WHERE v.id = ${id}`)
  if (row && !row.followed)
    throw new Problem(403, 'does_not_respect_follow_constraints', 'This instance does not follow whoever published this video.', {
      details: { originUrl: row.url }
    })
}
