import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transaction } from 'sequelize'
import { sequelize } from './database.ts'
import { runQuery, sql } from './sql.ts'

const asynchronousCommit = new AsyncLocalStorage<true>()

/**
 * Runs `act` with asynchronous commits: for work that is repeated after a crash until a later, synchronous commit records it as done. As
 * Postgres writes its log in order, that commit waits for these, too (PostgreSQL, "Asynchronous Commit").
 */
export async function withAsynchronousCommit<T>(act: () => Promise<T>): Promise<T> {
  return await asynchronousCommit.run(true, act)
}

/** Runs `act` in a transaction. */
export async function transaction<T>(act: (tx: Transaction) => Promise<T>): Promise<T> {
  return await sequelize.transaction(async tx => {
    if (asynchronousCommit.getStore()) await runQuery(sql`SET LOCAL synchronous_commit TO off`, tx)
    return await act(tx)
  })
}

/** Runs `act` after the commit of the transaction, or at once without one (ARCHITECTURE.md, rule 2). */
export function afterCommit(tx: Transaction | null | undefined, act: () => void): void {
  if (tx) tx.afterCommit(act)
  else act()
}
