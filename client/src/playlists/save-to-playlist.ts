import { api } from '../api.ts'
import { isNotFoundError } from '../api-error.ts'
import { elementsOf } from './watch-later.ts'

/** Adds a video to a playlist if it is not there, or removes it wherever it is; it may have been saved or removed in another tab before. */
export async function saveToPlaylist(video: { id: number; uuid: string }, playlistId: number, save: boolean): Promise<void> {
  const elements = elementsOf(
    await api('GET /users/me/video-playlists/videos-exist', { query: { videoIds: [video.id] } }),
    video,
    playlistId
  )
  if (save) {
    if (elements.length === 0)
      await api('POST /video-playlists/:playlistId/videos', { params: { playlistId }, body: { videoId: video.uuid } })
    return
  }
  for (const { playlistElementId } of elements) {
    try {
      await api('DELETE /video-playlists/:playlistId/videos/:elementId', { params: { playlistId, elementId: playlistElementId } })
    } catch (error) {
      if (!isNotFoundError(error)) throw error
    }
  }
}
