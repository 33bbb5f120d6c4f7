import { useEffect, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { ApiError, isNotFoundError } from '../api-error.ts'
import type { PlayerSource } from '../player/source.ts'
import { readSessionStorage, writeSessionStorage } from '../browser-storage.ts'
import { useQuery } from '../use-query.ts'
import { publicPlayerSource, videoPasswordHeader, loadPlayerSource } from './player-source.ts'

/** Why a video is not shown: it does not exist, a login may help, it is not for this viewer, it wants its password. */
export type UnavailableReason = 'missing' | 'login' | 'forbidden' | 'password' | 'wrongPassword' | 'tooMany' | 'failed'

type State = {
  video: VideoDetails | null
  source: PlayerSource | null
  barrier: UnavailableReason | null
  /** What opens the video besides a login: its password. */
  headers: Record<string, string> | undefined
  unlock: (password: string) => void
  reload: () => void
  renew: () => Promise<PlayerSource | null>
}

/** A video and what plays it, through every barrier there may be. */
export function useVideo(id: string): State {
  const [password, setPassword] = useState<string | null>(() => readSessionStorage(`password.${id}`))
  const { data: video, error, reload, change } = useQuery('GET /videos/:id', { params: { id }, headers: videoPasswordHeader(password) })
  const [source, setSource] = useState<{ of: string; is: PlayerSource } | null>(null)
  const key = video && `${video.uuid} ${video.privacy.id} ${video.streamingPlaylists[0]?.playlistUrl}`

  useEffect(() => {
    if (!video || publicPlayerSource(video)) return
    if (password !== null) writeSessionStorage(`password.${id}`, password)
    let current = true
    const open = async () => {
      // The player's place says that nothing plays.
      const is = await loadPlayerSource(video, password).catch(() => null)
      if (current && is) setSource({ of: key!, is })
    }
    void open()
    return () => {
      current = false
    }
  }, [key, password])

  return {
    video,
    headers: videoPasswordHeader(password),
    barrier: error ? barrierOf(error) : null,
    unlock: setPassword,
    reload,
    source: video && (publicPlayerSource(video) ?? (source?.of === key ? source.is : null)),
    renew: async () => {
      const fresh = await api('GET /videos/:id', { params: { id }, headers: videoPasswordHeader(password) })
      change(fresh)
      return await loadPlayerSource(fresh, password)
    }
  }
}

function barrierOf(error: unknown): UnavailableReason {
  if (isNotFoundError(error)) return 'missing'
  if (!(error instanceof ApiError)) return 'failed'
  if (error.code === 'video_requires_password') return 'password'
  if (error.code === 'incorrect_video_password') return 'wrongPassword'
  if (error.status === 429) return 'tooMany'
  return error.status === 401 ? 'login' : error.status === 403 ? 'forbidden' : 'failed'
}
