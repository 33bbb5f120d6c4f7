import type { Transaction } from 'sequelize'
import { config, instanceHost } from '../core/config.ts'
import { acquireTextLocks } from '../core/locks.ts'
import { transaction } from '../core/transaction.ts'
import { logger } from '../core/logger.ts'
import { runQuery, sql } from '../core/sql.ts'
import { FetchBudget, FetchError, fetchRemoteDocument, fetchRemoteJson } from '../fediverse/remote-fetch.ts'
import { httpUrl, isLocalUrl, originOf, sameOrigin } from '../fediverse/origin.ts'
import { canonicalUrl } from '../fediverse/local-addresses.ts'
import { addTombstone, isTombstoned } from '../fediverse/tombstones.ts'
import { isObject, listOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { ActorModel } from './actor.model.ts'
import { parseActorDocument, type RemoteActor } from './actor.codec.ts'
import { storeRemoteActorImages } from './remote-actor-images.ts'

type ResolveOptions = { budget?: FetchBudget; refresh?: boolean }

/** An actor; `fetched` is its parsed document if it was fetched by this call. */
export type ResolvedActor = { actor: ActorModel; fetched: RemoteActor | null }

/**
 * Resolves the actor at a URL: a local one, a stored one, or one fetched from its origin if it is unknown or older than
 * `federation.actors.refresh_after`. If a refresh fails, the stored actor is returned; an actor that does not exist any more is removed.
 * Throws FetchError.
 */
export async function resolveActor(address: string, options: ResolveOptions = {}): Promise<ActorModel> {
  return (await resolveActorWithDocument(address, options)).actor
}

/** As `resolveActor`, with the document if it was fetched. */
export async function resolveActorWithDocument(
  address: string,
  { budget = new FetchBudget(), refresh = false }: ResolveOptions = {}
): Promise<ResolvedActor> {
  const named = httpUrl(address.split('#', 1)[0])
  if (!named) throw new FetchError('refused', 'This is no address')
  const url = await canonicalUrl(named)
  const known = await ActorModel.findOne({ where: { url } })
  if (isLocalUrl(url)) {
    if (!known) throw new FetchError('missing', `${url} is nobody here`)
    return { actor: known, fetched: null }
  }
  if (known && !refresh && (known.refreshedAt?.getTime() ?? 0) > Date.now() - config.federation.actors.refresh_after)
    return { actor: known, fetched: null }
  try {
    return await fetchActor(url, budget)
  } catch (error) {
    if (!(error instanceof FetchError) || !known) throw error
    if (error.kind === 'gone' || (error.kind === 'missing' && !refresh)) {
      await removeRemoteActor(known)
      throw error
    }
    logger.debug('An actor could not be refreshed', { url, reason: error.message })
    return { actor: known, fetched: null }
  }
}

/** Resolves a handle `name@host` by WebFinger (RFC 7033) to the actor of its `self` link. Throws FetchError. */
export async function resolveHandle(handle: string, { budget = new FetchBudget() }: { budget?: FetchBudget } = {}): Promise<ActorModel> {
  const [name, host] = handle.replace(/^@/, '').split('@')
  if (!name || !host) throw new FetchError('refused', 'This is no handle')
  if (host.toLowerCase() === instanceHost().toLowerCase()) {
    const [row] = await runQuery<{ url: string }>(
      sql`SELECT url FROM actors WHERE host IS NULL AND lower(preferred_username) = lower(${name})`
    )
    if (!row) throw new FetchError('missing', `${handle} is nobody here`)
    return await resolveActor(row.url)
  }
  const base = origins(host).find(one => one !== null)
  if (!base) throw new FetchError('refused', 'This is no host')
  const { document } = await fetchRemoteJson(`${base}/.well-known/webfinger?resource=${encodeURIComponent(`acct:${name}@${host}`)}`, {
    budget
  })
  const link = listOf(document.links)
    .filter(isObject)
    .find(one => one.rel === 'self' && /activity\+json|ld\+json/.test(String(one.type)))
  const url = httpUrl(link?.href)
  if (!url) throw new FetchError('invalid', `${handle} leads to no actor`)
  return await resolveActor(url, { budget })
}

/** Returns the origin of a host: https, or http in a test network without https and SSRF protection; null for an invalid host. */
function origins(host: string): (string | null)[] {
  return config.webserver.https || config.federation.prevent_ssrf ? [originOf(`https://${host}`)] : [originOf(`http://${host}`)]
}

type RemoteGroupHandler = (actorId: number, remote: RemoteActor, budget: FetchBudget) => Promise<unknown>
let remoteGroupHandler: RemoteGroupHandler = async () => undefined

/** Sets the handler that stores the channel of a fetched Group (set by the channels layer). */
export function setRemoteGroupHandler(handler: RemoteGroupHandler): void {
  remoteGroupHandler = handler
}

async function fetchActor(address: string, budget: FetchBudget): Promise<ResolvedActor> {
  if (await isTombstoned(address)) throw new FetchError('gone', `${address} was deleted`)
  const { url, document } = await fetchRemoteDocument(address, { budget })
  if (!sameOrigin(url, address)) throw new FetchError('invalid', `${address} leads to an actor of another origin`)
  return await storeActorDocument(url, document, budget)
}

/** Stores an actor from its document, fetched from its URL; a Group also as a channel. Throws FetchError. */
export async function storeActorDocument(url: string, document: JsonObject, budget: FetchBudget): Promise<ResolvedActor> {
  const remote = parseActorDocument(document)
  if (!remote || remote.url !== url) throw new FetchError('invalid', `${url} is no actor that can be taken`)
  const actor = await transaction(async tx => await storeRemoteActor(remote, tx))
  // A Group without an owner is no channel, but still an actor with a key.
  if (remote.type === 'Group')
    await remoteGroupHandler(actor.id, remote, budget).catch((error: unknown) =>
      logger.debug('A group is no channel', { url, reason: (error as Error).message })
    )
  return { actor, fetched: remote }
}

/** Stores a remote actor. Throws FetchError for a second actor of the same name, host and type (docs/federation.md#actors). */
export async function storeRemoteActor(remote: RemoteActor, tx: Transaction): Promise<ActorModel> {
  await acquireTextLocks('REMOTE_ACTOR_NAME', [`${remote.preferredUsername}@${remote.host}`.toLowerCase()], tx)
  const [other] = await runQuery<{ url: string }>(
    sql`
    SELECT url FROM actors WHERE lower(host) = lower(${remote.host}) AND lower(preferred_username) = lower(${remote.preferredUsername})
      AND type = ${remote.type} AND url <> ${remote.url}`,
    tx
  )
  if (other) throw new FetchError('invalid', `${remote.preferredUsername}@${remote.host} is somebody else`)
  const [row] = await runQuery<{ id: number }>(
    sql`
    INSERT INTO actors (type, url, preferred_username, host, public_key, key_id, inbox_url, outbox_url, shared_inbox_url,
      followers_url, following_url, playlists_url, remote_created_at, avatar_url, banner_url, refreshed_at, created_at, updated_at)
    VALUES (${remote.type}, ${remote.url}, ${remote.preferredUsername}, ${remote.host}, ${remote.publicKeyPem}, ${remote.keyId},
      ${remote.inboxUrl}, ${remote.outboxUrl}, ${remote.sharedInboxUrl}, ${remote.followersUrl}, ${remote.followingUrl},
      ${remote.playlistsUrl}, ${remote.publishedAt}, ${remote.avatarUrl}, ${remote.bannerUrl}, now(), now(), now())
    ON CONFLICT (url) DO UPDATE SET preferred_username = excluded.preferred_username, public_key = excluded.public_key,
      key_id = excluded.key_id, inbox_url = excluded.inbox_url, outbox_url = excluded.outbox_url,
      shared_inbox_url = excluded.shared_inbox_url, followers_url = excluded.followers_url, following_url = excluded.following_url,
      playlists_url = excluded.playlists_url, avatar_url = excluded.avatar_url, banner_url = excluded.banner_url,
      refreshed_at = now(), updated_at = now() WHERE actors.host IS NOT NULL AND actors.type = excluded.type
    RETURNING id`,
    tx
  )
  if (!row) throw new FetchError('invalid', `${remote.url} has become something else`)
  await storeRemoteActorImages(row.id, remote, tx)
  if (remote.type !== 'Group') {
    await runQuery(
      sql`
      INSERT INTO accounts (actor_id, name, description, created_at, updated_at)
      VALUES (${row.id}, ${remote.displayName}, ${remote.summary}, now(), now())
      ON CONFLICT (actor_id) DO UPDATE SET name = excluded.name, description = excluded.description, updated_at = now()`,
      tx
    )
    // The default channel of an account of software without channels is the same actor.
    await runQuery(
      sql`UPDATE channels SET name = ${remote.displayName}, description = ${remote.summary}, updated_at = now() WHERE actor_id = ${row.id}`,
      tx
    )
  }
  return await ActorModel.findByPk(row.id, { transaction: tx, rejectOnEmpty: true })
}

/** Removes a remote actor with its channels and videos and adds a tombstone, so that old activities do not restore it. */
export async function removeRemoteActor(actor: Pick<ActorModel, 'id' | 'url' | 'host'>): Promise<void> {
  if (actor.host === null) throw new Error('A local actor is removed by its owner')
  await transaction(async tx => {
    await addTombstone(actor.url, tx)
    await runQuery(
      sql`DELETE FROM videos USING channels WHERE channels.id = videos.channel_id
        AND (channels.actor_id = ${actor.id} OR channels.account_id IN (SELECT id FROM accounts WHERE actor_id = ${actor.id}))`,
      tx
    )
    // The channels of the account are actors, too.
    await runQuery(
      sql`DELETE FROM actors WHERE id IN (
        SELECT channels.actor_id FROM channels JOIN accounts ON accounts.id = channels.account_id WHERE accounts.actor_id = ${actor.id})`,
      tx
    )
    await runQuery(sql`DELETE FROM actors WHERE id = ${actor.id}`, tx)
  })
}
