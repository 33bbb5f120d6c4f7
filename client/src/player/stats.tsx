import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { formatNumber, formatPercent, t } from '../i18n/i18n.ts'
import type { TextKey } from '../i18n/catalogue.ts'
import { IconButton } from '../ui/button.tsx'
import type { PlayerEngine } from './engine.ts'
import type { Playback } from './playback.ts'

const REFRESH_MS = 1000

/** The playback statistics: resolution, codecs, bitrate, dropped frames, buffer, bandwidth, host. */
export function PlayerStats({ playback, engine, onClose }: { playback: Playback; engine: PlayerEngine; onClose: () => void }): JSX.Element {
  const [, setRefreshes] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => setRefreshes(count => count + 1), REFRESH_MS)
    return () => clearInterval(timer)
  }, [])
  return (
    <section class="player-stats" aria-label={t('player.stats')}>
      <IconButton label={t('ui.close')} icon="close" size={18} onClick={onClose} />
      <dl>
        {statistics(playback, engine).map(([name, value]) => (
          <div key={name}>
            <dt>{t(name)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}

function statistics({ media, time, buffered }: Playback, engine: PlayerEngine): [TextKey, string][] {
  const { codecs, bitrate, bandwidth, host } = engine.loadingStats()
  const { totalVideoFrames: frames, droppedVideoFrames: dropped } = media.getVideoPlaybackQuality()
  const unknown = t('stats.unknown')
  return [
    ['stats.resolution', media.videoWidth > 0 ? `${media.videoWidth} × ${media.videoHeight}` : unknown],
    ['stats.shown', `${Math.round(media.clientWidth * devicePixelRatio)} × ${Math.round(media.clientHeight * devicePixelRatio)}`],
    ['stats.codecs', codecs ?? unknown],
    ['stats.bitrate', bitrate ? formatBitrate(bitrate) : unknown],
    ['stats.dropped', t('stats.droppedOf', { dropped, frames, share: formatPercent(frames > 0 ? dropped / frames : 0) })],
    ['stats.buffer', formatNumber(Math.max(0, buffered.value - time.value), { style: 'unit', unit: 'second', maximumFractionDigits: 1 })],
    ['stats.bandwidth', bandwidth ? formatBitrate(bandwidth) : unknown],
    ['stats.host', host || unknown]
  ]
}

function formatBitrate(bitsPerSecond: number): string {
  return formatNumber(bitsPerSecond / 1_000_000, { style: 'unit', unit: 'megabit-per-second', maximumFractionDigits: 2 })
}
