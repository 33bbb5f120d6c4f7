import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { instanceHost, instanceOrigin } from '../core/config.ts'
import { queryAs, sql } from '../core/sql.ts'
import { withContext } from '../fediverse/jsonld-context.ts'

const LocalActorSchema = z.object({
  id: z.int(),
  type: z.enum(['Person', 'Group', 'Application', 'Service', 'Organization']),
  url: z.string(),
  name: z.string(),
  publicKey: z.string(),
  createdAt: z.date(),
  displayName: z.string().nullable(),
  description: z.string().nullable(),
  support: z.string().nullable(),
  owner: z.string().nullable(),
  images: z.array(z.object({ kind: z.enum(['avatar', 'banner']), filename: z.string(), width: z.int(), height: z.int() }))
})
/** A local actor with everything its ActivityPub document contains. */
export type LocalActorRow = z.output<typeof LocalActorSchema>

/** Finds a local account or channel by its name, URL or actor id; null if there is none. */
export async function findLocalActor(
  by: { kind: 'account' | 'channel'; name: string } | { url: string } | { id: number },
  tx?: Transaction
): Promise<LocalActorRow | null> {
  const condition =
    'id' in by
      ? sql`actor.id = ${by.id}`
      : 'url' in by
        ? sql`actor.url = ${by.url}`
        : sql`lower(actor.preferred_username) = lower(${by.name}) AND (actor.type = 'Group') = ${by.kind === 'channel'}`
  const [row] = await queryAs(
    LocalActorSchema,
    sql`
    SELECT actor.id, actor.type, actor.url, actor.preferred_username AS name, actor.public_key AS "publicKey",
      actor.created_at AS "createdAt",
      coalesce(account.name, channel.name) AS "displayName", coalesce(account.description, channel.description) AS description,
      channel.support, owner_actor.url AS owner,
      (SELECT coalesce(json_agg(json_build_object('kind', kind, 'filename', filename, 'width', width, 'height', height)
          ORDER BY width DESC), '[]') FROM actor_images WHERE actor_id = actor.id) AS images
    FROM actors actor LEFT JOIN accounts account ON account.actor_id = actor.id LEFT JOIN channels channel ON channel.actor_id = actor.id
      LEFT JOIN accounts owner ON owner.id = channel.account_id LEFT JOIN actors owner_actor ON owner_actor.id = owner.actor_id
    WHERE actor.host IS NULL AND ${condition}`,
    tx
  )
  return row ?? null
}

/** Serializes the document of a local actor (docs/federation.md#actors), with what PeerTube, Mastodon and Lemmy need to follow it. */
export function serializeActorDocument(row: LocalActorRow): { id: string; [key: string]: unknown } {
  return withContext('actor', serializeActorObject(row))
}

/** Serializes a local actor without `@context`, as the object of an activity. */
export function serializeActorObject({
  type,
  url,
  name,
  publicKey,
  createdAt,
  displayName,
  description,
  support,
  owner,
  images
}: LocalActorRow): {
  id: string
  [key: string]: unknown
} {
  const imagesOf = (kind: 'avatar' | 'banner', folder: string) =>
    images
      .filter(one => one.kind === kind)
      .map(({ filename, width, height }) => ({
        type: 'Image',
        mediaType: mediaTypeOf(filename),
        width,
        height,
        url: `${instanceOrigin()}/lazy-static/${folder}/${filename}`
      }))
  const [icon, image] = [imagesOf('avatar', 'avatars'), imagesOf('banner', 'banners')]
  return {
    type,
    id: url,
    following: `${url}/following`,
    followers: `${url}/followers`,
    playlists: `${url}/playlists`,
    inbox: `${url}/inbox`,
    outbox: `${url}/outbox`,
    preferredUsername: name,
    url,
    name: displayName ?? name,
    endpoints: { sharedInbox: `${instanceOrigin()}/inbox` },
    publicKey: { id: `${url}#main-key`, owner: url, publicKeyPem: publicKey },
    published: createdAt.toISOString(),
    ...(icon.length > 0 ? { icon } : {}),
    ...(image.length > 0 ? { image } : {}),
    summary: description,
    discoverable: true,
    indexable: true,
    manuallyApprovesFollowers: false,
    webfinger: `${name}@${instanceHost()}`,
    ...(type === 'Group' ? { support, postingRestrictedToMods: true, attributedTo: [{ type: 'Person', id: owner }] } : {})
  }
}

function mediaTypeOf(filename: string): string {
  const extension = filename.slice(filename.lastIndexOf('.') + 1)
  return extension === 'jpg' ? 'image/jpeg' : `image/${extension}`
}
