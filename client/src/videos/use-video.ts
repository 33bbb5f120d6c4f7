import { useEffect, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { ApiError, isMissing } from '../api-error.ts'
import type { Source } from '../player/source.ts'
import { readForTab, writeForTab } from '../browser-storage.ts'
import { useAnswer } from '../use-query.ts'
import { openSourceOf, passwordHeader, sourceOf } from './player-source.ts'

/** Why a video is not shown: it does not exist, a login may help, it is not for this viewer, it wants its password. */
export type Barrier = 'missing' | 'login' | 'forbidden' | 'password' | 'wrongPassword' | 'tooMany' | 'failed'

type State = {
  video: VideoDetails | null
  source: Source | null
  barrier: Barrier | null
  /** What opens the video besides a login: its password. */
  headers: Record<string, string> | undefined
  unlock: (password: string) => void
  reload: () => void
  renew: () => Promise<Source | null>
}

/** A video and what plays it, through every barrier there may be. */
export function useVideo(id: string): State {
  const [password, setPassword] = useState<string | null>(() => readForTab(`password.${id}`))
  const { data: video, error, reload, change } = useAnswer('GET /videos/:id', { params: { id }, headers: passwordHeader(password) })
  const [source, setSource] = useState<{ of: string; is: Source } | null>(null)
  const key = video && `${video.uuid} ${video.privacy.id} ${video.streamingPlaylists[0]?.playlistUrl}`

  useEffect(() => {
    if (!video || openSourceOf(video)) return
    if (password !== null) writeForTab(`password.${id}`, password)
    let current = true
    const open = async () => {
      // The player's place says that nothing plays.
      const is = await sourceOf(video, password).catch(() => null)
      if (current && is) setSource({ of: key!, is })
    }
    void open()
    return () => {
      current = false
    }
  }, [key, password])

  return {
    video,
    headers: passwordHeader(password),
    barrier: error ? barrierOf(error) : null,
    unlock: setPassword,
    reload,
    source: video && (openSourceOf(video) ?? (source?.of === key ? source.is : null)),
    renew: async () => {
      const fresh = await api('GET /videos/:id', { params: { id }, headers: passwordHeader(password) })
      change(fresh)
      return await sourceOf(fresh, password)
    }
  }
}

function barrierOf(error: unknown): Barrier {
  if (isMissing(error)) return 'missing'
  if (!(error instanceof ApiError)) return 'failed'
  if (error.code === 'video_requires_password') return 'password'
  if (error.code === 'incorrect_video_password') return 'wrongPassword'
  if (error.status === 429) return 'tooMany'
  return error.status === 401 ? 'login' : error.status === 403 ? 'forbidden' : 'failed'
}
