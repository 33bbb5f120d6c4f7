import type { JSX } from 'preact'
import { Avatar } from '../ui/avatar.tsx'
import { Logo } from '../ui/icon.tsx'
import { instanceConfig } from './config.ts'

const LOGO_PIXELS = { s: 28, l: 56 } as const

/** The sign of the instance: its avatar, else the logo of Bobine. */
export function InstanceMark({ size = 's', logoPixels = LOGO_PIXELS[size] }: { size?: 's' | 'l'; logoPixels?: number }): JSX.Element {
  const instance = instanceConfig.value?.instance
  if (!instance || instance.avatars.length === 0) return <Logo size={logoPixels} />
  return <Avatar of={{ name: instance.name, displayName: instance.name, avatars: instance.avatars }} size={size} />
}
