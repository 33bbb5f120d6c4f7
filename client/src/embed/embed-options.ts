import { parseStartTime } from '../videos/parse-start-time.ts'
import { parseSubtitle } from '../videos/parse-subtitle.ts'

/**
 * The options in the query of an embed URL, compatible with PeerTube's embeds. `p2p`, `mode` and `warningTitle` are accepted and have no
 * effect.
 */
export type EmbedOptions = {
  /** Seconds. */
  start: number | undefined
  stop: number | undefined
  autoplay: boolean
  muted: boolean
  loop: boolean
  /** All controls, all but the control bar, or none. */
  controls: 'all' | 'bare' | 'none'
  title: boolean
  /** Whether the title links to the page of the video. */
  link: boolean
  subtitle: string | undefined
  speed: number | null
  /** CSS colours of the large play button and of its icon; null for the default. */
  colours: { button: string | null; front: string | null }
  /** Whether the embedding page may control the player. */
  api: boolean
  /** Whether the embedding page sends the password of the video, so that no form asks for it. */
  waitForPassword: boolean
}

const SPEED = { min: 0.25, max: 4 }

/** Parses the query of an embed URL; invalid values are ignored. */
export function parseEmbedOptions(search: string): EmbedOptions {
  const query = new URLSearchParams(search)
  const isOn = (name: string) => ['1', 'true'].includes(query.get(name) ?? '')
  const isOff = (name: string) => ['0', 'false'].includes(query.get(name) ?? '')
  return {
    start: parseStartTime(query.get('start')),
    stop: parseStartTime(query.get('stop')),
    autoplay: isOn('autoplay'),
    muted: isOn('muted'),
    loop: isOn('loop'),
    controls: isOff('controls') ? 'none' : isOff('controlBar') ? 'bare' : 'all',
    title: !isOff('title') && !isOff('controls'),
    link: !isOff('peertubeLink'),
    subtitle: parseSubtitle(query.get('subtitle')),
    speed: parsePlaybackSpeed(query.get('playbackRate')),
    colours: { button: query.get('bigPlayBackgroundColor'), front: query.get('foregroundColor') },
    api: isOn('api'),
    waitForPassword: isOn('api') && isOn('waitPasswordFromEmbedAPI')
  }
}

/** Parses a playback speed between 0.25 and 4; null for anything else. */
export function parsePlaybackSpeed(value: unknown): number | null {
  const speed = typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : NaN
  return speed >= SPEED.min && speed <= SPEED.max ? speed : null
}
