import type { ComponentChildren, JSX } from 'preact'
import type { Account, ActorImage, Channel } from '../../../shared/actors.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Markdown } from '../ui/markdown.tsx'
import './actor-header.css'

/** The header of the page of a channel or an account: banner, avatar, name, handle, description. */
export function ActorHeader({
  actor,
  banner,
  handle,
  children
}: {
  actor: Account | Channel
  banner?: ActorImage
  handle: string
  children?: ComponentChildren
}): JSX.Element {
  return (
    <>
      {banner && <img class="profile-banner" src={banner.path} alt="" width={banner.width} height={banner.height} />}
      <header class="profile">
        <Avatar of={actor} size="l" />
        <div class="profile-words">
          <h1>{actor.displayName}</h1>
          <p class="soft">{handle}</p>
          {children}
        </div>
      </header>
      {actor.description && (
        <div class="profile-about">
          <Markdown text={actor.description} id={actor.url} />
        </div>
      )}
    </>
  )
}

/** Returns the handle of an actor: `name`, or `name@host` for an actor of another server. */
export function displayHandle({ name, host }: { name: string; host: string }): string {
  return host === location.host ? name : `${name}@${host}`
}
