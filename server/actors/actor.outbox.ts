import type { Transaction } from 'sequelize'
import { instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { keyring } from '../fediverse/keyring.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'
import { serializeActorObject, findLocalActor } from './actor-serializer.codec.ts'
import { INSTANCE_ACTOR_NAME } from './instance-actor.ts'

/** Tells other servers what a local actor looks like now: its followers, and those of the instance, who have its videos. */
export async function sendActorUpdate(actorId: number, inside: Transaction): Promise<void> {
  const row = await findLocalActor({ id: actorId }, inside)
  if (!row) return
  const { url } = row
  await enqueueActivity(
    {
      activity: {
        type: 'Update',
        id: `${url}/updates/${new Date().toISOString()}`,
        actor: url,
        object: serializeActorObject(row),
        to: [AS_PUBLIC],
        cc: [`${url}/followers`]
      },
      kind: 'actor',
      audience: { followersOf: audience(url) },
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: url,
      supersedes: `update ${url}`
    },
    inside
  )
}

/**
 * Tells other servers that a local actor goes, before its row does. Who hears it is settled now, as its followers go with it; its key
 * stays in `retired_keys` until the farewell has been delivered or given up.
 */
export async function sendActorDelete(actorId: number, inside: Transaction): Promise<void> {
  const [row] = await runQuery<{ url: string }>(
    sql`
    INSERT INTO retired_keys (url, private_key) SELECT url, private_key FROM actors WHERE id = ${actorId} AND host IS NULL AND private_key IS NOT NULL
    ON CONFLICT (url) DO UPDATE SET created_at = now() RETURNING url`,
    inside
  )
  if (!row) return
  const { url } = row
  const inboxes = await keyring.inboxesOf(audience(url))
  if (inboxes.length === 0) return
  await enqueueActivity(
    {
      activity: { type: 'Delete', id: `${url}/delete`, actor: url, object: url, to: [AS_PUBLIC], cc: [`${url}/followers`] },
      kind: 'base',
      audience: { inboxes },
      lane: DELIVERY_PRIORITY.NOW,
      subject: url,
      supersedes: `update ${url}`
    },
    inside
  )
}

const audience = (url: string) => [url, `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`]
