import type { Viewer } from '../core/route.ts'

type ChannelOwnership = { ownerUserId: number | null; ownerRole: number | null; local: boolean }

/** A local channel is managed by its owner, by administrators, and by moderators if a user without a role owns it. */
export const canManageChannel = (viewer: Viewer, channel: ChannelOwnership): boolean =>
  channel.local && (viewer.id === channel.ownerUserId || viewer.role === 0 || (viewer.role === 1 && channel.ownerRole === 2))
