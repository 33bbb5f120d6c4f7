import type { JSX } from 'preact'

/** SVG paths on a 24 by 24 grid, drawn as lines; a leading `!` fills the shape instead. */
const PATHS = {
  alert: 'M12 8v5M12 16.5v.2M12 3.5 21.5 20h-19z',
  back: 'M15 5l-7 7 7 7',
  captions: 'M3.5 5.5h17v13h-17zM10.5 10.5a2 2 0 100 3M17 10.5a2 2 0 100 3',
  chapters: 'M4 6h.1M4 12h.1M4 18h.1M8 6h12M8 12h12M8 18h12',
  channel: 'M3.5 8h17v11.5h-17zM8 3.5l4 4.5 4-4.5M7 16.5h6',
  check: 'M5 12.5l4.5 4.5L19 7',
  chevron: 'M9 5l7 7-7 7',
  clock: 'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM12 7.5V12l3 2.5',
  close: 'M6 6l12 12M18 6L6 18',
  comment: 'M4 5h16v11.5H11L7 20v-3.5H4z',
  copy: 'M9 9h10v11H9zM5 15V4h10',
  dislike: 'M7 13V4H4v9zM7 13l4 7.5a2 2 0 002.4-2.3L12.6 15H18a2 2 0 002-2.3l-1.1-7A2 2 0 0016.9 4H7',
  download: 'M12 4v11M7.5 11L12 15.5 16.5 11M5 20h14',
  edit: 'M4 20l1-4L16 5l3 3L8 19zM14 7l3 3',
  film: 'M4 5h16v14H4zM8 5v14M16 5v14M4 9.7h4M4 14.3h4M16 9.7h4M16 14.3h4',
  fullscreen: 'M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5',
  gear: 'M12 9a3 3 0 100 6 3 3 0 000-6zM12 3v2.5M12 18.5V21M3 12h2.5M18.5 12H21M5.6 5.6l1.8 1.8M16.6 16.6l1.8 1.8M5.6 18.4l1.8-1.8M16.6 7.4l1.8-1.8',
  globe:
    'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM3.5 12h17M12 3.5c3 2.6 3.6 5.4 3.6 8.5s-.6 5.9-3.6 8.5c-3-2.6-3.6-5.4-3.6-8.5S9 6.1 12 3.5z',
  heart: 'M12 20S4 14.8 4 9.3A4.3 4.3 0 0112 7a4.3 4.3 0 018 2.3C20 14.8 12 20 12 20z',
  image: 'M4 5h16v14H4zM4 16l5-5 4 4 2.5-2.5L20 17M15 9.5v.2',
  search: 'M10.5 4a6.5 6.5 0 100 13 6.5 6.5 0 000-13zM15.3 15.3L20 20',
  info: 'M12 3.5a8.5 8.5 0 100 17 8.5 8.5 0 000-17zM12 11v5M12 7.8v.2',
  keyboard: 'M3 6.5h18v11H3zM6.5 10h.1M10 10h.1M14 10h.1M17.5 10h.1M8 14h8',
  like: 'M7 11v9H4v-9zM7 11l4-7.5a2 2 0 012.4 2.3L12.6 9H18a2 2 0 012 2.3l-1.1 7a2 2 0 01-2 1.7H7',
  link: 'M10 14a4 4 0 006 .4l3-3a4 4 0 00-5.7-5.7L12 7M14 10a4 4 0 00-6-.4l-3 3a4 4 0 005.7 5.7L12 17',
  lock: 'M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 017 0v3',
  loop: 'M4 12V9.5A2.5 2.5 0 016.5 7H20M17 4l3 3-3 3M20 12v2.5a2.5 2.5 0 01-2.5 2.5H4M7 20l-3-3 3-3',
  menu: 'M4 7h16M4 12h16M4 17h16',
  minimize: 'M9 4v5H4M20 9h-5V4M15 20v-5h5M4 15h5v5',
  moon: 'M19.5 14.5A8 8 0 019.5 4.5a8 8 0 1010 10z',
  more: '!M12 4.5a1.7 1.7 0 100 3.4 1.7 1.7 0 000-3.4zM12 10.3a1.7 1.7 0 100 3.4 1.7 1.7 0 000-3.4zM12 16.1a1.7 1.7 0 100 3.4 1.7 1.7 0 000-3.4z',
  mute: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5',
  out: 'M10 4H5v16h5M14.5 8l4 4-4 4M18.5 12H9.5',
  pause: '!M6.5 5h4v14h-4zM13.5 5h4v14h-4z',
  pip: 'M3.5 5h17v14h-17zM12 12h6v4.5h-6z',
  play: '!M7 4.5v15l12.5-7.5z',
  plus: 'M12 5v14M5 12h14',
  replay: 'M5 5v5h5M5.5 10A7.5 7.5 0 1112 19.5a7.5 7.5 0 01-6.5-3.8',
  settings: 'M4 7h8M18 7h2M15 4.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5zM4 17h2M12 17h8M9 14.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z',
  share:
    'M7 12l10-5.5M7 12l10 5.5M6 9.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5zM18 3.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5zM18 15.5a2.5 2.5 0 100 5 2.5 2.5 0 000-5z',
  speed: 'M5 17.5a8.5 8.5 0 1114 0M12 14l4-4.5',
  sun: 'M12 8a4 4 0 100 8 4 4 0 000-8zM12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4',
  system: 'M4 5h16v11H4zM9 20h6M12 16v4',
  theatre: 'M3 7h18v10H3z',
  trash: 'M5 7h14M9.5 7V4.5h5V7M7 7l.8 13h8.4L17 7M10.3 10.5l.3 6M13.7 10.5l-.3 6',
  upload: 'M12 19.5v-11M7.5 12L12 7.5 16.5 12M5 4h14',
  user: 'M12 4.5a3.8 3.8 0 100 7.6 3.8 3.8 0 000-7.6zM4.5 20c.8-3.8 3.8-5.5 7.5-5.5s6.7 1.7 7.5 5.5',
  volume: 'M4 9.5v5h3.5L12 18.5v-13L7.5 9.5zM15.5 9a4.2 4.2 0 010 6M18 6.5a7.8 7.8 0 010 11'
} as const

/** The name of an icon. */
export type IconName = keyof typeof PATHS

/** An icon, hidden from screen readers: the element around it has the accessible name. */
export function Icon({ name, size = 20 }: { name: IconName; size?: number }): JSX.Element {
  const path = PATHS[name]
  const filled = path.startsWith('!')
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      aria-hidden="true"
      focusable="false"
      fill={filled ? 'currentColor' : 'none'}
      stroke={filled ? 'none' : 'currentColor'}
      stroke-width="1.8"
      stroke-linecap="round"
      stroke-linejoin="round"
    >
      <path d={filled ? path.slice(1) : path} />
    </svg>
  )
}

/** The logo of Bobine: a film reel in the shape of a b, with a play symbol. */
export function Logo({ size = 28 }: { size?: number }): JSX.Element {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <path class="mark-film" d="M5 2.5A1.5 1.5 0 016.5 1h2A1.5 1.5 0 0110 2.5V20H5z" />
      <path
        class="mark-reel"
        fill-rule="evenodd"
        d="M16 9a11 11 0 110 22 11 11 0 010-22zm-2.5 6.2c-.7-.4-1.5.1-1.5.9v7.800c0 .8.8 1.3 1.5.9l6.800-3.900c.7-.4.7-1.400 0-1.800z"
      />
    </svg>
  )
}
