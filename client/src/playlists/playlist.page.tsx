import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import type { VideoPlaylist } from '../../../shared/playlists.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { Player } from '../player/player.tsx'
import { useTitle } from '../shell/title.ts'
import { ButtonLink } from '../ui/button.tsx'
import { EmptyState, ErrorState } from '../ui/feedback.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { useVideo } from '../videos/use-video.ts'
import { channelPath, CompactVideoCard } from '../videos/video-card.tsx'
import { VideoUnavailable } from '../videos/video-unavailable.tsx'
import { elementAtPosition, neighbourElement, parsePlaylistPosition, type PlayableElement } from './playlist-order.ts'
import { usePlaylist } from './use-playlist.ts'
import '../videos/watch.css'
import './playlist.css'

/** The page of a playlist: the video at `playlistPosition`, which the next one follows, and the list of all. */
export default function PlaylistPage(): JSX.Element {
  const {
    params: { id = '' },
    query
  } = useRoute()
  const { route } = useLocation()
  const { playlist, elements, complete, error, reload } = usePlaylist(id)
  const [movedOn, setMovedOn] = useState(false)
  useTitle(playlist ? playlistTitle(playlist) : null)
  if (!playlist)
    return (
      <div class="page" aria-busy={error === null}>
        {error !== null && <PlaylistUnavailable error={error} onRetry={reload} />}
      </div>
    )
  const current = elementAtPosition(elements, parsePlaylistPosition(query.playlistPosition))
  const pathOf = ({ position }: { position: number }) => `/w/p/${playlist.shortUUID}?playlistPosition=${position}`
  const playNext = () => {
    const next = current && neighbourElement(elements, current.id, 1)
    if (!next) return
    setMovedOn(true)
    route(pathOf(next))
  }
  const { videoChannel, ownerAccount } = playlist
  return (
    <div class="watch">
      <div class="watch-stage">
        {current ? (
          <ElementPlayer key={current.id} element={current} autoplay={movedOn || query.playlistPosition !== undefined} onEnd={playNext} />
        ) : (
          complete && <EmptyState icon="film" title={t('playlist.empty')} />
        )}
      </div>
      <div class="watch-main">
        <h1 class="watch-title">{playlistTitle(playlist)}</h1>
        <p class="watch-facts">
          <a
            href={
              videoChannel ? channelPath(videoChannel, playlist.isLocal) : channelPath(ownerAccount, playlist.isLocal).replace('/c/', '/a/')
            }
          >
            {(videoChannel ?? ownerAccount).displayName}
          </a>
          <span>{t('playlist.length', { count: playlist.videosLength })}</span>
        </p>
        {playlist.description && (
          <div class="watch-about">
            <Markdown text={playlist.description} id={playlist.uuid} />
          </div>
        )}
      </div>
      <aside class="watch-side">
        <h2>{t('playlist.videos')}</h2>
        <ol class="watch-list" role="list">
          {elements.map(element => (
            <li key={element.id} class="playlist-element" aria-current={element.id === current?.id ? 'true' : undefined}>
              {element.video ? (
                <CompactVideoCard video={element.video} heading="h3" href={pathOf(element)} />
              ) : (
                <p class="soft">{t(element.type === ELEMENT_TYPES.deleted ? 'playlist.deleted' : 'playlist.unavailable')}</p>
              )}
            </li>
          ))}
        </ol>
        {error !== null && <ErrorState text={t('ui.noConnection')} onRetry={reload} />}
      </aside>
    </div>
  )
}

const ELEMENT_TYPES = { deleted: 1 } as const
const WATCH_LATER_TYPE = 2

/** The name of a playlist; the one to watch later has its name from the language of the page. */
function playlistTitle({ type, displayName }: VideoPlaylist): string {
  return type.id === WATCH_LATER_TYPE ? t('playlist.watchLater') : displayName
}

function ElementPlayer({ element, autoplay, onEnd }: { element: PlayableElement; autoplay: boolean; onEnd: () => void }): JSX.Element {
  const { source, unavailableReason, originUrl, unlock, reload, renew } = useVideo(element.video.shortUUID)
  if (source)
    return (
      <Player
        source={source}
        autoplay={autoplay && navigator.userActivation?.hasBeenActive === true}
        start={element.startTimestamp ?? undefined}
        stop={element.stopTimestamp ?? undefined}
        pageKeys
        renew={renew}
        onEnd={onEnd}
      />
    )
  return (
    <div class="player watch-nothing" aria-busy={unavailableReason === null}>
      {unavailableReason && <VideoUnavailable reason={unavailableReason} originUrl={originUrl} onUnlock={unlock} onRetry={reload} />}
    </div>
  )
}

function PlaylistUnavailable({ error, onRetry }: { error: unknown; onRetry: () => void }): JSX.Element {
  const { url } = useLocation()
  const status = error instanceof ApiError ? error.status : null
  if (status === 401)
    return (
      <EmptyState heading="h1" icon="lock" title={t('playlist.login')}>
        <ButtonLink look="primary" href={`/login?next=${encodeURIComponent(url)}`}>
          {t('shell.login')}
        </ButtonLink>
      </EmptyState>
    )
  if (status === 403 || status === 404 || status === 400)
    return (
      <EmptyState
        heading="h1"
        icon={status === 403 ? 'lock' : 'film'}
        title={t(status === 403 ? 'playlist.forbidden' : 'playlist.missing')}
      >
        <ButtonLink href="/">{t('ui.toHome')}</ButtonLink>
      </EmptyState>
    )
  return <ErrorState text={t('ui.noConnection')} onRetry={onRetry} />
}
