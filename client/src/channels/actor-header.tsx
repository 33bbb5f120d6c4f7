import type { ComponentChildren, JSX } from 'preact'
import type { Account, ActorImage, Channel } from '../../../shared/actors.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Markdown } from '../ui/markdown.tsx'
import './actor-header.css'

/** The head of a channel's or account's page. */
export function ActorHeader({
  of,
  banner,
  handle,
  children
}: {
  of: Account | Channel
  banner?: ActorImage
  handle: string
  children?: ComponentChildren
}): JSX.Element {
  return (
    <>
      {banner && <img class="profile-banner" src={banner.path} alt="" width={banner.width} height={banner.height} />}
      <header class="profile">
        <Avatar of={of} size="l" />
        <div class="profile-words">
          <h1>{of.displayName}</h1>
          <p class="soft">{handle}</p>
          {children}
        </div>
      </header>
      {of.description && (
        <div class="profile-about">
          <Markdown text={of.description} id={of.url} />
        </div>
      )}
    </>
  )
}

/** The handle of an actor: its name, and its host where that is another one. */
export function displayHandle({ name, host }: { name: string; host: string }): string {
  return host === location.host ? name : `${name}@${host}`
}
