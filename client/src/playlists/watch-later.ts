import type { User } from '../../../shared/accounts.ts'

/** The type of the playlist to watch later, which every user has. */
export const WATCH_LATER_TYPE = 2

/** Returns the id of the user's playlist to watch later; null without a user, or while it is not known. */
export function watchLaterPlaylistId(user: User | null): number | null {
  return user?.specialPlaylists?.find(({ type }) => type === WATCH_LATER_TYPE)?.id ?? null
}

type ElementsByVideo = Record<string, { playlistElementId: number; playlistId: number }[]>

/** Returns the elements of a playlist that are this video, of an answer of `GET /users/me/video-playlists/videos-exist`. */
export function elementsOf(answer: ElementsByVideo | null, video: { id: number }, playlistId: number): ElementsByVideo[string] {
  return (answer?.[video.id] ?? []).filter(element => element.playlistId === playlistId)
}
