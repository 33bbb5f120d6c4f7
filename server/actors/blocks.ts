import type { Transaction } from 'sequelize'
import { sql, type Sql } from '../core/sql.ts'

/**
 * The condition that neither the instance nor a user (null: nobody who is logged in) has blocked an actor, given by the columns with its
 * id and its host.
 */
export function notBlockedSql({ actorId, host }: { actorId: Sql; host: Sql }, userId: number | null): Sql {
  const isBlocker = userId === null ? sql`b.user_id IS NULL` : sql`(b.user_id IS NULL OR b.user_id = ${userId})`
  return sql`NOT EXISTS (SELECT 1 FROM blocked_hosts b WHERE ${isBlocker} AND b.host = ${host})
    AND NOT EXISTS (SELECT 1 FROM blocked_accounts b WHERE ${isBlocker} AND b.actor_id = ${actorId})`
}

type InstanceBlockHandler = (isAffected: Sql, tx: Transaction) => Promise<void>
const instanceBlockHandlers: InstanceBlockHandler[] = []

/**
 * Adds what has to change in the transaction in which the instance blocks or unblocks actors; `isAffected` is a condition on
 * `actors actor`.
 */
export function addInstanceBlockHandler(handler: InstanceBlockHandler): void {
  instanceBlockHandlers.push(handler)
}

/** Runs the handlers, once the block is stored or removed. */
export async function runInstanceBlockHandlers(isAffected: Sql, tx: Transaction): Promise<void> {
  for (const handler of instanceBlockHandlers) await handler(isAffected, tx)
}
