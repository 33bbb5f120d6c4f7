import { useEffect, useMemo, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { ApiError, isNotFoundError } from '../api-error.ts'
import type { PlayerSource } from '../player/source.ts'
import { readSessionStorage, writeSessionStorage } from '../browser-storage.ts'
import { useQuery } from '../use-query.ts'
import { pageThatPlays } from './media-policy.ts'
import { publicPlayerSource, videoPasswordHeader, loadPlayerSource } from './player-source.ts'

/** Why a video is not shown: it does not exist, requires a login, is forbidden or shown by its own server only, requires its password, or could not be loaded. */
export type UnavailableReason = 'missing' | 'login' | 'forbidden' | 'elsewhere' | 'password' | 'wrongPassword' | 'tooMany' | 'failed'

type VideoState = {
  video: VideoDetails | null
  source: PlayerSource | null
  unavailableReason: UnavailableReason | null
  /** The address of the video on its own server, where that is the place to watch it. */
  originUrl: string | null
  /** The password that was entered in this browser session; it may be wrong. */
  password: string | null
  unlock: (password: string) => void
  reload: () => void
  renew: () => Promise<PlayerSource | null>
}

/** A video with its player source, or the reason why it is unavailable; `unlock` tries a password, kept for the browser session. */
export function useVideo(id: string): VideoState {
  const [password, setPassword] = useState<string | null>(() => readSessionStorage(`password.${id}`))
  const { data, error, reload, change } = useQuery('GET /videos/:id', { params: { id }, headers: videoPasswordHeader(password) })
  const video = useMemo(() => data && withoutUploadedFile(data), [data])
  const [loaded, setLoaded] = useState<{ key: string; source: PlayerSource } | null>(null)
  const otherPage = video && pageThatPlays(video)
  useEffect(() => {
    if (otherPage !== null) location.replace(otherPage)
  }, [otherPage])
  const key = video && `${video.uuid} ${video.privacy.id} ${video.streamingPlaylists[0]?.playlistUrl}`

  useEffect(() => {
    if (!video || publicPlayerSource(video)) return
    if (password !== null) writeSessionStorage(`password.${id}`, password)
    let current = true
    const loadSource = async () => {
      // On failure the page shows an empty player area.
      const source = await loadPlayerSource(video, password).catch(() => null)
      if (current && source) setLoaded({ key: key!, source })
    }
    void loadSource()
    return () => {
      current = false
    }
  }, [key, password])

  return {
    video,
    password,
    unavailableReason: error ? unavailableReasonOf(error) : null,
    originUrl: error instanceof ApiError ? error.originUrl : null,
    unlock: setPassword,
    reload,
    source: video && otherPage === null ? (publicPlayerSource(video) ?? (loaded?.key === key ? loaded.source : null)) : null,
    renew: async () => {
      const updatedVideo = await api('GET /videos/:id', { params: { id }, headers: videoPasswordHeader(password) })
      change(updatedVideo)
      return await loadPlayerSource(withoutUploadedFile(updatedVideo), password)
    }
  }
}

/** The uploaded file, which its owner finds among the files until one is encoded, is not what viewers will see. */
function withoutUploadedFile(video: VideoDetails): VideoDetails {
  return { ...video, files: video.files.filter(file => !file.isOriginal) }
}

function unavailableReasonOf(error: unknown): UnavailableReason {
  if (isNotFoundError(error)) return 'missing'
  if (!(error instanceof ApiError)) return 'failed'
  if (error.code === 'does_not_respect_follow_constraints') return 'elsewhere'
  if (error.code === 'video_requires_password') return 'password'
  if (error.code === 'incorrect_video_password') return 'wrongPassword'
  if (error.status === 429) return 'tooMany'
  return error.status === 401 ? 'login' : error.status === 403 ? 'forbidden' : 'failed'
}
