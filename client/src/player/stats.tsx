import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { formatNumber, formatPercent, t } from '../i18n/i18n.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { IconButton } from '../ui/button.tsx'
import type { PlayerEngine } from './engine.ts'
import type { Playback } from './playback.ts'

const EVERY = 1000

/** How the picture comes to the screen, in figures, for whoever wants to know why it looks as it does. */
export function PlayerStats({ playback, engine, onClose }: { playback: Playback; engine: PlayerEngine; onClose: () => void }): JSX.Element {
  const [, again] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => again(count => count + 1), EVERY)
    return () => clearInterval(timer)
  }, [])
  return (
    <section class="player-stats" aria-label={t('player.stats')}>
      <IconButton label={t('ui.close')} icon="close" size={18} onClick={onClose} />
      <dl>
        {figures(playback, engine).map(([name, value]) => (
          <div key={name}>
            <dt>{t(name)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function figures({ media, time, buffered }: Playback, engine: PlayerEngine): [TextKey, string][] {
  const { codecs, bitrate, bandwidth, host } = engine.loading()
  const { totalVideoFrames: frames, droppedVideoFrames: dropped } = media.getVideoPlaybackQuality()
  const unknown = t('stats.unknown')
  return [
    ['stats.resolution', media.videoWidth > 0 ? `${media.videoWidth} × ${media.videoHeight}` : unknown],
    ['stats.shown', `${Math.round(media.clientWidth * devicePixelRatio)} × ${Math.round(media.clientHeight * devicePixelRatio)}`],
    ['stats.codecs', codecs ?? unknown],
    ['stats.bitrate', bitrate ? rate(bitrate) : unknown],
    ['stats.dropped', t('stats.droppedOf', { dropped, frames, share: formatPercent(frames > 0 ? dropped / frames : 0) })],
    ['stats.buffer', formatNumber(Math.max(0, buffered.value - time.value), { style: 'unit', unit: 'second', maximumFractionDigits: 1 })],
    ['stats.bandwidth', bandwidth ? rate(bandwidth) : unknown],
    ['stats.host', host || unknown]
  ]
}

function rate(bitsPerSecond: number): string {
  return formatNumber(bitsPerSecond / 1_000_000, { style: 'unit', unit: 'megabit-per-second', maximumFractionDigits: 2 })
}
