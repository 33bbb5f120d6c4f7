import type { User } from '../../../shared/accounts.ts'

/** The type of the playlist to watch later, which every user has. */
export const WATCH_LATER_TYPE = 2

/** Returns the id of the user's playlist to watch later; null without a user, or while it is not known. */
export function watchLaterPlaylistId(user: User | null): number | null {
  return user?.specialPlaylists?.find(({ type }) => type === WATCH_LATER_TYPE)?.id ?? null
}
