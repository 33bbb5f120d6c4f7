import { generateKeyPair } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Transaction } from 'sequelize'
import { config, instanceOrigin, storageFolder } from '../core/config.ts'
import { acquireLock } from '../core/locks.ts'
import { afterCommit } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { ActorModel, ActorImageModel } from './actor.model.ts'
import { sendActorDelete } from './actor.outbox.ts'

/** An RSA key pair in PEM: SPKI and PKCS #8. */
export type ActorKeyPair = { publicKey: string; privateKey: string }
/** What makes a local actor; `keys` may be made before the transaction, as that takes time. */
export type NewLocalActor = { type: 'Person' | 'Group' | 'Application'; name: string; keys?: ActorKeyPair }

/** A new key pair of `security.actor_key_bits`, made outside the main thread. */
export async function generateActorKeys(): Promise<ActorKeyPair> {
  return await promisify(generateKeyPair)('rsa', {
    modulusLength: config.security.actor_key_bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
}

/** Waits until no other transaction gives or retires local names; the lock ends with the transaction. */
export async function lockLocalActorNames(transaction: Transaction): Promise<void> {
  await acquireLock('ACTOR_NAMES', transaction)
}

/** Whether a local actor has or had this name, in whatever case; true until the names are locked means little. */
export async function isLocalActorNameTaken(name: string, transaction?: Transaction): Promise<boolean> {
  const [row] = await runQuery<{ taken: boolean }>(
    sql`
    SELECT EXISTS (SELECT FROM actors WHERE host IS NULL AND lower(preferred_username) = lower(${name}))
      OR EXISTS (SELECT FROM retired_names WHERE name = lower(${name})) AS taken`,
    transaction
  )
  return row!.taken
}

/** Creates an actor of this instance with its addresses and keys. Throws 409 if the name is or was in use by any kind of actor. */
export async function createLocalActor({ type, name, keys }: NewLocalActor, transaction: Transaction): Promise<ActorModel> {
  const { publicKey, privateKey } = keys ?? (await generateActorKeys())
  await lockLocalActorNames(transaction)
  if (await isLocalActorNameTaken(name, transaction)) {
    throw new Problem(409, null, 'Another actor (account/channel) with this name on this instance already exists or has already existed.')
  }
  const url = `${instanceOrigin()}/${type === 'Group' ? 'video-channels' : 'accounts'}/${name}`
  return await ActorModel.create(
    {
      type,
      preferredUsername: name,
      url,
      publicKey,
      privateKey,
      inboxUrl: `${url}/inbox`,
      outboxUrl: `${url}/outbox`,
      followersUrl: `${url}/followers`,
      followingUrl: `${url}/following`,
      sharedInboxUrl: `${instanceOrigin()}/inbox`
    },
    { transaction }
  )
}

/**
 * Removes a local actor with what belongs to it, and tells other servers; its name is never given again, its pictures leave the disk after
 * commit.
 */
export async function removeLocalActor(actor: { id: number; preferredUsername: string }, transaction: Transaction): Promise<void> {
  await sendActorDelete(actor.id, transaction)
  await lockLocalActorNames(transaction)
  await runQuery(sql`INSERT INTO retired_names (name) VALUES (lower(${actor.preferredUsername})) ON CONFLICT DO NOTHING`, transaction)
  const images = await ActorImageModel.findAll({ where: { actorId: actor.id }, transaction })
  await ActorModel.destroy({ where: { id: actor.id }, transaction })
  afterCommit(transaction, () => {
    for (const { kind, filename } of images) removeActorImageFile(kind, filename)
  })
}

/** Removes the file of a picture no row names any more. */
export function removeActorImageFile(kind: ActorImageModel['kind'], filename: string): void {
  const file = join(storageFolder(kind === 'avatar' ? 'avatars' : 'banners'), filename)
  rm(file, { force: true }).catch(error => logger.warn('A picture could not be removed', { file, error }))
}
