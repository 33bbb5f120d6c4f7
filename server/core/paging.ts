import { config } from './config.ts'
import { invalidParams, type InvalidParam } from './problem.ts'

/**
 * Returns the requested page of a list; `count` defaults to `pagination.count`.
 * Throws 400 that names the parameter for a count or start beyond its bound.
 */
export function paging(query: { start?: number; count?: number }): { start: number; count: number } {
  const { count: defaultCount, max_count, max_start } = config.pagination
  const { start = 0, count = defaultCount } = query
  const invalid: InvalidParam[] = []
  if (start > max_start)
    invalid.push({
      type: 'field',
      value: String(start),
      msg: `Should have a number start (max: ${max_start})`,
      path: 'start',
      location: 'query'
    })
  if (count > max_count)
    invalid.push({
      type: 'field',
      value: String(count),
      msg: `Should have a number count (max: ${max_count})`,
      path: 'count',
      location: 'query'
    })
  if (invalid.length > 0) throw invalidParams(invalid)
  return { start, count }
}
