import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { config, instanceOrigin } from '../core/config.ts'
import { Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'

/** Whether the viewer may see remote videos that this instance does not follow: who may fetch any by its URL (`search.remote_uri`). */
export function maySeeUnfollowed(viewer: Pick<Viewer, 'id'> | null): boolean {
  const { users, anonymous } = config.search.remote_uri
  return viewer ? users : anonymous
}

/**
 * The condition that a video is local, or that this instance follows who published or shared it: its channel, its account, its server, or a
 * sharer. Other remote videos were fetched for one user, by a subscription or a search.
 */
export function isFollowedSql({ video, channelActor, accountActor }: { video: Sql; channelActor: Sql; accountActor: Sql }): Sql {
  const followed = sql`FROM follows JOIN actors follower ON follower.id = follows.actor_id JOIN actors target ON target.id = follows.target_id
    WHERE follower.url = ${`${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`} AND follows.state = 'accepted'`
  return sql`(NOT ${video}.remote
    OR ${channelActor}.id IN (SELECT target.id ${followed}) OR ${accountActor}.id IN (SELECT target.id ${followed})
    OR ${channelActor}.host IN (SELECT target.host ${followed} AND target.type = 'Application' AND target.host IS NOT NULL)
    OR EXISTS (SELECT 1 FROM video_shares share WHERE share.video_id = ${video}.id AND share.actor_id IN (SELECT target.id ${followed})))`
}

/** Throws 403 does_not_respect_follow_constraints for a remote video that is not followed here, unless the viewer may see those, too. */
export async function assertFollowConstraints({ id, remote }: { id: number; remote: boolean }, viewer: Viewer | null): Promise<void> {
  if (!remote || maySeeUnfollowed(viewer)) return
  const [row] = await runQuery<{ url: string; followed: boolean }>(sql`
    SELECT v.url, ${isFollowedSql({ video: sql`v`, channelActor: sql`ca`, accountActor: sql`aa` })} AS followed
    FROM videos v JOIN channels c ON c.id = v.channel_id JOIN actors ca ON ca.id = c.actor_id
      JOIN accounts a ON a.id = c.account_id JOIN actors aa ON aa.id = a.actor_id WHERE v.id = ${id}`)
  if (row && !row.followed)
    throw new Problem(403, 'does_not_respect_follow_constraints', 'This instance does not follow whoever published this video.', {
      details: { originUrl: row.url }
    })
}
