import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import type { VideoPlaylist, VideoPlaylistElement } from '../../../shared/playlists.ts'
import { api } from '../api.ts'
import { ApiError, isNotFoundError } from '../api-error.ts'
import { apiErrorText } from '../api-error-text.ts'
import { t } from '../i18n/i18n.ts'
import { Player } from '../player/player.tsx'
import { currentUser } from '../session.ts'
import { useTitle } from '../page/title.ts'
import { ButtonLink, IconButton } from '../ui/button.tsx'
import { EmptyState, ErrorState } from '../ui/feedback.tsx'
import { Markdown } from '../ui/markdown.tsx'
import { showToast } from '../ui/toast.tsx'
import { useVideo } from '../videos/use-video.ts'
import { channelPath, CompactVideoCard } from '../videos/video-card.tsx'
import { VideoUnavailable } from '../videos/video-unavailable.tsx'
import { elementAtPosition, neighbourElement, parsePlaylistPosition, withoutElements, type PlayableElement } from './playlist-order.ts'
import { usePlaylist } from './use-playlist.ts'
import { WATCH_LATER_TYPE } from './watch-later.ts'
import '../videos/watch.css'
import './playlist.css'

/** The page of a playlist: the video at `playlistPosition`, which the next one follows, and the list of all. */
export default function PlaylistPage(): JSX.Element {
  const {
    params: { id = '' },
    query
  } = useRoute()
  const { route } = useLocation()
  const { playlist, elements, complete, error, reload, forgetElement } = usePlaylist(id)
  const [movedOn, setMovedOn] = useState(false)
  const [quietId, setQuietId] = useState<number | null>(null)
  const current = elementAtPosition(elements, parsePlaylistPosition(query.playlistPosition))
  const latest = useRef({ elements, current, query })
  latest.current = { elements, current, query }
  const list = useRef<HTMLOListElement>(null)
  const removedIndex = useRef<number | null>(null)
  useTitle(playlist ? playlistTitle(playlist) : null)
  useEffect(() => {
    if (removedIndex.current === null) return
    // The button that had the focus is gone with its element.
    const buttons = list.current?.querySelectorAll<HTMLElement>('.playlist-element > button') ?? []
    ;(buttons[Math.min(removedIndex.current, buttons.length - 1)] ?? list.current)?.focus({ preventScroll: true })
    removedIndex.current = null
  }, [elements.length])
  if (!playlist)
    return (
      <div class="page" aria-busy={error === null}>
        {error !== null && <PlaylistUnavailable error={error} onRetry={reload} />}
      </div>
    )
  // The id as it stands in the address: with another path it would be another page.
  const pathOf = ({ position }: { position: number }) => `/w/p/${id}?playlistPosition=${position}`
  const playNext = () => {
    const next = current && neighbourElement(elements, current.id, 1)
    if (!next) return
    setMovedOn(true)
    route(pathOf(next))
  }
  const { videoChannel, ownerAccount } = playlist
  const isMine = playlist.isLocal && ownerAccount.id === currentUser.value?.account.id
  const removeElement = async (element: VideoPlaylistElement) => {
    try {
      await api('DELETE /video-playlists/:playlistId/videos/:elementId', { params: { playlistId: playlist.id, elementId: element.id } })
    } catch (failure) {
      // Removed in another tab before.
      if (!isNotFoundError(failure)) return showToast(apiErrorText(failure), { bad: true })
    }
    const { elements, current, query } = latest.current
    const rest = withoutElements(elements, new Set([element.id]))
    // What plays goes on, at its new position; where it was removed the next one waits.
    const next = current && (rest.find(({ id }) => id === current.id) ?? elementAtPosition(rest, current.position))
    removedIndex.current = elements.findIndex(({ id }) => id === element.id)
    if (next && next.id !== current.id) setQuietId(next.id)
    forgetElement(element.id)
    if (next && query.playlistPosition !== undefined) route(pathOf(next), true)
    showToast(t('playlist.removed'))
  }
  return (
    <div class="watch">
      <div class="watch-stage">
        {current ? (
          <ElementPlayer
            key={current.id}
            element={current}
            autoplay={current.id !== quietId && (movedOn || query.playlistPosition !== undefined)}
            onEnd={playNext}
          />
        ) : (
          complete && (
            <EmptyState icon="film" title={t('playlist.empty')}>
              {isMine && playlist.type.id === WATCH_LATER_TYPE && <p>{t('playlist.emptyLater')}</p>}
            </EmptyState>
          )
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
        <ol ref={list} class="watch-list" role="list" tabIndex={-1}>
          {elements.map(element => (
            <li key={element.id} class="playlist-element" aria-current={element.id === current?.id ? 'true' : undefined}>
              {element.video ? (
                <CompactVideoCard video={element.video} heading="h3" href={pathOf(element)} />
              ) : (
                <p class="soft">{unavailableText(element)}</p>
              )}
              {isMine && complete && (
                <IconButton
                  icon="close"
                  label={t('playlist.remove', { name: element.video?.name ?? unavailableText(element) })}
                  onClick={() => void removeElement(element)}
                />
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

/** What stands in the place of a video that cannot be shown. */
function unavailableText({ type }: VideoPlaylistElement): string {
  return t(type === ELEMENT_TYPES.deleted ? 'playlist.deleted' : 'playlist.unavailable')
}

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
          {t('app.login')}
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
