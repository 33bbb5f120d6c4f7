import { generateKeyPair } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Transaction } from 'sequelize'
import { config, origin, storageFolder } from '../core/config.ts'
import { acquireLock } from '../core/locks.ts'
import { afterCommit } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import { Problem } from '../core/problem.ts'
import { run, sql } from '../core/sql.ts'
import { Actor, ActorImage } from './actor.model.ts'
import { tellOfEnd } from './actor.outbox.ts'

/** An RSA key pair in PEM: SPKI and PKCS #8. */
export type Keys = { publicKey: string; privateKey: string }
/** What makes a local actor; `keys` may be made before the transaction, as that takes time. */
export type LocalActor = { type: 'Person' | 'Group' | 'Application'; name: string; keys?: Keys }

/** A new key pair of `security.actor_key_bits`, made outside the main thread. */
export async function newKeys(): Promise<Keys> {
  return await promisify(generateKeyPair)('rsa', {
    modulusLength: config.security.actor_key_bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
}

/** Waits until no other transaction gives or retires local names; the lock ends with the transaction. */
export async function lockNames(transaction: Transaction): Promise<void> {
  await acquireLock('ACTOR_NAMES', transaction)
}

/** Whether a local actor has or had this name, in whatever case; true until the names are locked means little. */
export async function isNameTaken(name: string, transaction?: Transaction): Promise<boolean> {
  const [row] = await run<{ taken: boolean }>(
    sql`
    SELECT EXISTS (SELECT FROM actors WHERE host IS NULL AND lower(preferred_username) = lower(${name}))
      OR EXISTS (SELECT FROM retired_names WHERE name = lower(${name})) AS taken`,
    transaction
  )
  return row!.taken
}

/** Creates an actor of this instance with its addresses and keys. Throws 409 if the name is or was in use by any kind of actor. */
export async function createLocalActor({ type, name, keys }: LocalActor, transaction: Transaction): Promise<Actor> {
  const { publicKey, privateKey } = keys ?? (await newKeys())
  await lockNames(transaction)
  if (await isNameTaken(name, transaction)) {
    throw new Problem(409, null, 'Another actor (account/channel) with this name on this instance already exists or has already existed.')
  }
  const url = `${origin()}/${type === 'Group' ? 'video-channels' : 'accounts'}/${name}`
  return await Actor.create(
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
      sharedInboxUrl: `${origin()}/inbox`
    },
    { transaction }
  )
}

/**
 * Removes a local actor with what belongs to it, and tells other servers; its name is never given again, its pictures leave the disk after
 * commit.
 */
export async function removeActor(actor: { id: number; preferredUsername: string }, transaction: Transaction): Promise<void> {
  await tellOfEnd(actor.id, transaction)
  await lockNames(transaction)
  await run(sql`INSERT INTO retired_names (name) VALUES (lower(${actor.preferredUsername})) ON CONFLICT DO NOTHING`, transaction)
  const images = await ActorImage.findAll({ where: { actorId: actor.id }, transaction })
  await Actor.destroy({ where: { id: actor.id }, transaction })
  afterCommit(transaction, () => {
    for (const { kind, filename } of images) forgetFile(kind, filename)
  })
}

/** Removes the file of a picture no row names any more. */
export function forgetFile(kind: ActorImage['kind'], filename: string): void {
  const file = join(storageFolder(kind === 'avatar' ? 'avatars' : 'banners'), filename)
  rm(file, { force: true }).catch(error => logger.warn('A picture could not be removed', { file, error }))
}
