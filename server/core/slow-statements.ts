import { config } from './config.ts'
import { isRedisReady, redis } from './redis.ts'
import { logger } from './logger.ts'

/** A statement that took longer than `database.slow_statement`: its SQL without values, how often that happened, and the longest time in ms. */
export type SlowStatement = { statement: string; count: number; longest: number }

/** Statements that are kept for the health page. */
const MAX_KEPT = 20
/** One line per so many ms. */
const LOG_INTERVAL = 1000
/** Characters of a statement that are kept. */
const MAX_LENGTH = 1000

let loggedAt = -Infinity
const redisKey = (part: 'count' | 'longest'): string => `${config.redis.prefix}:slow-statements:${part}`

/** Logs a statement that took longer than `database.slow_statement`, and notes it for the health page of every process. */
export function reportIfSlow(sql: string, ms: number, isRequest: boolean): void {
  const { requests, jobs } = config.database.slow_statement
  if (ms < (isRequest ? requests : jobs)) return
  const statement = withoutValues(sql)
  // The health page has them all.
  if (performance.now() - loggedAt >= LOG_INTERVAL) {
    loggedAt = performance.now()
    logger.warn('A statement was slow', { statement, ms: Math.round(ms), request: isRequest })
  }
  if (isRedisReady()) noteStatement(statement, ms).catch(() => undefined)
}

/** Sequelize writes the values of its own statements into them: names, addresses, tokens. */
function withoutValues(sql: string): string {
  return sql
    .replace(/'(?:[^']|'')*'/g, '?')
    .replace(/(?<![$\w])\d+(?:\.\d+)?\b/g, '?')
    .replace(/(?:\?,\s*)+\?/g, '?')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, MAX_LENGTH)
}

async function noteStatement(statement: string, ms: number): Promise<void> {
  const [count, longest] = [redisKey('count'), redisKey('longest')]
  const kept = config.webadmin.health.lately
  await redis
    .multi()
    .zincrby(count, 1, statement)
    .zadd(longest, 'GT', Math.round(ms), statement)
    .zremrangebyrank(longest, 0, -MAX_KEPT - 1)
    .zremrangebyrank(count, 0, -10 * MAX_KEPT - 1)
    .pexpire(count, kept)
    .pexpire(longest, kept)
    .exec()
}

/** Returns the slowest statements of all processes since there was none for `webadmin.health.lately`, the slowest first. Throws without Redis. */
export async function listSlowStatements(): Promise<SlowStatement[]> {
  const listed = await redis.zrevrange(redisKey('longest'), 0, MAX_KEPT - 1, 'WITHSCORES')
  const statements = listed.filter((_, index) => index % 2 === 0)
  const counts = await Promise.all(statements.map(async statement => await redis.zscore(redisKey('count'), statement)))
  return statements.map((statement, index) => ({
    statement,
    count: Number(counts[index] ?? 1),
    longest: Number(listed[index * 2 + 1])
  }))
}
