import { QueryTypes, type Transaction } from 'sequelize'
import type { z } from 'zod'
import { sequelize } from './database.ts'

/** A fragment of SQL with bound values; only the `sql` tag creates one, so no input can become SQL. */
export class Sql {
  readonly texts: readonly string[]
  readonly values: readonly unknown[]
  constructor(texts: readonly string[], values: readonly unknown[]) {
    this.texts = texts
    this.values = values
  }
}

/** Template tag for SQL: sql`… WHERE id = ${id}` binds `id`; a nested sql`…` is spliced in. */
export function sql(texts: TemplateStringsArray, ...values: unknown[]): Sql {
  const outTexts: string[] = [texts[0]!]
  const outValues: unknown[] = []
  values.forEach((value, index) => {
    const after = texts[index + 1]!
    if (value instanceof Sql) {
      outTexts[outTexts.length - 1] += value.texts[0]!
      value.values.forEach((inner, position) => {
        outValues.push(inner)
        outTexts.push(value.texts[position + 1]!)
      })
      outTexts[outTexts.length - 1] += after
    } else {
      outValues.push(value)
      outTexts.push(after)
    }
  })
  return new Sql(outTexts, outValues)
}

/** Joins conditions by AND; an empty list is TRUE. */
export function sqlAnd(conditions: Sql[]): Sql {
  return conditions.reduce((sum, one, index) => (index === 0 ? one : sql`${sum} AND ${one}`), sql`TRUE`)
}

/** Returns an SQL interval of so many milliseconds. */
export const sqlInterval = (ms: number): Sql => sql`make_interval(secs => ${ms / 1000}::double precision)`

/** Runs one statement with bound values and parses every row with `row`. */
export async function queryAs<T extends z.ZodType>(row: T, statement: Sql, tx?: Transaction): Promise<z.output<T>[]> {
  const rows = await runQuery(statement, tx)
  return rows.map(one => row.parse(one))
}

/** Runs one statement with bound values; its rows are not validated (hot paths). */
export async function runQuery<T extends object = Record<string, unknown>>(statement: Sql, tx?: Transaction): Promise<T[]> {
  const text = statement.texts.reduce((sum, part, index) => (index === 0 ? part : sum + '$' + index + part), '')
  return await sequelize.query<T>(text, { bind: [...statement.values], type: QueryTypes.SELECT, raw: true, transaction: tx })
}
