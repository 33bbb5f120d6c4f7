import { createPrivateKey, type KeyObject } from 'node:crypto'
import { config, instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import type { Keyring, KeyOwner, Signer } from '../fediverse/keyring.ts'
import { parsePublicKeyPem } from '../fediverse/keys.ts'
import { httpUrl, isLocalUrl, sameOrigin } from '../fediverse/origin.ts'
import { isTransientError } from '../fediverse/transient-errors.ts'
import { RejectedRequestError } from '../fediverse/rejected-request.ts'
import { isObject } from '../fediverse/vocabulary.ts'
import { INSTANCE_ACTOR_NAME } from './instance-actor.ts'
import type { ActorModel } from './actor.model.ts'
import { resolveActorWithDocument, resolveActor, resolveHandle } from './resolve-actor.ts'

/** What is remembered for a while; the oldest goes first, as there is a bound to how much (docs/federation.md#bounded-memory). */
class Memory<T> {
  readonly #entries = new Map<string, { value: T; until: number }>()
  get(key: string): T | undefined {
    const entry = this.#entries.get(key)
    return entry && entry.until > Date.now() ? entry.value : undefined
  }

  set(key: string, value: T, ms: number): T {
    this.#entries.delete(key)
    this.#entries.set(key, { value, until: Date.now() + ms })
    if (this.#entries.size > config.federation.actors.remembered) this.#entries.delete(this.#entries.keys().next().value!)
    return value
  }

  delete(key: string): void {
    this.#entries.delete(key)
  }
  clear(): void {
    this.#entries.clear()
  }
}

const signers = new Memory<Signer>()
const owners = new Memory<KeyOwner>()
/** Keys that are not to be had: there are none, or their servers do not answer. */
const absent = new Memory<'none' | 'silent'>()
const parsed = new Memory<KeyObject>()
type Blocks = { hosts: Set<string>; actors: Set<string> }
let blocks: { until: number; read: Promise<Blocks> } | null = null

/** What the floor below asks about actors and keys, from the actors' rows. */
export const actorsKeyring: Keyring = {
  signer: async actor => {
    const known = signers.get(actor)
    if (known) return known
    const [row] = await runQuery<{ private_key: string | null }>(sql`
      SELECT private_key FROM actors WHERE url = ${actor} AND host IS NULL UNION ALL SELECT private_key FROM retired_keys WHERE url = ${actor} LIMIT 1`)
    if (!row?.private_key) throw new Error(`${actor} is no actor of this instance`)
    return signers.set(
      actor,
      { actor, keyId: `${actor}#main-key`, privateKey: createPrivateKey(row.private_key) },
      config.federation.actors.refresh_after
    )
  },
  instance: async () => await actorsKeyring.signer(`${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`),
  owner: async (keyId, refresh) => {
    const known = owners.get(keyId)
    if (known && !refresh) return known
    const { remembered_for, key_refresh, gone_for } = config.federation.actors
    const why = absent.get(keyId)
    if (why === 'none') return null
    try {
      const mine = refresh ? null : await stored(keyId)
      if (!mine && why === 'silent') throw silent()
      const owner = mine ?? (refresh ? await refreshed(keyId) : await fetchedOwner(keyId, false))
      if (owner) owners.set(keyId, owner, remembered_for)
      else if (!refresh) absent.set(keyId, 'none', key_refresh)
      return owner
    } catch (error) {
      if (!(error instanceof FetchError)) throw error
      // Who does not answer may do so in a moment, but is not waited for by every request.
      const passing = isTransientError(error)
      absent.set(keyId, passing ? 'silent' : 'none', error.kind === 'gone' || error.kind === 'missing' ? gone_for : remembered_for)
      if (passing) throw silent()
      return null
    }
  },
  isKnown: async actor => (await runQuery(sql`SELECT 1 FROM actors WHERE url = ${actor}`)).length > 0,
  isBlocked: async (host, actor) => {
    if (!blocks || blocks.until < Date.now()) {
      blocks = { until: Date.now() + config.federation.actors.blocks_for, read: readBlocks() }
      blocks.read.catch(() => {
        blocks = null
      })
    }
    const { hosts, actors } = await blocks.read
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

/** Forgets what was remembered, so that a change counts at once in this process. */
export function clearKeyringCache(): void {
  blocks = null
  signers.clear()
  owners.clear()
  absent.clear()
}

async function readBlocks(): Promise<Blocks> {
  const hosts = await runQuery<{ host: string }>(sql`SELECT host FROM blocked_hosts WHERE user_id IS NULL`)
  const actors = await runQuery<{ url: string }>(
    sql`SELECT url FROM blocked_accounts JOIN actors ON actors.id = actor_id WHERE blocked_accounts.user_id IS NULL`
  )
  return { hosts: new Set(hosts.map(row => row.host)), actors: new Set(actors.map(row => row.url)) }
}

/** What the sender is told whose server does not give his key now: nothing is wrong with the message, it shall come again. */
function silent(): RejectedRequestError {
  return new RejectedRequestError(503, 'The key of the signature cannot be asked for now', config.federation.actors.remembered_for)
}

async function stored(keyId: string): Promise<KeyOwner | null> {
  const url = keyId.split('#', 1)[0]!
  const [row] = await runQuery<{ url: string; key_id: string | null; public_key: string | null; old: boolean }>(sql`
    SELECT url, key_id, public_key FROM actors WHERE (key_id = ${keyId} OR url = ${url}) AND host IS NOT NULL AND key_id IS NOT NULL LIMIT 1`)
  return row ? ownerOf(row, keyId) : null
}

/**
 * PeerTube names the actor, others the key: both mean the one key of the actor (docs/federation.md#http-signatures,
 * docs/federation.md#keys-of-an-actor).
 */
function ownerOf(
  { url, key_id, public_key }: { url: string; key_id: string | null; public_key: string | null },
  keyId: string
): KeyOwner | null {
  if (key_id !== keyId && url !== keyId) return null
  const key = public_key === null ? null : (parsed.get(public_key) ?? parsePublicKeyPem(public_key))
  if (!key || !key_id) return null
  parsed.set(public_key!, key, config.federation.actors.refresh_after)
  return { actor: url, keyId, key }
}

/** Asks the origin again, but not more often than `federation.actors.key_refresh` (docs/federation.md#key-rotation). */
async function refreshed(keyId: string): Promise<KeyOwner | null> {
  const url = keyId.split('#', 1)[0]!
  const due = await runQuery<{ id: number }>(sql`
    UPDATE actors SET key_refreshed_at = now() WHERE (key_id = ${keyId} OR url = ${url}) AND host IS NOT NULL
      AND (key_refreshed_at IS NULL OR key_refreshed_at < now() - make_interval(secs => ${config.federation.actors.key_refresh / 1000}::double precision)) RETURNING id`)
  if (due.length === 0) return await stored(keyId)
  try {
    return await fetchedOwner(keyId, true)
  } catch (error) {
    // Nothing was learnt: it does not count as asking.
    await runQuery(sql`UPDATE actors SET key_refreshed_at = NULL WHERE id = ANY(${due.map(({ id }) => id)}::int[])`)
    throw error
  }
}

async function fetchedOwner(keyId: string, refresh: boolean): Promise<KeyOwner | null> {
  if (keyId.startsWith('acct:')) {
    const { url, keyId: itsKey, publicKey } = await resolveHandle(keyId.slice(5))
    return ownerOf({ url, key_id: itsKey, public_key: publicKey }, url)
  }
  const url = httpUrl(keyId)
  if (!url || isLocalUrl(url)) return null
  const address = url.split('#', 1)[0]!
  const actor = await asked(address, refresh).catch(async (error: unknown) => {
    if (error instanceof FetchError && error.kind === 'invalid') return await ofKeyDocument(address, refresh)
    throw error
  })
  return actor ? ownerOf({ url: actor.url, key_id: actor.keyId, public_key: actor.publicKey }, keyId) : null
}

/** An actor; where `refresh`, as its server describes it now. Throws FetchError. */
async function asked(address: string, refresh: boolean): Promise<ActorModel> {
  const { actor, fetched } = await resolveActorWithDocument(address, { refresh })
  if (refresh && !fetched) throw new FetchError('unreachable', `${address} could not be refreshed`)
  return actor
}

/** A key may have a document of its own; it counts if the actor it names names it. */
async function ofKeyDocument(address: string, refresh: boolean) {
  const { document } = await fetchRemoteDocument(address)
  const owner = httpUrl(isObject(document.publicKey) ? document.publicKey.owner : document.owner)
  return owner && sameOrigin(owner, address) ? await resolveActor(owner, { refresh }) : null
}
