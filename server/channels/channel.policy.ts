import type { Viewer } from '../core/route.ts'

type Owned = { ownerUserId: number | null; ownerRole: number | null; local: boolean }

/** Its owner changes a channel of this instance; administrators may, and moderators where an ordinary user owns it. */
export const canManageChannel = (viewer: Viewer, channel: Owned): boolean =>
  channel.local && (viewer.id === channel.ownerUserId || viewer.role === 0 || (viewer.role === 1 && channel.ownerRole === 2))
