import type { JSX } from 'preact'
import tokens from '../ui/tokens.css?raw'
import { Avatar } from '../ui/avatar.tsx'
import { Icon, Logo, type IconName } from '../ui/icon.tsx'
import { ShowcaseSection } from './showcase-section.tsx'

const TOKENS = [
  ...new Set([...tokens.matchAll(/^ {2}(--[a-z0-9-]+): (.+);$/gm)].map(([, name, value]) => ({ name: name!, value: value! })))
]
const tokensWithValue = (pattern: RegExp) => TOKENS.filter(({ value }) => pattern.test(value)).map(({ name }) => name)
const COLOURS = tokensWithValue(/^light-dark/)
const SPACINGS = TOKENS.filter(({ name }) => /^--s\d$/.test(name)).map(({ name }) => name)
const RADII = TOKENS.filter(({ name }) => name.startsWith('--round')).map(({ name }) => name)
const FONT_SIZES = ['--display', '--title', '--large', '--normal', '--small']
const ICONS: IconName[] = [
  'alert',
  'back',
  'captions',
  'channel',
  'chapters',
  'check',
  'chevron',
  'clock',
  'close',
  'comment',
  'copy',
  'dislike',
  'download',
  'edit',
  'film',
  'fullscreen',
  'gear',
  'globe',
  'heart',
  'image',
  'info',
  'keyboard',
  'like',
  'link',
  'lock',
  'loop',
  'menu',
  'minimize',
  'moon',
  'more',
  'mute',
  'out',
  'pause',
  'pip',
  'play',
  'plus',
  'replay',
  'search',
  'settings',
  'share',
  'speed',
  'sun',
  'system',
  'theatre',
  'trash',
  'upload',
  'user',
  'volume'
]
const ACCOUNT_NAMES = ['ada', 'bob', 'cleo', 'dora', 'emil', 'finn']

/** The foundations of the design: logo, colours, spacing, corners, type, icons, avatars. */
export function FoundationsShowcase(): JSX.Element {
  return (
    <>
      <ShowcaseSection name="Mark">
        <div class="row">
          <Logo size={56} />
          <Logo size={28} />
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Colours">
        <ul class="design-swatches" role="list">
          {COLOURS.map(name => (
            <li key={name}>
              <TokenSample class="design-swatch" property="background" token={name} />
              <code>{name}</code>
            </li>
          ))}
        </ul>
      </ShowcaseSection>
      <ShowcaseSection name="Space">
        <ul class="stack" role="list">
          {SPACINGS.map(name => (
            <li key={name} class="row">
              <TokenSample class="design-space" property="inline-size" token={name} />
              <code>{name}</code>
            </li>
          ))}
        </ul>
      </ShowcaseSection>
      <ShowcaseSection name="Corners">
        <div class="row">
          {RADII.map(name => (
            <TokenSample key={name} class="design-corner" property="border-radius" token={name} text={name} />
          ))}
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Type">
        <div class="stack">
          {FONT_SIZES.map(name => (
            <TokenSample key={name} class="design-type" property="font-size" token={name} text={`A reel unwinds · ${name}`} />
          ))}
        </div>
      </ShowcaseSection>
      <ShowcaseSection name="Drawings">
        <ul class="design-icons" role="list">
          {ICONS.map(name => (
            <li key={name}>
              <Icon name={name} />
              <span class="small">{name}</span>
            </li>
          ))}
        </ul>
      </ShowcaseSection>
      <ShowcaseSection name="Avatars">
        <div class="row">
          {ACCOUNT_NAMES.map((name, index) => (
            <Avatar key={name} of={{ name, displayName: name, avatars: [] }} size={(['l', 'm', 's'] as const)[index % 3]} />
          ))}
        </div>
      </ShowcaseSection>
    </>
  )
}

function TokenSample({
  class: name,
  property,
  token,
  text
}: {
  class: string
  property: string
  token: string
  text?: string
}): JSX.Element {
  return (
    <span
      class={name}
      ref={element => {
        element?.style.setProperty(property, `var(${token})`)
      }}
    >
      {text}
    </span>
  )
}
