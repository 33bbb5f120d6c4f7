import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { databaseProblem } from './database-errors.ts'
import { runQuery, Sql, sql } from './sql.ts'
import { transaction } from './transaction.ts'

let site: TestInstance
beforeAll(async () => {
  site = await startTestInstance({}, [])
})
afterAll(async () => await site?.stop())

const errorOf = async (statements: Sql[]): Promise<unknown> =>
  await transaction(async tx => {
    for (const statement of statements) await runQuery(statement, tx)
  }).catch((error: unknown) => error)

const raise = (code: string): Sql => new Sql([`DO 'BEGIN RAISE EXCEPTION ''In trouble'' USING ERRCODE = ''${code}''; END'`], [])

it('a database that cannot write now, or lacks memory or room, is not the fault of the request', async () => {
  const readOnly = await errorOf([sql`SET TRANSACTION READ ONLY`, sql`DELETE FROM uploads`])
  expect(databaseProblem(readOnly)).toMatchObject({ status: 503, code: 'database_unavailable' })
  for (const [code, status] of [
    ['53000', 503],
    ['53200', 503],
    ['53300', 503],
    ['58030', 503],
    ['57P03', 503],
    ['53100', 507],
    ['23505', undefined]
  ] as const)
    expect([code, databaseProblem(await errorOf([raise(code)]))?.status]).toEqual([code, status])
})
