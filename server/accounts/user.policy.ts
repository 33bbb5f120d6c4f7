import type { Viewer } from '../core/route.ts'
import { USER_ROLE, ROOT_USERNAME, type UserRole, type UserModel } from './user.model.ts'

type Somebody = Pick<UserModel, 'id' | 'username' | 'role'>

/** Administrators manage everybody; moderators manage ordinary users, not each other and not administrators. */
export const canManageUser = (viewer: Viewer, user: Somebody): boolean =>
  viewer.role === USER_ROLE.ADMINISTRATOR || (viewer.role === USER_ROLE.MODERATOR && user.role === USER_ROLE.USER)

/** Administrators give any role; moderators make ordinary users only. */
export const canGiveRole = (viewer: Viewer, role: UserRole): boolean => viewer.role === USER_ROLE.ADMINISTRATOR || role === USER_ROLE.USER

/** Root stays: it is not blocked, not removed, and keeps its role. */
export const isRootUser = (user: Pick<UserModel, 'username'>): boolean => user.username === ROOT_USERNAME

/** Everybody sees and ends the own sessions, and those of users they manage. */
export const canSeeSessions = (viewer: Viewer, user: Somebody): boolean => viewer.id === user.id || canManageUser(viewer, user)
