import type { Viewer } from '../core/route.ts'
import { USER_ROLE, ROOT_USERNAME, type UserRole, type UserModel } from './user.model.ts'

type UserIdentity = Pick<UserModel, 'id' | 'username' | 'role'>

/** Administrators manage every user; moderators manage users who are neither moderators nor administrators. */
export const canManageUser = (viewer: Viewer, user: Pick<UserIdentity, 'role'>): boolean =>
  viewer.role === USER_ROLE.ADMINISTRATOR || (viewer.role === USER_ROLE.MODERATOR && user.role === USER_ROLE.USER)

/** Administrators can give any role; moderators can only create users without a special role. */
export const canGiveRole = (viewer: Viewer, role: UserRole): boolean => viewer.role === USER_ROLE.ADMINISTRATOR || role === USER_ROLE.USER

/** Whether the user is root, which cannot be blocked or removed and keeps its role. */
export const isRootUser = (user: Pick<UserModel, 'username'>): boolean => user.username === ROOT_USERNAME

/** Users can list and end their own sessions and those of users whom they manage. */
export const canSeeSessions = (viewer: Viewer, user: UserIdentity): boolean => viewer.id === user.id || canManageUser(viewer, user)
