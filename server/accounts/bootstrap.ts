import { randomBytes, randomInt } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { config, environmentSecrets } from '../core/config.ts'
import { acquireLock } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { AccountModel } from '../actors/account.model.ts'
import { createLocalActor } from '../actors/local-actors.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import { hashPassword } from './password.ts'
import { createUser } from './registration.ts'
import { revokeAllUserSessions } from './tokens.ts'
import { USER_ROLE, ROOT_USERNAME } from './user.model.ts'

const PASSWORD_LENGTH = 20
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/**
 * Creates the secrets, the actor and the administrator `root` of a new instance, in one transaction.
 * Returns the login if this call created it, else null, as at every later start.
 */
export async function bootstrapInstance(): Promise<{ username: string; password: string } | null> {
  return await transaction(async tx => {
    // Only one of several processes that start at once may create it.
    await acquireLock('CREATE_ROOT', tx)
    const [known] = await runQuery(sql`SELECT id FROM instances`, tx)
    if (known) return null
    await runQuery(
      sql`INSERT INTO instances (id, secret, client_id, client_secret)
        VALUES (1, ${randomBytes(32).toString('hex')}, ${randomLetters(32)}, ${randomLetters(32)})`,
      tx
    )
    await createInstanceActor(tx)
    const password = environmentSecrets.rootPassword ?? randomLetters(PASSWORD_LENGTH)
    await createUser(
      {
        username: ROOT_USERNAME,
        password,
        email: config.admin.email,
        role: USER_ROLE.ADMINISTRATOR,
        emailVerified: true,
        videoQuota: -1,
        videoQuotaDaily: -1
      },
      tx
    )
    return { username: ROOT_USERNAME, password }
  })
}

/** Sets a new random password of a user and ends all of its sessions; null if there is no such user. For a lost login. */
export async function resetUserPassword(username: string): Promise<{ username: string; password: string } | null> {
  const password = randomLetters(PASSWORD_LENGTH)
  const passwordHash = await hashPassword(password)
  return await transaction(async tx => {
    const [user] = await runQuery<{ id: number; username: string }>(
      sql`UPDATE users SET password_hash = ${passwordHash}, updated_at = now()
        WHERE lower(username) = lower(${username}) RETURNING id, username`,
      tx
    )
    if (!user) return null
    await revokeAllUserSessions(user.id, tx)
    return { username: user.username, password }
  })
}

async function createInstanceActor(tx: Transaction): Promise<void> {
  const actor = await createLocalActor({ type: 'Application', name: INSTANCE_ACTOR_NAME }, tx)
  await AccountModel.create({ actorId: actor.id, name: INSTANCE_ACTOR_NAME }, { transaction: tx })
}

function randomLetters(length: number): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}
