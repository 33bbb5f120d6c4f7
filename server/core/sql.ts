import { QueryTypes, type Transaction } from 'sequelize'
import type { z } from 'zod'
import { sequelize } from './database.ts'

/** A piece of SQL whose values are bound; only the `sql` tag makes one, so no string from outside can become SQL. */
export class Sql {
  readonly texts: readonly string[]
  readonly values: readonly unknown[]
  constructor(texts: readonly string[], values: readonly unknown[]) {
    this.texts = texts
    this.values = values
  }
}

/** Writes SQL: sql`… WHERE id = ${id}` binds `id`; a nested sql`…` is spliced in. */
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

/** Conditions joined by AND; no condition is TRUE. */
export function sqlAnd(conditions: Sql[]): Sql {
  return conditions.reduce((sum, one, index) => (index === 0 ? one : sql`${sum} AND ${one}`), sql`TRUE`)
}

/** Runs a query and parses every row with `row`; one statement, values bound. */
export async function queryAs<T extends z.ZodType>(row: T, statement: Sql, transaction?: Transaction): Promise<z.output<T>[]> {
  const rows = await runQuery(statement, transaction)
  return rows.map(one => row.parse(one))
}

/** Runs a query whose rows are trusted to have the given shape (hot paths). */
export async function runQuery<T extends object = Record<string, unknown>>(statement: Sql, transaction?: Transaction): Promise<T[]> {
  const text = statement.texts.reduce((sum, part, index) => (index === 0 ? part : sum + '$' + index + part), '')
  return await sequelize.query<T>(text, { bind: [...statement.values], type: QueryTypes.SELECT, raw: true, transaction })
}
