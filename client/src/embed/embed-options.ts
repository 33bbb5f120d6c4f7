import { parseStartTime } from '../videos/parse-start-time.ts'

/**
 * What the address of an embedded player wishes, as PeerTube's embeds have it. `p2p`, `mode` and `warningTitle` wish for things that are
 * not here and change nothing.
 */
export type EmbedOptions = {
  /** Seconds. */
  start: number | undefined
  stop: number | undefined
  autoplay: boolean
  muted: boolean
  loop: boolean
  /** Everything, everything but the bar, or only the picture. */
  controls: 'all' | 'bare' | 'none'
  title: boolean
  /** Whether the title leads to the video's page. */
  link: boolean
  subtitle: string | null
  speed: number | null
  /** Colours of the large button and of what stands on it, in CSS. */
  colours: { button: string | null; front: string | null }
  /** Whether the page around may command the player. */
  api: boolean
  /** Whether that page gives the video's password, so that nobody is asked. */
  passwordComes: boolean
}

const SPEED = { least: 0.25, most: 4 }

/** Reads the wishes out of an address's query. */
export function parseEmbedOptions(search: string): EmbedOptions {
  const query = new URLSearchParams(search)
  const wants = (name: string) => ['1', 'true'].includes(query.get(name) ?? '')
  const refuses = (name: string) => ['0', 'false'].includes(query.get(name) ?? '')
  return {
    start: parseStartTime(query.get('start')),
    stop: parseStartTime(query.get('stop')),
    autoplay: wants('autoplay'),
    muted: wants('muted'),
    loop: wants('loop'),
    controls: refuses('controls') ? 'none' : refuses('controlBar') ? 'bare' : 'all',
    title: !refuses('title') && !refuses('controls'),
    link: !refuses('peertubeLink'),
    subtitle: /^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$/.exec(query.get('subtitle') ?? '')?.[0] ?? null,
    speed: parsePlaybackSpeed(query.get('playbackRate')),
    colours: { button: query.get('bigPlayBackgroundColor'), front: query.get('foregroundColor') },
    api: wants('api'),
    passwordComes: wants('api') && wants('waitPasswordFromEmbedAPI')
  }
}

/** A speed that browsers play; null for anything else. */
export function parsePlaybackSpeed(value: unknown): number | null {
  const speed = typeof value === 'number' ? value : typeof value === 'string' && value !== '' ? Number(value) : NaN
  return speed >= SPEED.least && speed <= SPEED.most ? speed : null
}
