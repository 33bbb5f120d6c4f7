import { AsyncLocalStorage } from 'node:async_hooks'
import type { Transaction } from 'sequelize'
import { sequelize } from './database.ts'
import { runAsBackgroundWork } from './request-context.ts'
import { runQuery, sql } from './sql.ts'

const asynchronousCommit = new AsyncLocalStorage<true>()

/**
 * Runs `act` with asynchronous commits: for work that is repeated after a crash until a later, synchronous commit records it as done. As
 * Postgres writes its log in order, that commit waits for these, too (PostgreSQL, "Asynchronous Commit").
 */
export async function withAsynchronousCommit<T>(act: () => Promise<T>): Promise<T> {
  return await asynchronousCommit.run(true, act)
}

/**
 * Runs `act` in a transaction. `timeLimited: false`: that of a request whose work must not be lost because a statement takes long has the
 * limits of a job (`database.statement_timeout`).
 */
export async function transaction<T>(act: (tx: Transaction) => Promise<T>, { timeLimited = true } = {}): Promise<T> {
  const run = async (): Promise<T> =>
    await sequelize.transaction(async tx => {
      if (asynchronousCommit.getStore()) await runQuery(sql`SET LOCAL synchronous_commit TO off`, tx)
      try {
        return await act(tx)
      } catch (error) {
        for (const undo of undoing.get(tx) ?? []) undo()
        throw error
      }
    })
  return await (timeLimited ? run() : runAsBackgroundWork(run))
}

const undoing = new WeakMap<Transaction, (() => void)[]>()

/** Runs `undo` if what the transaction does fails; not where its commit fails, whose outcome may be unknown. */
export function onRollback(tx: Transaction, undo: () => void): void {
  undoing.set(tx, [...(undoing.get(tx) ?? []), undo])
}

/** Runs `act` after the commit of the transaction, or at once without one (ARCHITECTURE.md, rule 2). */
export function afterCommit(tx: Transaction | null | undefined, act: () => void): void {
  if (tx) tx.afterCommit(act)
  else act()
}
