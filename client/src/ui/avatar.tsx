import type { JSX } from 'preact'
import type { ActorImage } from '../../../shared/actors.ts'
import './avatar.css'

const TINT_COUNT = 6

/** The avatar of an account or channel, else its first letter on a background colour derived from its name. */
export function Avatar({
  of,
  size = 'm'
}: {
  of: { name: string; displayName: string; avatars: ActorImage[] }
  size?: 's' | 'm' | 'l'
}): JSX.Element {
  const pixels = { s: 28, m: 40, l: 88 }[size]
  const image = smallestSharpImage(of.avatars, pixels)
  if (image)
    return <img class={`avatar avatar-${size}`} src={image.path} width={pixels} height={pixels} alt="" loading="lazy" decoding="async" />
  const tint = [...of.name].reduce((sum, letter) => sum + letter.codePointAt(0)!, 0) % TINT_COUNT
  return (
    <span class={`avatar avatar-${size} avatar-tint-${tint}`} aria-hidden="true">
      {(of.displayName.trim() || of.name).charAt(0).toUpperCase()}
    </span>
  )
}

/** Returns the smallest image with at least twice `pixels` in width (high-density screens), else the largest. */
function smallestSharpImage(images: ActorImage[], pixels: number): ActorImage | undefined {
  const sorted = [...images].sort((a, b) => a.width - b.width)
  return sorted.find(({ width }) => width >= pixels * 2) ?? sorted.at(-1)
}
