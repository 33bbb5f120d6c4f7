import type { ActorFollow } from '../../../shared/follows.ts'

/** The name of the actor that stands for a whole server. */
const WHOLE_SERVER = 'peertube'

/** How a side of a follow is called: a server by its host, anybody else by the handle. */
export function followName({ name, host }: Pick<ActorFollow['follower'], 'name' | 'host'>): string {
  return name === WHOLE_SERVER ? host : `${name}@${host}`
}

/** The handle of a side, as the server takes it. */
export function followHandle({ name, host }: ActorFollow['follower']): string {
  return `${name}@${host}`
}

/** How somebody is called who was not found yet. */
export function followNameFromHandle(handle: string): string {
  const [name = '', host = ''] = handle.split('@')
  return followName({ name, host })
}

/** Reads what an administrator wrote: hosts, addresses and handles, between spaces, commas or lines. What is neither is in `wrong`. */
export function parseFollowTargets(text: string): { hosts: string[]; handles: string[]; wrong: string[] } {
  const found = { hosts: [] as string[], handles: [] as string[], wrong: [] as string[] }
  for (const word of text.split(/[\s,;]+/).filter(Boolean)) {
    const bare = word.replace(/^https?:\/\//i, '').replace(/\/+$/, '')
    if (/^@?[\w.-]{1,120}@[\w.:[\]-]{1,255}$/.test(bare)) found.handles.push(bare.replace(/^@/, ''))
    else if (/^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:]+\])(:\d{1,5})?$/i.test(bare))
      found.hosts.push(bare.toLowerCase())
    else found.wrong.push(word)
  }
  return found
}
