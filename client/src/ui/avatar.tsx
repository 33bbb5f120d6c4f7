import type { JSX } from 'preact'
import type { ActorImage } from '../../../shared/actors.ts'
import './avatar.css'

const TINTS = 6

/** The picture of an account or channel, else its first letter on a colour of its own. */
export function Avatar({
  of,
  size = 'm'
}: {
  of: { name: string; displayName: string; avatars: ActorImage[] }
  size?: 's' | 'm' | 'l'
}): JSX.Element {
  const pixels = { s: 28, m: 40, l: 88 }[size]
  const image = closest(of.avatars, pixels)
  if (image)
    return <img class={`avatar avatar-${size}`} src={image.path} width={pixels} height={pixels} alt="" loading="lazy" decoding="async" />
  const tint = [...of.name].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0) % TINTS
  return (
    <span class={`avatar avatar-${size} avatar-tint-${tint}`} aria-hidden="true">
      {(of.displayName.trim() || of.name).charAt(0).toUpperCase()}
    </span>
  )
}

/** The smallest picture that is sharp at `pixels` on a dense screen. */
function closest(images: ActorImage[], pixels: number): ActorImage | undefined {
  const sorted = [...images].sort((a, b) => a.width - b.width)
  return sorted.find(({ width }) => width >= pixels * 2) ?? sorted.at(-1)
}
