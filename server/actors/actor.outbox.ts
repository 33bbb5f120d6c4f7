import type { Transaction } from 'sequelize'
import { instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { keyring } from '../fediverse/keyring.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import { AS_PUBLIC } from '../fediverse/vocabulary.ts'
import { serializeActorObject, findLocalActor } from './actor-serializer.codec.ts'
import { INSTANCE_ACTOR_NAME } from './instance-actor.ts'

/** Sends an Update of a local actor to its followers and those of the instance, which have its videos. */
export async function sendActorUpdate(actorId: number, tx: Transaction): Promise<void> {
  const row = await findLocalActor({ id: actorId }, tx)
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
      audience: { followersOf: followedActors(url) },
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: url,
      supersedes: `update ${url}`
    },
    tx
  )
}

/**
 * Sends a Delete of a local actor; to be called before its row is removed. The inboxes are determined now, as its followers are removed
 * with it; its key stays in `retired_keys` until the Delete is delivered or given up.
 */
export async function sendActorDelete(actorId: number, tx: Transaction): Promise<void> {
  const [row] = await runQuery<{ url: string }>(
    sql`
    INSERT INTO retired_keys (url, private_key)
    SELECT url, private_key FROM actors WHERE id = ${actorId} AND host IS NULL AND private_key IS NOT NULL
    ON CONFLICT (url) DO UPDATE SET created_at = now() RETURNING url`,
    tx
  )
  if (!row) return
  const { url } = row
  const inboxes = await keyring.inboxesOf(followedActors(url))
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
    tx
  )
}

const followedActors = (url: string) => [url, `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`]
