import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import { Comments } from '../comments/comments.tsx'
import { t } from '../i18n/i18n.ts'
import { Player } from '../player/player.tsx'
import { currentUser } from '../session.ts'
import { useTitle } from '../shell/title.ts'
import { useStagedHydration, ServerRendered } from '../shell/staged-hydration.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import { VideoUnavailable } from './video-unavailable.tsx'
import { VideoInfo } from './video-info.tsx'
import { MoreVideos } from './more-videos.tsx'
import { PUBLISHED_STATE_ID } from './player-source.ts'
import { parseStartTime } from './parse-start-time.ts'
import { useVideo } from './use-video.ts'
import './watch.css'

const LOOK_AGAIN = 4000

/** A video with everything about it. */
export default function Watch(): JSX.Element {
  const {
    params: { id = '' },
    query
  } = useRoute()
  const { video, source, headers, barrier, unlock, reload, renew } = useVideo(id)
  const turn = useStagedHydration(5)
  const [wide, setWide] = useState(false)
  const { route } = useLocation()
  const waiting = video !== null && video.streamingPlaylists.length + video.files.length === 0 && video.state.id !== 7
  useTitle(video?.name ?? (barrier ? t(barrier === 'missing' ? 'barrier.missing' : 'watch.closed') : null))
  useEffect(() => {
    if (video && id !== video.shortUUID) route(`/w/${video.shortUUID}${location.search}`, true)
  }, [video?.shortUUID])
  useEffect(() => {
    if (!waiting) return
    const timer = setInterval(reload, LOOK_AGAIN)
    return () => clearInterval(timer)
  }, [waiting])
  // Whoever clicked to come here wants to see it; on a fresh page the browser would refuse the sound.
  const [autoplay] = useState(() => navigator.userActivation?.hasBeenActive === true && currentUser.peek()?.autoPlayVideo !== false)

  if (barrier && !video)
    return (
      <div class="page">
        <VideoUnavailable kind={barrier} onUnlock={unlock} onRetry={reload} />
      </div>
    )
  if (!video)
    return (
      <div class="watch" aria-busy="true">
        <div class="watch-stage">
          <div class="player" />
        </div>
      </div>
    )
  const stage = source ? (
    <Player
      key={video.uuid}
      source={source}
      autoplay={autoplay}
      start={parseStartTime(query.start)}
      pageKeys
      wide={wide}
      onWide={() => setWide(before => !before)}
      renew={renew}
    />
  ) : (
    <div class="player watch-nothing">
      {waiting ? (
        <EmptyState icon="film" title={t('watch.preparing')}>
          <p>{t('watch.preparingText')}</p>
        </EmptyState>
      ) : (
        video.state.id !== PUBLISHED_STATE_ID && <EmptyState icon="alert" title={t('watch.broken')} />
      )}
    </div>
  )
  return (
    <div class={`watch ${wide ? 'watch-wide' : ''}`}>
      {turn < 1 ? <ServerRendered class="watch-stage" /> : <div class="watch-stage">{stage}</div>}
      {turn < 3 ? (
        <ServerRendered class="watch-main" />
      ) : (
        <div class="watch-main">
          <VideoInfo video={video} password={source?.headers ? Object.values(source.headers)[0]! : null} />
          {turn > 3 ? <Comments key={video.uuid} video={video} headers={headers} /> : <div class="watch-room watch-room-comments" />}
        </div>
      )}
      {turn < 5 ? (
        <ServerRendered class="watch-side" />
      ) : (
        <aside class="watch-side">
          <MoreVideos video={video} />
        </aside>
      )}
    </div>
  )
}
