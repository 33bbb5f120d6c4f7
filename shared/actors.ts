import { z } from 'zod'
import { Timestamp } from './fields.ts'
import { isHost } from './hosts.ts'

/** One size of an avatar or banner. */
export const ActorImage = z.object({
  width: z.int(),
  height: z.int().optional(),
  path: z.string(),
  fileUrl: z.string().optional(),
  createdAt: Timestamp,
  updatedAt: Timestamp
})

/** The fields that every actor has. */
const Actor = z.object({
  id: z.int(),
  url: z.string(),
  name: z.string(),
  host: z.string(),
  avatars: z.array(ActorImage),
  hostRedundancyAllowed: z.boolean(),
  followingCount: z.int(),
  followersCount: z.int(),
  createdAt: Timestamp,
  updatedAt: Timestamp,
  displayName: z.string()
})

/** An account: a person who publishes and comments. */
export const Account = Actor.extend({ description: z.string().nullable(), userId: z.int().optional() })

/** A channel: publishes videos and has followers. */
export const Channel = Actor.extend({
  banners: z.array(ActorImage),
  description: z.string().nullable(),
  support: z.string().nullable(),
  isLocal: z.boolean(),
  ownerAccount: Account.optional()
})

/** An actor as video cards show it. */
export const ActorSummary = z.object({
  id: z.int(),
  name: z.string(),
  displayName: z.string(),
  url: z.string(),
  host: z.string(),
  avatars: z.array(ActorImage)
})

const ACTOR_NAME = /^@?[\p{L}\p{M}\p{N}_.:-]{1,120}$/u

/** The name of an account or channel, in any script, optionally with its host: `name` or `name@host`. */
export const ActorHandle = actorHandle(false, 'Invalid value')
/** The name of an account or channel with its host, also of a local one: `name@host`. */
export const FullActorHandle = actorHandle(true, 'Should have a valid handle (name@host)')

/** The schema of `name@host`; without `hostNeeded` of `name` alone, too. A leading `@` is accepted. */
export function actorHandle(hostNeeded: boolean, message: string) {
  return z.string(message).refine(handle => {
    const [, name, host] = /^(@?[^@]*)(?:@(.*))?$/s.exec(handle) ?? []
    return name !== undefined && ACTOR_NAME.test(name) && (host === undefined ? !hostNeeded : isHost(host))
  }, message)
}

/** The schema of the name of a new local account or channel. */
export function localActorName(max: number, message: string) {
  return z
    .string(message)
    .min(1, message)
    .max(max, message)
    .regex(/^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$/, message)
}

export type ActorImage = z.output<typeof ActorImage>
export type Account = z.output<typeof Account>
export type Channel = z.output<typeof Channel>
export type ActorSummary = z.output<typeof ActorSummary>
