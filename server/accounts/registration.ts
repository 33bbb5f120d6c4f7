import { UniqueConstraintError, type Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { refreshAdminOverrides } from '../core/admin-overrides.ts'
import { transaction as inTransaction } from '../core/transaction.ts'
import { Problem } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { AccountModel } from '../actors/account.model.ts'
import { createLocalActor, isLocalActorNameTaken, lockLocalActorNames, generateActorKeys } from '../actors/local-actors.ts'
import { createChannel } from '../channels/channels.ts'
import { hashPassword } from './password.ts'
import { USER_ROLE, UserModel, type UserRole } from './user.model.ts'

/** What makes a user; quotas in bytes, defaults from `user.*`. Without `channelName` the channel's name comes from the username. */
export type NewUser = {
  username: string
  password: string
  email: string
  role?: UserRole
  videoQuota?: number
  videoQuotaDaily?: number
  adminFlags?: number
  emailVerified?: boolean | null
  /** Of the account. */
  displayName?: string
  channelName?: string
  channelDisplayName?: string
}

/** A user with its account and first channel. */
export type CreatedUser = { id: number; accountId: number; channelId: number }

const MAX_NAME = 50
const TAKEN = 'User with this username or email already exists.'

/**
 * Creates a user, its account and its first channel, all or nothing. Throws 409 if the username, e-mail address or channel name is or was
 * in use.
 */
export async function createUser(user: NewUser, transaction?: Transaction): Promise<CreatedUser> {
  await refreshAdminOverrides()
  const slow = await prepare(user)
  if (transaction) return await store(user, slow, transaction)
  return await inTransaction(async transaction => await store(user, slow, transaction))
}

/** A stranger's registration. Throws 403 when `signup` is closed or its limit is reached. */
export async function registerUser(user: Omit<NewUser, 'role'>): Promise<CreatedUser> {
  await refreshAdminOverrides()
  await assertOpen()
  const slow = await prepare(user)
  return await inTransaction(async transaction => {
    // Asked again under the lock: of many who come at once only as many as fit pass.
    await lockLocalActorNames(transaction)
    await assertOpen(transaction)
    return await store(user, slow, transaction)
  })
}

/** Whether a registration would be taken now. */
export async function isSignupOpen(transaction?: Transaction): Promise<boolean> {
  const { enabled, limit } = config.signup
  if (!enabled || limit < 0) return enabled
  const [row] = await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM users`, transaction)
  return row!.count < limit
}

async function assertOpen(transaction?: Transaction): Promise<void> {
  if (await isSignupOpen(transaction)) return
  throw new Problem(403, null, 'This instance takes no registrations now: they are closed, or the limit of users is reached.')
}

/** What takes long and needs no connection: the hash and the keys. */
async function prepare(user: NewUser) {
  const [passwordHash, accountKeys, channelKeys] = await Promise.all([
    hashPassword(user.password),
    generateActorKeys(),
    generateActorKeys()
  ])
  return { passwordHash, accountKeys, channelKeys }
}

async function store(user: NewUser, slow: Awaited<ReturnType<typeof prepare>>, transaction: Transaction): Promise<CreatedUser> {
  await lockLocalActorNames(transaction)
  const { id } = await createRow(user, slow.passwordHash, transaction)
  const actor = await createLocalActor({ type: 'Person', name: user.username, keys: slow.accountKeys }, transaction)
  const account = await AccountModel.create({ actorId: actor.id, userId: id, name: user.displayName ?? user.username }, { transaction })
  const name = user.channelName ?? (await freeChannelName(user.username, transaction))
  const displayName = user.channelDisplayName ?? user.channelName ?? config.user.default_channel_name.replaceAll('$1', user.username)
  const channel = await createChannel({ accountId: account.id, name, displayName, keys: slow.channelKeys }, transaction)
  return { id, accountId: account.id, channelId: channel.id }
}

async function createRow(user: NewUser, passwordHash: string, transaction: Transaction): Promise<UserModel> {
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
      { transaction }
    )
  } catch (error) {
    throw error instanceof UniqueConstraintError ? new Problem(409, null, TAKEN) : error
  }
}

/** `NAME_channel`, or with a number behind it when that is or was in use. */
async function freeChannelName(username: string, transaction: Transaction): Promise<string> {
  for (let number = 0; ; number++) {
    const ending = number === 0 ? '_channel' : `_channel_${number}`
    const name = username.slice(0, MAX_NAME - ending.length) + ending
    if (!(await isLocalActorNameTaken(name, transaction))) return name
  }
}
