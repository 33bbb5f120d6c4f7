import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { elementAtPosition, neighbourElement, parsePlaylistPosition } from '../playlists/playlist-order.ts'
import { usePlaylist } from '../playlists/use-playlist.ts'
import { IconButton } from '../ui/button.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import type { EmbedApi } from './embed-api.ts'
import type { EmbedOptions } from './embed-options.ts'
import { EmbeddedVideo } from './embedded-video.tsx'
import './embed.css'

/** The page of an embedded playlist: its videos one after the other, from the parameter `playlistPosition` on. */
export function EmbeddedPlaylist({ id, options, embedApi }: { id: string; options: EmbedOptions; embedApi: EmbedApi | null }): JSX.Element {
  const { playlist, elements, complete, error, reload } = usePlaylist(id)
  const [position, setPosition] = useState(() => parsePlaylistPosition(new URLSearchParams(location.search).get('playlistPosition')))
  const [moved, setMoved] = useState(false)
  const current = elementAtPosition(elements, position)
  const moveBy = (steps: 1 | -1) => {
    const next = current && neighbourElement(elements, current.id, steps)
    if (!next) return
    setMoved(true)
    setPosition(next.position)
  }
  const hasNeighbour = (steps: 1 | -1) => current !== undefined && neighbourElement(elements, current.id, steps) !== undefined
  useEffect(() => {
    if (current) embedApi?.setPlaylist({ position: current.position, next: () => moveBy(1), previous: () => moveBy(-1) })
  }, [current?.id, elements.length])
  if (current && playlist)
    return (
      <>
        <EmbeddedVideo
          key={current.id}
          id={current.video.shortUUID}
          options={{
            ...options,
            autoplay: options.autoplay || moved,
            start: moved ? (current.startTimestamp ?? 0) : (options.start ?? current.startTimestamp ?? undefined),
            stop: current.stopTimestamp ?? undefined
          }}
          embedApi={embedApi}
          onEnd={() => moveBy(1)}
        />
        {options.controls === 'all' && (
          <nav class="embed-playlist" aria-label={playlist.displayName}>
            {hasNeighbour(-1) && <IconButton label={t('playlist.previous')} icon="back" onClick={() => moveBy(-1)} />}
            <span>
              {current.position} / {playlist.videosLength}
            </span>
            {hasNeighbour(1) && <IconButton label={t('playlist.next')} icon="chevron" onClick={() => moveBy(1)} />}
          </nav>
        )}
      </>
    )
  if (error !== null && !(error instanceof ApiError && error.status >= 400))
    return (
      <main class="embed-nothing">
        <ErrorState text={t('ui.noConnection')} onRetry={reload} />
      </main>
    )
  const message = error !== null ? t('playlist.missing') : playlist && complete ? t('playlist.empty') : null
  return (
    <main class="embed-nothing" aria-busy={message === null}>
      {message && (
        <>
          <h1>{message}</h1>
          <a href={`/w/p/${playlist?.shortUUID ?? id}`} target="_blank" rel="noopener">
            {t('embed.open')}
          </a>
        </>
      )}
    </main>
  )
}
