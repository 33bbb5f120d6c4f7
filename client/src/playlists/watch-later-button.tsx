import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import type { VideoDetails } from '../../../shared/videos.ts'
import { apiErrorText } from '../api-error-text.ts'
import { isLoggedIn } from '../credentials.ts'
import { t } from '../i18n/i18n.ts'
import { currentUser } from '../session.ts'
import { Button, ButtonLink } from '../ui/button.tsx'
import { showToast } from '../ui/toast.tsx'
import { useQuery } from '../use-query.ts'
import { VIDEO_PRIVACY_IDS } from '../videos/player-source.ts'
import { elementsOf, watchLaterPlaylistId } from './watch-later.ts'

/** Saves a video to the user's playlist to watch later, or removes it; guests get a link to the login. */
export function WatchLaterButton({ video }: { video: VideoDetails }): JSX.Element | null {
  const { url } = useLocation()
  const user = currentUser.value
  const playlistId = watchLaterPlaylistId(user)
  const query = { videoIds: [video.id] }
  const { data, loading } = useQuery('GET /users/me/video-playlists/videos-exist', playlistId === null ? null : { query })
  const [busy, setBusy] = useState(false)
  const [changedTo, setChangedTo] = useState<boolean | null>(null)
  // The playlist shows no video that its owner may watch only with a password or as a moderator.
  const isPrivate = video.privacy.id === VIDEO_PRIVACY_IDS.private || video.privacy.id === VIDEO_PRIVACY_IDS.password
  if (isPrivate && user?.account.id !== video.account.id) return null
  if (!isLoggedIn.value)
    return (
      <ButtonLink icon="clock" title={t('playlist.saveLater')} href={`/login?next=${encodeURIComponent(url)}`}>
        {t('playlist.watchLater')}
      </ButtonLink>
    )
  if (playlistId === null) return null

  const saved = changedTo ?? elementsOf(data, video, playlistId).length > 0
  const save = async () => {
    setBusy(true)
    try {
      // Loaded when it is needed: the page of a video is to be small.
      await (await import('./save-to-playlist.ts')).saveToPlaylist(video, playlistId, !saved)
      setChangedTo(!saved)
    } catch (error) {
      showToast(apiErrorText(error), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  return (
    <Button
      icon={saved ? 'check' : 'clock'}
      class={saved ? 'watch-later-on' : ''}
      title={t(saved ? 'playlist.removeLater' : 'playlist.saveLater')}
      busy={busy || loading}
      aria-pressed={saved}
      onClick={() => void save()}
    >
      {t('playlist.watchLater')}
    </Button>
  )
}
