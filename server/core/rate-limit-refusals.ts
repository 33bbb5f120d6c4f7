import { z } from 'zod'
import type { Limiter, RefusedRequests } from '../../shared/rate-limits.ts'
import { clientNetwork } from './client-network.ts'
import { config } from './config.ts'
import { defineInternals } from './internals.ts'
import { logger, loggedIp } from './logger.ts'
import { runAsBackgroundWork } from './request-context.ts'
import { queryAs, runQuery, sql, sqlInterval } from './sql.ts'

/** Limits of what is kept of refused requests: `interval` and `logInterval` in ms. */
export const REFUSALS = defineInternals('refusals', {
  /** How often counts are saved. */
  interval: 10_000,
  /** One line for each limiter and address per so many ms. */
  logInterval: 60_000,
  /** Addresses that a process keeps apart in an hour, of each limiter; those beyond are counted together. */
  maxAddresses: 100
})
/** Addresses of each limiter that the health page shows. */
const MAX_LISTED = 10
/** Milliseconds. */
const HOUR = 3_600_000
/** Characters of an address (a claimed host may be any text) and of a request that are kept. */
const MAX_LENGTH = 253

/** A refused request: by which limiter; from an IP address, or another server (`host`); `request`: its method and path, for the log. */
export type Refusal = { limiter: Limiter; ip?: string | undefined; host?: string; request?: string }

type Counted = {
  limiter: Limiter
  /** Empty for all addresses beyond `maxAddresses`. */
  address: string
  unsaved: number
  unlogged: number
  request: string | undefined
  lastAt: number
  loggedAt: number
}

const counts = new Map<Limiter, Map<string, Counted>>()
let timer: NodeJS.Timeout | undefined

/** Counts a request that a limit refused, for the log and the health page; every limiter reports here. */
export function recordRefusal({ limiter, ip, host, request }: Refusal): void {
  const counted = entryOf(limiter, (host ?? loggedNetwork(ip)).slice(0, MAX_LENGTH))
  counted.unsaved++
  counted.unlogged++
  counted.request = request?.slice(0, MAX_LENGTH)
  counted.lastAt = Date.now()
  logIfDue(counted)
  timer ??= setInterval(() => void runAsBackgroundWork(maintain), REFUSALS.interval).unref()
}

/** Logs and saves what was counted, and ends the timer; to be called before the database is disconnected. */
export async function stopCountingRefusals(): Promise<void> {
  clearInterval(timer)
  timer = undefined
  for (const counted of allCounts()) if (counted.unlogged > 0) logRefusals(counted)
  await saveRefusals().catch(() => undefined)
  counts.clear()
}

const RefusalRow = z.object({
  limiter: z.string(),
  refusals: z.coerce.number(),
  lastAt: z.date(),
  addresses: z.array(z.object({ address: z.string(), refusals: z.number(), lastAt: z.coerce.date() })),
  others: z.coerce.number()
})

/** Returns the requests that each limiter of all processes refused within `webadmin.health.lately`, and from where, the most first. */
export async function listRefusals(): Promise<RefusedRequests[]> {
  await saveRefusals()
  const rows = await queryAs(
    RefusalRow,
    sql`
    WITH by_address AS (
      SELECT limiter, address, sum(refusals)::int AS refusals, max(last_at) AS last_at,
        row_number() OVER (PARTITION BY limiter ORDER BY address = '', sum(refusals) DESC, max(last_at) DESC) AS rank
      FROM rate_limit_refusals WHERE last_at > now() - ${sqlInterval(config.webadmin.health.lately)} GROUP BY limiter, address
    )
    SELECT limiter, sum(refusals) AS refusals, max(last_at) AS "lastAt",
      coalesce(jsonb_agg(jsonb_build_object('address', address, 'refusals', refusals, 'lastAt', last_at) ORDER BY rank)
        FILTER (WHERE address <> '' AND rank <= ${MAX_LISTED}), '[]') AS addresses,
      coalesce(sum(refusals) FILTER (WHERE address = '' OR rank > ${MAX_LISTED}), 0) AS others
    FROM by_address GROUP BY limiter ORDER BY 2 DESC, limiter`
  )
  return rows.map(row => ({
    ...row,
    limiter: row.limiter as Limiter,
    lastAt: row.lastAt.toISOString(),
    addresses: row.addresses.map(one => ({ ...one, lastAt: one.lastAt.toISOString() }))
  }))
}

/** Removes what is older than `webadmin.health.lately`: addresses are kept no longer than they are shown. */
export async function removeOldRefusals(): Promise<void> {
  await runQuery(sql`DELETE FROM rate_limit_refusals WHERE last_at < now() - ${sqlInterval(config.webadmin.health.lately)}`)
}

function entryOf(limiter: Limiter, address: string): Counted {
  let ofLimiter = counts.get(limiter)
  if (!ofLimiter) counts.set(limiter, (ofLimiter = new Map()))
  const key = ofLimiter.has(address) || ofLimiter.size < REFUSALS.maxAddresses ? address : ''
  let counted = ofLimiter.get(key)
  if (!counted) {
    counted = { limiter, address: key, unsaved: 0, unlogged: 0, request: undefined, lastAt: 0, loggedAt: -Infinity }
    ofLimiter.set(key, counted)
  }
  return counted
}

/** The network of an IP address as `log.anonymize_ip` lets it be kept. */
function loggedNetwork(ip: string | undefined): string {
  return config.log.anonymize_ip ? (loggedIp(ip) ?? '') : clientNetwork(ip)
}

const allCounts = (): Counted[] => [...counts.values()].flatMap(ofLimiter => [...ofLimiter.values()])

function logIfDue(counted: Counted): void {
  if (counted.unlogged > 0 && Date.now() - counted.loggedAt >= REFUSALS.logInterval) logRefusals(counted)
}

function logRefusals(counted: Counted): void {
  const { limiter, address, unlogged, request } = counted
  logger.warn('Requests were refused by a rate limit', {
    limiter,
    from: address === '' ? 'other addresses' : address,
    count: unlogged,
    request
  })
  counted.unlogged = 0
  counted.loggedAt = Date.now()
}

async function maintain(): Promise<void> {
  for (const counted of allCounts()) logIfDue(counted)
  // Without the database they are saved later: their number does not grow.
  await saveRefusals().catch(() => undefined)
  for (const [limiter, ofLimiter] of counts) {
    for (const [address, counted] of ofLimiter) if (isDone(counted)) ofLimiter.delete(address)
    if (ofLimiter.size === 0) counts.delete(limiter)
  }
  if (counts.size > 0) return
  clearInterval(timer)
  timer = undefined
}

/** Whether a count may be forgotten: not before its hour is over, as each address that takes its place is another row of that hour. */
function isDone({ unsaved, unlogged, loggedAt, lastAt }: Counted): boolean {
  const now = Date.now()
  return unsaved === 0 && unlogged === 0 && now - loggedAt >= REFUSALS.logInterval && Math.floor(lastAt / HOUR) < Math.floor(now / HOUR)
}

async function saveRefusals(): Promise<void> {
  const unsaved = allCounts()
    .filter(counted => counted.unsaved > 0)
    .map(counted => ({ counted, refusals: counted.unsaved }))
  if (unsaved.length === 0) return
  for (const { counted, refusals } of unsaved) counted.unsaved -= refusals
  try {
    // In one order, as several processes save at once.
    const rows = unsaved
      .map(({ counted: { limiter, address, lastAt }, refusals }) => ({ limiter, address, refusals, lastAt: new Date(lastAt) }))
      .toSorted((a, b) => (`${a.limiter} ${a.address}` < `${b.limiter} ${b.address}` ? -1 : 1))
    await runQuery(sql`
      INSERT INTO rate_limit_refusals (hour, limiter, address, refusals, last_at)
      SELECT date_trunc('hour', (row->>'lastAt')::timestamptz), row->>'limiter', row->>'address', (row->>'refusals')::int, (row->>'lastAt')::timestamptz
      FROM jsonb_array_elements(${JSON.stringify(rows)}::jsonb) WITH ORDINALITY AS rows (row, position) ORDER BY position
      ON CONFLICT (hour, limiter, address) DO UPDATE SET refusals = rate_limit_refusals.refusals + excluded.refusals,
        last_at = greatest(rate_limit_refusals.last_at, excluded.last_at)`)
  } catch (error) {
    for (const { counted, refusals } of unsaved) counted.unsaved += refusals
    throw error
  }
}
