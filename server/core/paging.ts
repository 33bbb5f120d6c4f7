import { config } from './config.ts'
import { invalidParams, type InvalidParam } from './problem.ts'

/**
 * The part of a list a query asks for, by `pagination.*`: `count` defaults to `pagination.count`.
 * A count or start beyond its bound is a 400 that names the parameter.
 */
export function paging(query: { start?: number; count?: number }): { start: number; count: number } {
  const { count: standard, max_count, max_start } = config.pagination
  const { start = 0, count = standard } = query
  const wrong: InvalidParam[] = []
  if (start > max_start)
    wrong.push({
      type: 'field',
      value: String(start),
      msg: `Should have a number start (max: ${max_start})`,
      path: 'start',
      location: 'query'
    })
  if (count > max_count)
    wrong.push({
      type: 'field',
      value: String(count),
      msg: `Should have a number count (max: ${max_count})`,
      path: 'count',
      location: 'query'
    })
  if (wrong.length > 0) throw invalidParams(wrong)
  return { start, count }
}
