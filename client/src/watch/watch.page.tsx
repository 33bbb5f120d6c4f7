import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import { Comments } from '../comments/comments.tsx'
import { t } from '../i18n/i18n.ts'
import { Player, type PlayerHandle } from '../player/player.tsx'
import { currentUser } from '../session.ts'
import { useTitle } from '../page/title.ts'
import { useStagedHydration, ServerRendered } from '../page/staged-hydration.tsx'
import { EmptyState } from '../ui/feedback.tsx'
import { VideoUnavailable } from '../videos/video-unavailable.tsx'
import { VideoInfo } from './video-info.tsx'
import { MoreVideos } from './more-videos.tsx'
import { PUBLISHED_STATE_ID, videoPasswordHeader } from '../videos/player-source.ts'
import { parseStartTime } from '../videos/parse-start-time.ts'
import { parseSubtitle } from '../videos/parse-subtitle.ts'
import { useVideo } from '../videos/use-video.ts'
import '../videos/watch.css'

/** Milliseconds. */
const POLL_INTERVAL = 4000

/** Whether this document was opened from a page of this site, as those of remote videos are. */
const isFollowedLink = document.referrer.startsWith(`${location.origin}/`)

/** The watch page: player, information, comments and other videos. */
export default function WatchPage(): JSX.Element {
  const {
    params: { id = '' },
    query
  } = useRoute()
  const { video, source, password, unavailableReason, originUrl, unlock, reload, renew } = useVideo(id)
  const renderedParts = useStagedHydration(5)
  const [wide, setWide] = useState(false)
  const player = useRef<{ uuid: string; handle: PlayerHandle } | null>(null)
  const { route } = useLocation()
  const waitingForFiles = video !== null && video.streamingPlaylists.length + video.files.length === 0 && video.state.id !== 7
  useTitle(video?.name ?? (unavailableReason ? t(unavailableReason === 'missing' ? 'unavailable.missing' : 'watch.closed') : null))
  useEffect(() => {
    if (video && id !== video.shortUUID) route(`/w/${video.shortUUID}${location.search}${location.hash}`, true)
  }, [video?.shortUUID])
  useEffect(() => {
    if (!waitingForFiles) return
    const timer = setInterval(reload, POLL_INTERVAL)
    return () => clearInterval(timer)
  }, [waitingForFiles])
  // Autoplay only after a navigation by the user: without user activation the browser refuses to play audio.
  const [autoplay] = useState(() => navigator.userActivation?.hasBeenActive === true && currentUser.peek()?.autoPlayVideo !== false)

  if (unavailableReason && !video)
    return (
      <div class="page">
        <VideoUnavailable reason={unavailableReason} originUrl={originUrl} onUnlock={unlock} onRetry={reload} />
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
  const playerArea = source ? (
    <Player
      key={video.uuid}
      source={source}
      autoplay={autoplay || (!video.isLocal && isFollowedLink)}
      start={parseStartTime(query.start)}
      subtitle={parseSubtitle(query.subtitle)}
      onHandleChange={handle => {
        player.current = { uuid: video.uuid, handle }
      }}
      pageKeys
      wide={wide}
      onWide={() => setWide(before => !before)}
      renew={renew}
    />
  ) : (
    <div class="player watch-nothing">
      {waitingForFiles ? (
        <EmptyState icon="film" title={t('watch.preparing')}>
          <p>{t('watch.preparingText')}</p>
        </EmptyState>
      ) : (
        video.state.id !== PUBLISHED_STATE_ID && <EmptyState icon="alert" title={t('watch.broken')} />
      )}
    </div>
  )
  const shownInPlayer = () => {
    const handle = player.current?.uuid === video.uuid ? player.current.handle : null
    return { time: handle?.playback.time.peek() ?? 0, caption: handle?.tracks.caption ?? null }
  }
  return (
    <div class={`watch ${wide ? 'watch-wide' : ''}`}>
      {renderedParts < 1 ? <ServerRendered class="watch-stage" /> : <div class="watch-stage">{playerArea}</div>}
      {renderedParts < 3 ? (
        <ServerRendered class="watch-main" />
      ) : (
        <div class="watch-main">
          <VideoInfo video={video} shownInPlayer={shownInPlayer} password={password} />
          {renderedParts > 3 ? (
            <Comments key={video.uuid} video={video} headers={videoPasswordHeader(password)} />
          ) : (
            <div class="watch-placeholder watch-placeholder-comments" />
          )}
        </div>
      )}
      {renderedParts < 5 ? (
        <ServerRendered class="watch-side" />
      ) : (
        <aside class="watch-side">
          <MoreVideos video={video} />
        </aside>
      )}
    </div>
  )
}
