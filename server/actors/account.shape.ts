import { sql, type Sql } from '../core/sql.ts'
import { actorPairsSql } from './actor.shape.ts'

/** SQL that evaluates to an Account (shared/actors.ts) as JSON, from the aliases of an accounts row and of its actor. */
export function accountSql(account: Sql, actor: Sql): Sql {
  // Remote accounts have no user: the key is left out, as null is not in the contract.
  return sql`(jsonb_build_object(${actorPairsSql(account, actor)})
    || CASE WHEN ${account}.user_id IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('userId', ${account}.user_id) END)`
}
