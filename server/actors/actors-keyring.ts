import { createPrivateKey, type KeyObject } from 'node:crypto'
import { config, instanceOrigin } from '../core/config.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import type { Keyring, KeyOwner, Signer } from '../fediverse/keyring.ts'
import { parsePublicKeyPem } from '../fediverse/keys.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { runAsRequest } from '../core/request-context.ts'
import { isTransientError } from '../fediverse/transient-errors.ts'
import { RejectedRequestError } from '../fediverse/rejected-request.ts'
import { formsOf, isObject } from '../fediverse/vocabulary.ts'
import { INSTANCE_ACTOR_NAME } from './instance-actor.ts'
import type { ActorModel } from './actor.model.ts'
import { resolveActorWithDocument, resolveActor, resolveHandle } from './resolve-actor.ts'
import { REMOTE_ACTORS } from './actor-internals.ts'

/** A cache with a TTL per entry; when it is full, the oldest entry is removed (docs/federation.md#bounded-memory). */
class TtlCache<T> {
  readonly #entries = new Map<string, { value: T; until: number }>()
  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.until > Date.now() ? entry.value : undefined
  }

  set(key: string, value: T, ms: number): T {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until: Date.now() + ms })
    if (this.#entries.size > REMOTE_ACTORS.remembered) this.#entries.delete(this.#entries.keys().next().value!)
    return value
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }
  clear(): void {
    this.#entries.clear()
  }
}

const signerCache = new TtlCache<Signer>()
const ownerCache = new TtlCache<KeyOwner>()
/** Keys that cannot be fetched: they do not exist, or their servers do not respond. */
const failedKeys = new TtlCache<'none' | 'silent'>()
const parsedKeys = new TtlCache<KeyObject>()
type Blocks = { hosts: Set<string>; actors: Set<string> }
let blocksCache: { until: number; read: Promise<Blocks> } | null = null

/** The keyring of the fediverse layer, backed by the table of actors. */
export const actorsKeyring: Keyring = {
  signer: async actor => {
    const known = signerCache.get(actor)
    if (known) return known
    const [row] = await runQuery<{ private_key: string | null }>(sql`
      SELECT private_key FROM actors WHERE url = ${actor} AND host IS NULL
      UNION ALL SELECT private_key FROM retired_keys WHERE url = ${actor} LIMIT 1`)
    if (!row?.private_key) throw new Error(`${actor} is no actor of this instance`)
    return signerCache.set(
      actor,
      { actor, keyId: `${actor}#main-key`, privateKey: createPrivateKey(row.private_key) },
      config.federation.actors.refresh_after
    )
  },
  instance: async () => await actorsKeyring.signer(`${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`),
  owner: async (keyId, refresh) => {
    const known = ownerCache.get(keyId)
    if (known && !refresh) return known
    const { rememberedFor, keyRefresh, goneFor } = REMOTE_ACTORS
    const failure = failedKeys.get(keyId)
    if (failure === 'none') return null
    try {
      const storedOwner = refresh ? null : await findStoredOwner(keyId)
      if (!storedOwner && failure === 'silent') throw keyUnavailable()
      const owner = storedOwner ?? (refresh ? await refreshOwner(keyId) : await fetchOwner(keyId, false))
      if (owner) ownerCache.set(keyId, owner, rememberedFor)
      else if (!refresh) failedKeys.set(keyId, 'none', keyRefresh)
      return owner
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      // A server that does not respond may do so soon, but not every request should wait for it.
      const isTransient = isTransientError(error)
      failedKeys.set(keyId, isTransient ? 'silent' : 'none', error.kind === 'gone' || error.kind === 'missing' ? goneFor : rememberedFor)
      if (isTransient) throw keyUnavailable()
      return null
    }
  },
  isKnown: async actor => (await runQuery(sql`SELECT 1 FROM actors WHERE url = ${actor}`)).length > 0,
  isBlocked: async (host, actor) => {
    if (!blocksCache || blocksCache.until < Date.now()) {
      blocksCache = { until: Date.now() + REMOTE_ACTORS.blocksFor, read: runAsRequest(readBlocks) }
      blocksCache.read.catch(() => {
        blocksCache = null
      })
    }
    const { hosts, actors } = await blocksCache.read
    return hosts.has(host) || actors.has(actor)
  },
  inboxesOf: async actors =>
    (
      await runQuery<{ inbox: string }>(sql`
    SELECT DISTINCT coalesce(follower.shared_inbox_url, follower.inbox_url) AS inbox
    FROM follows JOIN actors target ON target.id = follows.target_id JOIN actors follower ON follower.id = follows.actor_id
    WHERE target.url = ANY(${actors}) AND follows.state = 'accepted' AND follower.host IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM blocked_hosts WHERE blocked_hosts.host = follower.host AND user_id IS NULL)`)
    ).map(row => row.inbox)
}

/** Clears the caches of keys and blocks, so that a change takes effect at once in this process. */
export function clearKeyringCache(): void {
  blocksCache = null
  signerCache.clear()
  ownerCache.clear()
  failedKeys.clear()
}

async function readBlocks(): Promise<Blocks> {
  const hosts = await runQuery<{ host: string }>(sql`SELECT host FROM blocked_hosts WHERE user_id IS NULL`)
  const actors = await runQuery<{ url: string }>(
    sql`SELECT url FROM blocked_accounts JOIN actors ON actors.id = actor_id WHERE blocked_accounts.user_id IS NULL`
  )
  return { hosts: new Set(hosts.map(row => row.host)), actors: new Set(actors.map(row => row.url)) }
}

/** A 503 with Retry-After: the key of the sender cannot be fetched now, so that it sends the activity again. */
function keyUnavailable(): RejectedRequestError {
  return new RejectedRequestError(503, 'The key of the signature cannot be asked for now', REMOTE_ACTORS.rememberedFor)
}

async function findStoredOwner(keyId: string): Promise<KeyOwner | null> {
  const url = keyId.split('#', 1)[0]!
  const [row] = await runQuery<{ url: string; key_id: string | null; public_key: string | null; old: boolean }>(sql`
    SELECT url, key_id, public_key FROM actors
    WHERE (key_id = ${keyId} OR url = ${url}) AND host IS NOT NULL AND key_id IS NOT NULL LIMIT 1`)
  return row ? ownerOf(row, keyId) : null
}

/**
 * Returns the owner of a key. PeerTube's keyId is the URL of the actor, that of others the id of the key: both mean the one key of the
 * actor (docs/federation.md#http-signatures, docs/federation.md#keys-of-an-actor).
 */
function ownerOf(
  { url, key_id, public_key }: { url: string; key_id: string | null; public_key: string | null },
  keyId: string
): KeyOwner | null {
  if (key_id !== keyId && url !== keyId) return null
  const key = public_key === null ? null : (parsedKeys.get(public_key) ?? parsePublicKeyPem(public_key))
  if (!key || !key_id) return null
  parsedKeys.set(public_key!, key, config.federation.actors.refresh_after)
  return { actor: url, keyId, key }
}

/** Fetches the key again, at most once every `REMOTE_ACTORS.keyRefresh` (docs/federation.md#key-rotation). */
async function refreshOwner(keyId: string): Promise<KeyOwner | null> {
  const url = keyId.split('#', 1)[0]!
  const due = await runQuery<{ id: number }>(sql`
    UPDATE actors SET key_refreshed_at = now() WHERE (key_id = ${keyId} OR url = ${url}) AND host IS NOT NULL
      AND (key_refreshed_at IS NULL
        OR key_refreshed_at < now() - ${sqlInterval(REMOTE_ACTORS.keyRefresh)})
    RETURNING id`)
  if (due.length === 0) return await findStoredOwner(keyId)
  try {
    return await fetchOwner(keyId, true)
  } catch (error) {
    // A failed fetch does not count as a refresh.
    await runQuery(sql`UPDATE actors SET key_refreshed_at = NULL WHERE id = ANY(${due.map(({ id }) => id)}::int[])`)
    throw error
  }
}

async function fetchOwner(keyId: string, refresh: boolean): Promise<KeyOwner | null> {
  if (keyId.startsWith('acct:')) {
    const { url, keyId: actorKeyId, publicKey } = await resolveHandle(keyId.slice(5))
    return ownerOf({ url, key_id: actorKeyId, public_key: publicKey }, url)
  }
  const url = httpUrl(keyId)
  if (!url || isLocalUrl(url)) return null
  const documentUrl = url.split('#', 1)[0]!
  const actor = await resolveKeyActor(documentUrl, refresh).catch(async (error: unknown) => {
    if (error instanceof FetchError && error.kind === 'invalid') return await resolveOwnerOfKeyDocument(documentUrl, refresh)
    throw error
  })
  return actor ? ownerOf({ url: actor.url, key_id: actor.keyId, public_key: actor.publicKey }, keyId) : null
}

/** Resolves an actor; with `refresh` it must be fetched now. Throws FetchError. */
async function resolveKeyActor(url: string, refresh: boolean): Promise<ActorModel> {
  const { actor, fetched } = await resolveActorWithDocument(url, { refresh })
  if (refresh && !fetched) throw new FetchError('unreachable', `${url} could not be refreshed`)
  return actor
}

/** Resolves the actor that owns a key with a separate document; the actor must be of the same origin and list the key. */
async function resolveOwnerOfKeyDocument(url: string, refresh: boolean) {
  const { document } = await fetchRemoteDocument(url)
  const listedKey = formsOf(document.publicKey).find(isObject)
  const owner = httpUrl((listedKey ?? document).owner)
  return owner && sameOrigin(owner, url) ? await resolveActor(owner, { refresh }) : null
}
