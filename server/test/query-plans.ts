import { vi } from 'vitest'
import { sequelize } from '../core/database.ts'

/** What one statement read: blocks of tables and indexes, and rows that were read and then not wanted. */
export type ReadWork = { text: string; blocks: number; removed: number }
type Plan = { [name: string]: unknown; Plans?: Plan[] }

/** Runs `act` and then each statement that it sent once more, with EXPLAIN and rolled back. Returns what each of those read. */
export async function measureStatements(act: () => Promise<unknown>): Promise<ReadWork[]> {
  const query = vi.spyOn(sequelize, 'query')
  let calls: unknown[][]
  try {
    await act()
    calls = query.mock.calls.slice()
  } finally {
    query.mockRestore()
  }
  const statements = calls.map(([given, options]) => ({
    text: (typeof given === 'string' ? given : (given as { query: string }).query).trim(),
    bind: (options as { bind?: unknown[] } | undefined)?.bind
  }))
  const work: ReadWork[] = []
  for (const { text, bind } of statements)
    if (/^(\(|SELECT|WITH|UPDATE|DELETE|INSERT)/i.test(text)) work.push({ text, ...(await explain(text, bind)) })
  return work
}

async function explain(text: string, bind: unknown[] | undefined): Promise<{ blocks: number; removed: number }> {
  const tx = await sequelize.transaction()
  try {
    const [rows] = await sequelize.query(`EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) ${text}`, { bind, transaction: tx })
    const [{ Plan: plan }] = (rows as { 'QUERY PLAN': [{ Plan: Plan }] }[])[0]!['QUERY PLAN']
    return { blocks: numberOf(plan, 'Shared Hit Blocks') + numberOf(plan, 'Shared Read Blocks'), removed: countRemoved(plan) }
  } finally {
    await tx.rollback()
  }
}

const numberOf = (plan: Plan, name: string): number => Number(plan[name] ?? 0)

function countRemoved(plan: Plan): number {
  const removed = ['Rows Removed by Filter', 'Rows Removed by Join Filter', 'Rows Removed by Index Recheck']
  const own = removed.reduce((sum, name) => sum + numberOf(plan, name), 0) * numberOf(plan, 'Actual Loops')
  return (plan.Plans ?? []).reduce((sum, part) => sum + countRemoved(part), own)
}
