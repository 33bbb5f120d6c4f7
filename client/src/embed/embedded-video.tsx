import type { JSX } from 'preact'
import { t } from '../i18n/i18n.ts'
import { Player } from '../player/player.tsx'
import { Mark } from '../ui/icon.tsx'
import { startOf } from '../videos/start-of.ts'
import { useVideo } from '../videos/use-video.ts'
import './embed.css'

/** A video inside another site's page. Its address takes start, autoplay, muted, loop, title and controls, as PeerTube's embeds do. */
export function EmbeddedVideo({ id }: { id: string }): JSX.Element {
  const wishes = new URLSearchParams(location.search)
  const wants = (name: string) => ['1', 'true'].includes(wishes.get(name) ?? '')
  const refuses = (name: string) => ['0', 'false'].includes(wishes.get(name) ?? '')
  const { video, source, barrier, renew } = useVideo(id)
  const page = `/w/${video?.shortUUID ?? id}`
  if (!source) {
    const words = barrier === 'missing' ? t('barrier.missing') : barrier ? t('watch.closed') : video && video.streamingPlaylists.length + video.files.length === 0 ? t('watch.preparing') : null
    return <main class="embed-nothing" aria-busy={words === null}>{words && <><h1>{words}</h1><a href={page} target="_blank" rel="noopener">{t('embed.open')}</a></>}</main>
  }
  return (
    <main>
      <h1 class="hidden-text">{source.title}</h1>
      <Player source={source} autoplay={wants('autoplay')} muted={wants('muted')} loop={wants('loop')} controls={!refuses('controls')} start={startOf(wishes.get('start'))} remember={false} pageKeys renew={renew}>
        {!refuses('title') && <div class="embed-head"><a href={page} target="_blank" rel="noopener"><Mark size={22} /><span>{source.title}</span></a></div>}
      </Player>
    </main>
  )
}
