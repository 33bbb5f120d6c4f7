import { DatabaseUnavailableError, isDatabaseAvailable } from '../core/database-availability.ts'
import { emitEvent } from '../core/events.ts'
import { runAsBackgroundWork } from '../core/request-context.ts'
import { runQuery, sql } from '../core/sql.ts'
import type { IncomingActivity } from './activity-handlers.ts'

/** A verified activity to store. `key` identifies it: of several with one key only the first is stored. */
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

type PendingInsert = { activity: NewIncomingActivity; resolve: (isNew: boolean) => void; reject: (error: unknown) => void }
let pendingInserts: PendingInsert[] = []
let flushing = false

/**
 * Stores an activity; activities that arrive while a statement runs share the next one. Resolves once it is stored: true if it was new,
 * false if one with that key existed.
 */
export async function storeIncomingActivity(activity: NewIncomingActivity): Promise<boolean> {
  return await new Promise((resolve, reject) => {
    pendingInserts.push({ activity, resolve, reject })
    // One statement stores activities of several requests, and the senders believe that they are stored.
    if (!flushing) void runAsBackgroundWork(flushPendingInserts)
  })
}

async function flushPendingInserts(): Promise<void> {
  flushing = true
  // Includes what else arrives in this turn of the event loop.
  await new Promise(resolve => setImmediate(resolve))
  while (pendingInserts.length > 0) {
    const batch = pendingInserts
    pendingInserts = []
    try {
      if (!isDatabaseAvailable()) throw new DatabaseUnavailableError()
      const insertedKeys = await insertActivities(batch.map(pending => pending.activity))
      for (const { activity, resolve } of batch) resolve(insertedKeys.delete(activity.key))
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
  flushing = false
}

async function insertActivities(activities: NewIncomingActivity[]): Promise<Set<string>> {
  const column = <K extends keyof NewIncomingActivity>(name: K) => activities.map(activity => activity[name])
  const rows = await runQuery<{ key: string; lane: number; digest: string }>(sql`
    INSERT INTO incoming (activity_id, digest, type, actor, signer, proof, host, subject, lane, body)
    SELECT * FROM unnest(${column('key')}::text[], ${column('digest')}::text[], ${column('type')}::text[], ${column('actor')}::text[],
      ${column('signer')}::text[], ${column('proof')}::text[], ${column('host')}::text[], ${column('subject')}::text[],
      ${column('lane')}::smallint[], ${column('body')}::text[])
    ON CONFLICT (activity_id) DO NOTHING RETURNING activity_id AS key, lane`)
  for (const lane of new Set(rows.map(row => row.lane))) emitEvent('inbox.filled', { lane })
  return new Set(rows.map(row => row.key))
}
