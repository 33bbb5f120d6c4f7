import type { ActorFollow } from '../../../shared/follows.ts'

/** The name of the actor that represents a whole server (PeerTube's convention). */
const INSTANCE_ACTOR_NAME = 'peertube'

/** Returns the display name of a side of a follow: the host for the actor of a whole server, the handle for any other actor. */
export function followName({ name, host }: Pick<ActorFollow['follower'], 'name' | 'host'>): string {
  return name === INSTANCE_ACTOR_NAME ? host : `${name}@${host}`
}

/** Returns the handle of a side of a follow as the API expects it: `name@host`. */
export function followHandle({ name, host }: ActorFollow['follower']): string {
  return `${name}@${host}`
}

/** Returns the display name for the handle of an actor that is not resolved yet. */
export function followNameFromHandle(handle: string): string {
  const [name = '', host = ''] = handle.split('@')
  return followName({ name, host })
}

/** Parses hosts, origins (`https://host`) and handles separated by white space, commas or semicolons; anything else is in `invalid`. */
export function parseFollowTargets(text: string): { hosts: string[]; handles: string[]; invalid: string[] } {
  const targets = { hosts: [] as string[], handles: [] as string[], invalid: [] as string[] }
  for (const entry of text.split(/[\s,;]+/).filter(Boolean)) {
    const target = entry.replace(/^https?:\/\//i, '').replace(/\/+$/, '')
    if (/^@?[\w.-]{1,120}@[\w.:[\]-]{1,255}$/.test(target)) targets.handles.push(target.replace(/^@/, ''))
    else if (/^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:\d{1,5})?$/i.test(target))
      targets.hosts.push(target.toLowerCase())
    else targets.invalid.push(entry)
  }
  return targets
}
