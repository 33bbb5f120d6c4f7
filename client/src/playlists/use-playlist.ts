import { useEffect, useState } from 'preact/hooks'
import type { VideoPlaylist, VideoPlaylistElement } from '../../../shared/playlists.ts'
import { api } from '../api.ts'
import { useQuery } from '../use-query.ts'
import { withoutElements } from './playlist-order.ts'

const PAGE_SIZE = 100

type PlaylistState = {
  playlist: VideoPlaylist | null
  elements: VideoPlaylistElement[]
  /** Whether all elements are loaded. */
  complete: boolean
  error: unknown
  reload: () => void
  /** Takes an element that the server has removed out of the list. */
  forgetElement: (id: number) => void
}

/** A playlist with its elements in their order, loaded page by page until the last one. */
export function usePlaylist(id: string): PlaylistState {
  const params = { playlistId: id }
  const { data: playlist, error, reload } = useQuery('GET /video-playlists/:playlistId', { params })
  const {
    data: first,
    error: elementsError,
    reload: reloadElements
  } = useQuery('GET /video-playlists/:playlistId/videos', { params, query: { start: 0, count: PAGE_SIZE } })
  const [rest, setRest] = useState<{ first: unknown; data: VideoPlaylistElement[]; complete: boolean; error: unknown } | null>(null)
  // The rest of a list from which something was removed cannot be loaded by its old positions, so what is loaded stays, less that.
  const [removed, setRemoved] = useState<{ first: unknown; ids: ReadonlySet<number> }>({ first: null, ids: new Set() })

  useEffect(() => {
    if (!first) return
    let current = true
    const load = async () => {
      const data: VideoPlaylistElement[] = []
      let end = first.data.length < PAGE_SIZE
      try {
        while (!end && current) {
          const page = await api('GET /video-playlists/:playlistId/videos', {
            params,
            query: { start: first.data.length + data.length, count: PAGE_SIZE }
          })
          data.push(...page.data)
          end = page.data.length < PAGE_SIZE
        }
        if (current) setRest({ first, data, complete: true, error: null })
      } catch (failure) {
        if (current) setRest({ first, data, complete: false, error: failure })
      }
    }
    void load()
    return () => {
      current = false
    }
  }, [first])

  const loadedRest = rest !== null && rest.first === first ? rest : null
  const removedIds: ReadonlySet<number> = removed.first === first ? removed.ids : new Set()
  return {
    playlist: playlist && { ...playlist, videosLength: playlist.videosLength - removedIds.size },
    elements: withoutElements([...(first?.data ?? []), ...(loadedRest?.data ?? [])], removedIds),
    complete: loadedRest?.complete ?? false,
    error: error ?? elementsError ?? loadedRest?.error ?? null,
    reload: () => {
      reload()
      reloadElements()
    },
    forgetElement: elementId => setRemoved({ first, ids: new Set([...removedIds, elementId]) })
  }
}
