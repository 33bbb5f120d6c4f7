import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { InstanceMark } from '../instance/instance-mark.tsx'
import { Player } from '../player/player.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { PasswordForm } from '../videos/password-form.tsx'
import { isWatchableByAnyone } from '../videos/player-source.ts'
import { useVideo } from '../videos/use-video.ts'
import type { EmbedApi } from './embed-api.ts'
import type { EmbedOptions } from './embed-options.ts'
import './embed.css'

/** The page of an embedded video: the player with the options of its URL, controlled by the embedding page through `embedApi`. */
export function EmbeddedVideo({
  id,
  options,
  embedApi,
  onEnd
}: {
  id: string
  options: EmbedOptions
  embedApi: EmbedApi | null
  onEnd?: () => void
}): JSX.Element {
  const { video, source, unavailableReason, unlock, reload, renew } = useVideo(id)
  const pagePath = `/w/${video?.shortUUID ?? id}`
  useEffect(() => embedApi?.onPassword(unlock), [embedApi])
  if (source) {
    return (
      <main>
        <h1 class="hidden-text">{source.title}</h1>
        <Player
          source={source}
          autoplay={options.autoplay}
          preload="none"
          muted={options.muted}
          loop={options.loop}
          controls={options.controls}
          start={options.start}
          stop={options.stop}
          speed={options.speed ?? undefined}
          subtitle={options.subtitle}
          remember={false}
          pageKeys
          renew={renew}
          onEnd={onEnd}
          loadTracks={embedApi !== null}
          onHandleChange={embedApi ? player => embedApi.setPlayer(player, video !== null && isWatchableByAnyone(video)) : undefined}
        >
          {options.title && (
            <div class="embed-head">
              {options.link ? (
                <a href={pagePath} target="_blank" rel="noopener">
                  <InstanceMark logoPixels={22} />
                  <span>{source.title}</span>
                </a>
              ) : (
                <p>{source.title}</p>
              )}
            </div>
          )}
        </Player>
      </main>
    )
  }
  if (unavailableReason === 'password' && embedApi && options.waitForPassword) return <main class="embed-nothing" aria-busy="true" />
  if (unavailableReason === 'password' || unavailableReason === 'wrongPassword' || unavailableReason === 'tooMany')
    return (
      <main class="embed-nothing">
        <PasswordForm reason={unavailableReason} onUnlock={unlock} onRetry={reload} />
      </main>
    )
  if (unavailableReason === 'failed')
    return (
      <main class="embed-nothing">
        <ErrorState text={t('ui.noConnection')} onRetry={reload} />
      </main>
    )
  const message =
    unavailableReason === 'missing'
      ? t('unavailable.missing')
      : unavailableReason
        ? t('watch.closed')
        : video && video.streamingPlaylists.length + video.files.length === 0
          ? t('watch.preparing')
          : null
  return (
    <main class="embed-nothing" aria-busy={message === null}>
      {message && (
        <>
          <h1>{message}</h1>
          <a href={pagePath} target="_blank" rel="noopener">
            {t('embed.open')}
          </a>
        </>
      )}
    </main>
  )
}
