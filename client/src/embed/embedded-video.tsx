import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { t } from '../i18n/i18n.ts'
import { Player } from '../player/player.tsx'
import { Logo } from '../ui/icon.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { PasswordForm } from '../videos/password-form.tsx'
import { isWatchableByAnyone } from '../videos/player-source.ts'
import { useVideo } from '../videos/use-video.ts'
import type { EmbedApi } from './embed-api.ts'
import type { EmbedOptions } from './embed-options.ts'
import './embed.css'

/** A video inside another site's page: the player as its address wishes it, commanded by the page around where that is wished, too. */
export function EmbeddedVideo({ id, wishes, remote }: { id: string; wishes: EmbedOptions; remote: EmbedApi | null }): JSX.Element {
  const { video, source, barrier, unlock, reload, renew } = useVideo(id)
  const page = `/w/${video?.shortUUID ?? id}`
  useEffect(() => remote?.onPassword(unlock), [remote])
  if (source) {
    return (
      <main>
        <h1 class="hidden-text">{source.title}</h1>
        <Player
          source={source}
          autoplay={wishes.autoplay}
          muted={wishes.muted}
          loop={wishes.loop}
          controls={wishes.controls}
          start={wishes.start}
          stop={wishes.stop}
          speed={wishes.speed ?? undefined}
          subtitle={wishes.subtitle ?? undefined}
          remember={false}
          pageKeys
          renew={renew}
          onParts={remote ? parts => remote.take(parts, video !== null && isWatchableByAnyone(video)) : undefined}
        >
          {wishes.title && (
            <div class="embed-head">
              {wishes.link ? (
                <a href={page} target="_blank" rel="noopener">
                  <Logo size={22} />
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
  if (barrier === 'password' && remote && wishes.passwordComes) return <main class="embed-nothing" aria-busy="true" />
  if (barrier === 'password' || barrier === 'wrongPassword' || barrier === 'tooMany')
    return (
      <main class="embed-nothing">
        <PasswordForm kind={barrier} onUnlock={unlock} onRetry={reload} />
      </main>
    )
  if (barrier === 'failed')
    return (
      <main class="embed-nothing">
        <ErrorState text={t('ui.noConnection')} onRetry={reload} />
      </main>
    )
  const words =
    barrier === 'missing'
      ? t('barrier.missing')
      : barrier
        ? t('watch.closed')
        : video && video.streamingPlaylists.length + video.files.length === 0
          ? t('watch.preparing')
          : null
  return (
    <main class="embed-nothing" aria-busy={words === null}>
      {words && (
        <>
          <h1>{words}</h1>
          <a href={page} target="_blank" rel="noopener">
            {t('embed.open')}
          </a>
        </>
      )}
    </main>
  )
}
