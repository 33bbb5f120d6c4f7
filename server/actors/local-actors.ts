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
/** The data of a new local actor; `keys` may be generated before the transaction, as that takes time. */
export type NewLocalActor = { type: 'Person' | 'Group' | 'Application'; name: string; keys?: ActorKeyPair }

/** Generates an RSA key pair of `security.actor_key_bits` bits in the thread pool. */
export async function generateActorKeys(): Promise<ActorKeyPair> {
  return await promisify(generateKeyPair)('rsa', {
    modulusLength: config.security.actor_key_bits,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
}

/** Locks the names of local actors against other transactions; released at the end of the transaction. */
export async function lockLocalActorNames(tx: Transaction): Promise<void> {
  await acquireLock('ACTOR_NAMES', tx)
}

/** Whether a local actor has or had this name, case-insensitively; reliable only while the names are locked. */
export async function isLocalActorNameTaken(name: string, tx?: Transaction): Promise<boolean> {
  const [row] = await runQuery<{ taken: boolean }>(
    sql`
    SELECT EXISTS (SELECT FROM actors WHERE host IS NULL AND lower(preferred_username) = lower(${name}))
      OR EXISTS (SELECT FROM retired_names WHERE name = lower(${name})) AS taken`,
    tx
  )
  return row!.taken
}

/** Creates a local actor with its URLs and keys. Throws 409 if the name is or was used by any kind of local actor. */
export async function createLocalActor({ type, name, keys }: NewLocalActor, tx: Transaction): Promise<ActorModel> {
  const { publicKey, privateKey } = keys ?? (await generateActorKeys())
  await lockLocalActorNames(tx)
  if (await isLocalActorNameTaken(name, tx)) {
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
    { transaction: tx }
  )
}

/**
 * Removes a local actor with everything that belongs to it and sends a Delete; its name is never available again, its image files are
 * removed after commit.
 */
export async function removeLocalActor(actor: { id: number; preferredUsername: string }, tx: Transaction): Promise<void> {
  await sendActorDelete(actor.id, tx)
  await lockLocalActorNames(tx)
  await runQuery(sql`INSERT INTO retired_names (name) VALUES (lower(${actor.preferredUsername})) ON CONFLICT DO NOTHING`, tx)
  const images = await ActorImageModel.findAll({ where: { actorId: actor.id }, transaction: tx })
  await ActorModel.destroy({ where: { id: actor.id }, transaction: tx })
  afterCommit(tx, () => {
    for (const { kind, filename } of images) removeActorImageFile(kind, filename)
  })
}

/** Removes the file of a deleted actor image in the background; a failure is logged. */
export function removeActorImageFile(kind: ActorImageModel['kind'], filename: string): void {
  const file = join(storageFolder(kind === 'avatar' ? 'avatars' : 'banners'), filename)
  rm(file, { force: true }).catch(error => logger.warn('A picture could not be removed', { file, error }))
}
