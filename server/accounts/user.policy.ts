import type { Viewer } from '../core/route.ts'
import { ROLE, ROOT, type Role, type User } from './user.model.ts'

type Somebody = Pick<User, 'id' | 'username' | 'role'>

/** Administrators manage everybody; moderators manage ordinary users, not each other and not administrators. */
export const canManage = (viewer: Viewer, user: Somebody): boolean =>
  viewer.role === ROLE.ADMINISTRATOR || (viewer.role === ROLE.MODERATOR && user.role === ROLE.USER)

/** Administrators give any role; moderators make ordinary users only. */
export const canGiveRole = (viewer: Viewer, role: Role): boolean => viewer.role === ROLE.ADMINISTRATOR || role === ROLE.USER

/** Root stays: it is not blocked, not removed, and keeps its role. */
export const isRoot = (user: Pick<User, 'username'>): boolean => user.username === ROOT

/** Everybody sees and ends the own sessions, and those of users they manage. */
export const canSeeSessions = (viewer: Viewer, user: Somebody): boolean => viewer.id === user.id || canManage(viewer, user)
