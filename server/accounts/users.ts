import { UniqueConstraintError, type Transaction } from 'sequelize'
import { transaction } from '../core/transaction.ts'
import { attemptLimit } from '../core/attempt-limit.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { AccountModel } from '../actors/account.model.ts'
import { ActorModel } from '../actors/actor.model.ts'
import { removeLocalActor } from '../actors/local-actors.ts'
import { sendActorUpdate } from '../actors/actor.outbox.ts'
import { removeAccountChannels } from '../channels/channels.ts'
import { assertCurrentPassword } from './check-password.ts'
import { hashPassword } from './password.ts'
import { isFreshLogin } from './sessions.query.ts'
import { revokeAllUserSessions } from './tokens.ts'
import { UserModel } from './user.model.ts'
import { canGiveRole, canManageUser, isRootUser } from './user.policy.ts'

/** A request of a user about itself: its id, the access token and the IP address. */
export type OwnRequest = { id: number; token: string | null; ip: string | undefined }

const triedEmails = attemptLimit('signup')

/** The changes of a user that administrators and moderators may make. */
export type UserChanges = Partial<Pick<UserModel, 'email' | 'emailVerified' | 'role' | 'videoQuota' | 'videoQuotaDaily' | 'adminFlags'>> & {
  password?: string
}

/** The changes that users may make to themselves; a new password or e-mail address needs `currentPassword`. */
export type OwnUserChanges = Partial<
  Pick<
    UserModel,
    | 'email'
    | 'emailPublic'
    | 'nsfwPolicy'
    | 'p2pEnabled'
    | 'videosHistoryEnabled'
    | 'autoPlayVideo'
    | 'autoPlayNextVideo'
    | 'autoPlayNextVideoPlaylist'
    | 'videoLanguages'
    | 'language'
    | 'theme'
    | 'noInstanceConfigWarningModal'
    | 'noWelcomeModal'
    | 'noAccountSetupWarningModal'
  >
> & { password?: string; currentPassword?: string; displayName?: string; description?: string | null }

/** Finds a user whom the viewer may manage. Throws 404, 403. */
export async function findManagedUser(id: number, viewer: Viewer): Promise<UserModel> {
  const user = await UserModel.findByPk(id)
  if (!user) throw notFound('User')
  if (!canManageUser(viewer, user))
    throw new Problem(403, null, 'A moderator can only manage users who are neither moderators nor administrators.')
  return user
}

/**
 * Changes a user; a new password ends all sessions, except that of the viewer (the access token `token`). Throws 400 for the role of root, 403
 * for a role that the viewer may not give and for what opens the account of root to somebody else, 409 for an e-mail address in use.
 */
export async function updateUser(
  user: UserModel,
  { password, ...changes }: UserChanges,
  { viewer, token }: { viewer: Viewer; token: string | null }
): Promise<void> {
  if (changes.role !== undefined && changes.role !== user.role) {
    if (isRootUser(user)) throw new Problem(400, null, 'The role of the root user cannot be changed.')
    if (!canGiveRole(viewer, changes.role))
      throw new Problem(403, null, 'Only administrators give the roles of moderators and administrators.')
  }
  const opensAccount = password !== undefined || (changes.email !== undefined && changes.email !== user.email)
  if (isRootUser(user) && viewer.id !== user.id && opensAccount)
    throw new Problem(403, 'root_only', 'Only root changes the password and the e-mail address of root, or scripts/start --reset-password.')
  const passwordHash = password === undefined ? undefined : await hashPassword(password)
  await saveUser(user, { ...changes, passwordHash }, token)
}

/**
 * Changes the viewer's own user and account; a new password ends all sessions except the one with the access token `token`. Throws 400 or 401
 * current_password_is_invalid, 409 for an e-mail address in use, 429 beyond `rates_limit.login` wrong passwords or `rates_limit.signup` addresses.
 */
export async function updateOwnUser(
  { id, token, ip }: OwnRequest,
  { password, currentPassword, displayName, description, email, ...changes }: OwnUserChanges
): Promise<void> {
  const user = await UserModel.findByPk(id, { rejectOnEmpty: true })
  const newEmail = email !== undefined && email !== user.email ? email : undefined
  // Forms send an address that has not changed without a password; a wrong password is refused all the same.
  if (password !== undefined || newEmail !== undefined || (email !== undefined && currentPassword !== undefined))
    await assertCurrentPassword(user, currentPassword, ip)
  // Whether it is changed tells whether the address has an account, as at sign-up.
  if (newEmail !== undefined) await triedEmails.count({ subject: 'email', ip })
  const passwordHash = password === undefined ? undefined : await hashPassword(password)
  const emailVerified = newEmail === undefined ? undefined : null
  await saveUser(user, { ...changes, email: newEmail, emailVerified, passwordHash }, token, async tx => {
    if (displayName === undefined && description === undefined) return
    await AccountModel.update({ name: displayName, description }, { where: { userId: id }, transaction: tx })
    const account = await AccountModel.findOne({ where: { userId: id }, transaction: tx, rejectOnEmpty: true })
    await sendActorUpdate(account.actorId, tx)
  })
}

/** Blocks a user and ends all of its sessions. Throws 400 for root and for the viewer itself. */
export async function blockUser(user: UserModel, viewer: Viewer, reason: string | undefined): Promise<void> {
  if (isRootUser(user)) throw new Problem(400, null, 'Cannot block the root user')
  if (user.id === viewer.id) throw new Problem(400, null, 'You cannot block yourself.')
  await transaction(async tx => {
    await user.update({ blocked: true, blockedReason: reason ?? null }, { transaction: tx })
    await revokeAllUserSessions(user.id, tx)
  })
}

/** Lets a blocked user log in again. */
export async function unblockUser(user: UserModel): Promise<void> {
  await user.update({ blocked: false, blockedReason: null })
}

/**
 * Removes the viewer's own user, as `removeUser`. A login of the last minutes (`FRESH_LOGIN`) is enough, but a password that is given must be
 * right. Throws 400 for root, 401 current_password_is_invalid, 403 current_password_required, 429 as `checkUserPassword`.
 */
export async function removeOwnUser({ id, token, ip }: OwnRequest, currentPassword: string | undefined): Promise<void> {
  const user = await UserModel.findByPk(id, { rejectOnEmpty: true })
  if (isRootUser(user)) throw new Problem(400, null, 'You cannot delete your root account.')
  if (currentPassword !== undefined) await assertCurrentPassword(user, currentPassword, ip)
  else if (token === null || !(await isFreshLogin(token)))
    throw new Problem(
      403,
      'current_password_required',
      'Send currentPassword, or log in again: the login is too old to delete the account.'
    )
  await removeUser(user)
}

/** Removes a user with its account, channels and videos; their names are never available again. */
export async function removeUser(user: Pick<UserModel, 'id'>): Promise<void> {
  await transaction(async tx => {
    // The lock lets only one of two concurrent removals find the account.
    const account = await AccountModel.findOne({ where: { userId: user.id }, transaction: tx, lock: tx.LOCK.UPDATE })
    if (!account) return
    await removeAccountChannels(account.id, tx)
    await removeLocalActor(await ActorModel.findByPk(account.actorId, { transaction: tx, rejectOnEmpty: true }), tx)
    await UserModel.destroy({ where: { id: user.id }, transaction: tx })
  })
}

async function saveUser(
  user: UserModel,
  changes: Partial<UserModel>,
  keptToken: string | null,
  saveMore: (tx: Transaction) => Promise<void> = async () => undefined
): Promise<void> {
  try {
    await transaction(async tx => {
      await user.update(Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)), { transaction: tx })
      if (changes.passwordHash !== undefined) await revokeAllUserSessions(user.id, tx, keptToken)
      await saveMore(tx)
    })
  } catch (error) {
    throw error instanceof UniqueConstraintError ? new Problem(409, null, 'User with this username or email already exists.') : error
  }
}
