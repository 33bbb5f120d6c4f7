import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transaction } from 'sequelize'
import { sequelize } from './database.ts'
import { runQuery, sql } from './sql.ts'

const repeatable = new AsyncLocalStorage<true>()

/**
 * Runs `act`, whose transactions do not wait for the disk: for work that is done again after a crash until a later transaction, one that
 * waits, says that it is done. As Postgres writes its log in order, that one waits for these, too (PostgreSQL, "Asynchronous Commit").
 */
export async function withAsynchronousCommit<T>(act: () => Promise<T>): Promise<T> {
  return await repeatable.run(true, act)
}

/** Runs `act` in a transaction: all of it is stored, or nothing. */
export async function transaction<T>(act: (transaction: Transaction) => Promise<T>): Promise<T> {
  return await sequelize.transaction(async inside => {
    if (repeatable.getStore()) await runQuery(sql`SET LOCAL synchronous_commit TO off`, inside)
    return await act(inside)
  })
}

/** Runs `act` after the transaction commits (at once without one): nothing leaves before commit. */
export function afterCommit(transaction: Transaction | null | undefined, act: () => void): void {
  if (transaction) transaction.afterCommit(act)
  else act()
}
