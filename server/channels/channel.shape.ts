import { sql, type Sql } from '../core/sql.ts'
import { actorPairsSql, bannersSql } from '../actors/actor.shape.ts'

/**
 * SQL that evaluates to a Channel (shared/actors.ts) as JSON, from the aliases of a channels row and of its actor.
 * `owner` is the JSON of its account (`accountSql`), if it is included.
 */
export function channelSql(channel: Sql, actor: Sql, owner?: Sql): Sql {
  const ownerPair = owner ? sql`, 'ownerAccount', ${owner}` : sql``
  return sql`jsonb_build_object(${actorPairsSql(channel, actor)}, 'banners', ${bannersSql(actor)},
    'support', ${channel}.support, 'isLocal', ${actor}.host IS NULL${ownerPair})`
}
