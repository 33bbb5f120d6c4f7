import { UniqueConstraintError, type Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { refreshAdminOverrides } from '../core/admin-overrides.ts'
import { transaction } from '../core/transaction.ts'
import { Problem } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { AccountModel } from '../actors/account.model.ts'
import { assertMayGiveName } from '../actors/reserved-names.ts'
import { createLocalActor, isLocalActorNameTaken, lockLocalActorNames, generateActorKeys } from '../actors/local-actors.ts'
import { createChannel } from '../channels/channels.ts'
import { hashPassword } from './password.ts'
import { USER_ROLE, UserModel, type UserRole } from './user.model.ts'

/** The data of a new user; quotas in bytes, defaults from `user.*`. Without `channelName` the channel is named after the user. */
export type NewUser = {
  username: string
  password: string
  email: string
  role?: UserRole
  videoQuota?: number
  videoQuotaDaily?: number
  adminFlags?: number
  emailVerified?: boolean | null
  /** The display name of the account. */
  displayName?: string
  channelName?: string
  channelDisplayName?: string
}

/** The ids of a new user, its account and its first channel. */
export type CreatedUser = { id: number; accountId: number; channelId: number }

const MAX_NAME_LENGTH = 50
const USER_EXISTS = 'User with this username or email already exists.'

/**
 * Creates a user, its account and its first channel in one transaction. Throws 409 if the username, e-mail address or channel name is or
 * was used.
 */
export async function createUser(user: NewUser, tx?: Transaction): Promise<CreatedUser> {
  await refreshAdminOverrides()
  const credentials = await createCredentials(user)
  if (tx) return await insertUserWithChannel(user, credentials, tx)
  return await transaction(async tx => await insertUserWithChannel(user, credentials, tx))
}

/**
 * Creates a user by public registration. Throws 403 if registrations are closed or `signup.limit` is reached, 409
 * reserved_name, 409 as `createUser`.
 */
export async function registerUser(user: Omit<NewUser, 'role'>): Promise<CreatedUser> {
  await refreshAdminOverrides()
  await assertSignupOpen()
  for (const name of [user.username, user.channelName]) if (name !== undefined) assertMayGiveName(null, name)
  const slow = await createCredentials(user)
  return await transaction(async tx => {
    // Checked again under the lock, so that concurrent registrations do not exceed the limit.
    await lockLocalActorNames(tx)
    await assertSignupOpen(tx)
    return await insertUserWithChannel(user, slow, tx)
  })
}

/** Whether registrations are open and below `signup.limit`. */
export async function isSignupOpen(tx?: Transaction): Promise<boolean> {
  const { enabled, limit } = config.signup
  if (!enabled || limit < 0) return enabled
  const [row] = await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM users`, tx)
  return row!.count < limit
}

async function assertSignupOpen(tx?: Transaction): Promise<void> {
  if (await isSignupOpen(tx)) return
  throw new Problem(403, null, 'This instance takes no registrations now: they are closed, or the limit of users is reached.')
}

/** Computes what takes long and needs no connection: the password hash and the keys. */
async function createCredentials(user: NewUser) {
  const [passwordHash, accountKeys, channelKeys] = await Promise.all([
    hashPassword(user.password),
    generateActorKeys(),
    generateActorKeys()
  ])
  return { passwordHash, accountKeys, channelKeys }
}

async function insertUserWithChannel(
  user: NewUser,
  credentials: Awaited<ReturnType<typeof createCredentials>>,
  tx: Transaction
): Promise<CreatedUser> {
  await lockLocalActorNames(tx)
  const { id } = await insertUser(user, credentials.passwordHash, tx)
  const actor = await createLocalActor({ type: 'Person', name: user.username, keys: credentials.accountKeys }, tx)
  const account = await AccountModel.create({ actorId: actor.id, userId: id, name: user.displayName ?? user.username }, { transaction: tx })
  const name = user.channelName ?? (await findFreeChannelName(user.username, tx))
  const displayName = user.channelDisplayName ?? user.channelName ?? config.user.default_channel_name.replaceAll('$1', user.username)
  const channel = await createChannel({ accountId: account.id, name, displayName, keys: credentials.channelKeys }, tx)
  return { id, accountId: account.id, channelId: channel.id }
}

async function insertUser(user: NewUser, passwordHash: string, tx: Transaction): Promise<UserModel> {
  try {
    return await UserModel.create(
      {
        username: user.username,
        email: user.email,
        passwordHash,
        role: user.role ?? USER_ROLE.USER,
        emailVerified: user.emailVerified ?? null,
        adminFlags: user.adminFlags ?? 0,
        nsfwPolicy: config.instance.default_nsfw_policy,
        videoQuota: user.videoQuota ?? config.user.video_quota,
        videoQuotaDaily: user.videoQuotaDaily ?? config.user.video_quota_daily,
        p2pEnabled: config.defaults.p2p.webapp.enabled,
        videosHistoryEnabled: config.user.history.videos.enabled
      },
      { transaction: tx }
    )
  } catch (error) {
    throw error instanceof UniqueConstraintError ? new Problem(409, null, USER_EXISTS) : error
  }
}

/** Returns an unused channel name: `NAME_channel`, with a number appended if that is or was used. */
async function findFreeChannelName(username: string, tx: Transaction): Promise<string> {
  for (let number = 0; ; number++) {
    const suffix = number === 0 ? '_channel' : `_channel-${number}`
    const name = username.slice(0, MAX_NAME_LENGTH - suffix.length) + suffix
    if (!(await isLocalActorNameTaken(name, tx))) return name
  }
}
