import { UniqueConstraintError, type Transaction } from 'sequelize'
import { transaction } from '../core/transaction.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { AccountModel } from '../actors/account.model.ts'
import { ActorModel } from '../actors/actor.model.ts'
import { removeLocalActor } from '../actors/local-actors.ts'
import { sendActorUpdate } from '../actors/actor.outbox.ts'
import { removeAccountChannels } from '../channels/channels.ts'
import { hashPassword, matchesPassword } from './password.ts'
import { revokeAllUserSessions } from './tokens.ts'
import { UserModel } from './user.model.ts'
import { canGiveRole, canManageUser, isRootUser } from './user.policy.ts'

/** What administrators change of a user. */
export type UserChanges = Partial<Pick<UserModel, 'email' | 'emailVerified' | 'role' | 'videoQuota' | 'videoQuotaDaily' | 'adminFlags'>> & {
  password?: string
}

/** What users change of themselves; `currentPassword` is needed for a new password or e-mail address. */
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

/** A user the viewer may manage. Throws 404, 403. */
export async function findManagedUser(id: number, viewer: Viewer): Promise<UserModel> {
  const user = await UserModel.findByPk(id)
  if (!user) throw notFound('User')
  if (!canManageUser(viewer, user))
    throw new Problem(403, null, 'A moderator can only manage users who are neither moderators nor administrators.')
  return user
}

/**
 * Changes a user; a new password ends all sessions. Throws 400 for root's role, 403 for a role the viewer may not give, 409 for a taken
 * address.
 */
export async function updateUser(user: UserModel, { password, ...changes }: UserChanges, viewer: Viewer): Promise<void> {
  if (changes.role !== undefined && changes.role !== user.role) {
    if (isRootUser(user)) throw new Problem(400, null, 'The role of the root user cannot be changed.')
    if (!canGiveRole(viewer, changes.role))
      throw new Problem(403, null, 'Only administrators give the roles of moderators and administrators.')
  }
  const passwordHash = password === undefined ? undefined : await hashPassword(password)
  await store(user, { ...changes, passwordHash })
}

/** Changes the own user and account. Throws 400 or 401 current_password_is_invalid, 409 for a taken address. */
export async function updateOwnUser(
  id: number,
  { password, currentPassword, displayName, description, email, ...changes }: OwnUserChanges
): Promise<void> {
  const user = await UserModel.findByPk(id, { rejectOnEmpty: true })
  const newEmail = email !== undefined && email !== user.email ? email : undefined
  if (password !== undefined || newEmail !== undefined) await assertCurrentPassword(user, currentPassword)
  const passwordHash = password === undefined ? undefined : await hashPassword(password)
  const emailVerified = newEmail === undefined ? undefined : null
  await store(user, { ...changes, email: newEmail, emailVerified, passwordHash }, async transaction => {
    if (displayName === undefined && description === undefined) return
    await AccountModel.update({ name: displayName, description }, { where: { userId: id }, transaction })
    const account = await AccountModel.findOne({ where: { userId: id }, transaction, rejectOnEmpty: true })
    await sendActorUpdate(account.actorId, transaction)
  })
}

/** Blocks a user: all sessions end at once. Throws 400 for root and for the viewer itself. */
export async function blockUser(user: UserModel, viewer: Viewer, reason: string | undefined): Promise<void> {
  if (isRootUser(user)) throw new Problem(400, null, 'Cannot block the root user')
  if (user.id === viewer.id) throw new Problem(400, null, 'You cannot block yourself.')
  await transaction(async transaction => {
    await user.update({ blocked: true, blockedReason: reason ?? null }, { transaction })
    await revokeAllUserSessions(user.id, transaction)
  })
}

/** Lets a blocked user log in again. */
export async function unblockUser(user: UserModel): Promise<void> {
  await user.update({ blocked: false, blockedReason: null })
}

/** Removes a user with its account, channels and videos; the names are never given again. */
export async function removeUser(user: Pick<UserModel, 'id'>): Promise<void> {
  await transaction(async transaction => {
    // The lock lets only one of two removals at once find the account.
    const account = await AccountModel.findOne({ where: { userId: user.id }, transaction, lock: transaction.LOCK.UPDATE })
    if (!account) return
    await removeAccountChannels(account.id, transaction)
    await removeLocalActor(await ActorModel.findByPk(account.actorId, { transaction, rejectOnEmpty: true }), transaction)
    await UserModel.destroy({ where: { id: user.id }, transaction })
  })
}

/** Throws 400 without the password, 401 current_password_is_invalid with a wrong one. */
async function assertCurrentPassword(user: UserModel, password: string | undefined): Promise<void> {
  if (password === undefined) throw new Problem(400, null, 'The current password is needed to change the password or the e-mail address.')
  if (!(await matchesPassword(password, user.passwordHash)))
    throw new Problem(401, 'current_password_is_invalid', 'currentPassword is invalid.')
}

async function store(
  user: UserModel,
  changes: Partial<UserModel>,
  also: (transaction: Transaction) => Promise<void> = async () => undefined
): Promise<void> {
  try {
    await transaction(async transaction => {
      await user.update(Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined)), { transaction })
      if (changes.passwordHash !== undefined) await revokeAllUserSessions(user.id, transaction)
      await also(transaction)
    })
  } catch (error) {
    throw error instanceof UniqueConstraintError ? new Problem(409, null, 'User with this username or email already exists.') : error
  }
}
