import { emitEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import type { IncomingActivity } from './activity-handlers.ts'

/** A verified activity as it is stored. `key` is what makes it one and the same; two of a key are one. */
export type NewIncomingActivity = {
  key: string
  digest: string
  type: string
  actor: string
  signer: string
  proof: IncomingActivity['proof']
  host: string
  subject: string
  lane: number
  body: string
}

type Waiting = { arrival: NewIncomingActivity; stored: (isNew: boolean) => void; failed: (error: unknown) => void }
let waiting: Waiting[] = []
let writing = false

/**
 * Stores an activity; those that arrive while one statement runs go together with the next. Resolves when it is stored: true, if it was
 * new, false, if one of that key was there.
 */
export async function storeIncomingActivity(arrival: NewIncomingActivity): Promise<boolean> {
  return await new Promise((stored, failed) => {
    waiting.push({ arrival, stored, failed })
    if (!writing) void write()
  })
}

async function write(): Promise<void> {
  writing = true
  // What else this turn of the loop brings comes along.
  await new Promise(resolve => setImmediate(resolve))
  while (waiting.length > 0) {
    const batch = waiting
    waiting = []
    try {
      const fresh = await insert(batch.map(one => one.arrival))
      for (const { arrival, stored } of batch) stored(fresh.delete(arrival.key))
    } catch (error) {
      for (const { failed } of batch) failed(error)
    }
  }
  writing = false
}

async function insert(arrivals: NewIncomingActivity[]): Promise<Set<string>> {
  const column = <K extends keyof NewIncomingActivity>(name: K) => arrivals.map(one => one[name])
  const rows = await runQuery<{ key: string; lane: number; digest: string }>(sql`
    INSERT INTO incoming (activity_id, digest, type, actor, signer, proof, host, subject, lane, body)
    SELECT * FROM unnest(${column('key')}::text[], ${column('digest')}::text[], ${column('type')}::text[], ${column('actor')}::text[], ${column('signer')}::text[],
      ${column('proof')}::text[], ${column('host')}::text[], ${column('subject')}::text[], ${column('lane')}::smallint[], ${column('body')}::text[])
    ON CONFLICT (activity_id) DO NOTHING RETURNING activity_id AS key, lane`)
  for (const lane of new Set(rows.map(row => row.lane))) emitEvent('inbox.filled', { lane })
  return new Set(rows.map(row => row.key))
}
