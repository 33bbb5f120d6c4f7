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
 * Gives a new instance its secrets, its own actor and its administrator `root`, all or nothing.
 * The login is in the answer only when this call made it; null at every later start.
 */
export async function bootstrapInstance(): Promise<{ username: string; password: string } | null> {
  return await transaction(async transaction => {
    // Two processes may start at once; one of them is the first.
    await acquireLock('CREATE_ROOT', transaction)
    const [known] = await runQuery(sql`SELECT id FROM instances`, transaction)
    if (known) return null
    await runQuery(
      sql`INSERT INTO instances (id, secret, client_id, client_secret) VALUES (1, ${randomBytes(32).toString('hex')}, ${letters(32)}, ${letters(32)})`,
      transaction
    )
    await createInstanceActor(transaction)
    const password = environmentSecrets.rootPassword ?? letters(PASSWORD_LENGTH)
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
      transaction
    )
    return { username: ROOT_USERNAME, password }
  })
}

/** Gives a user a new password and ends all its sessions; null where nobody has that name. For an admin who has lost the login. */
export async function resetUserPassword(username: string): Promise<{ username: string; password: string } | null> {
  const password = letters(PASSWORD_LENGTH)
  const passwordHash = await hashPassword(password)
  return await transaction(async transaction => {
    const [user] = await runQuery<{ id: number; username: string }>(
      sql`UPDATE users SET password_hash = ${passwordHash}, updated_at = now() WHERE lower(username) = lower(${username}) RETURNING id, username`,
      transaction
    )
    if (!user) return null
    await revokeAllUserSessions(user.id, transaction)
    return { username: user.username, password }
  })
}

async function createInstanceActor(transaction: Transaction): Promise<void> {
  const actor = await createLocalActor({ type: 'Application', name: INSTANCE_ACTOR_NAME }, transaction)
  await AccountModel.create({ actorId: actor.id, name: INSTANCE_ACTOR_NAME }, { transaction })
}

function letters(length: number): string {
  return Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}
