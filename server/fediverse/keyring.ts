import type { KeyObject } from 'node:crypto'

/** The local actor that signs a request, with its private key. */
export type Signer = { actor: string; keyId: string; privateKey: KeyObject }
/** The owner of a key id: an actor, with its key as known here. */
export type KeyOwner = { actor: string; keyId: string; key: KeyObject }

/** Access to actors and their keys, implemented by the actors feature above this layer. */
export type Keyring = {
  /** Returns the local actor at a URL. Throws if there is none. */
  signer(actor: string): Promise<Signer>
  /** Returns the actor of the instance itself. */
  instance(): Promise<Signer>
  /**
   * Returns the owner of a key, fetched if it is unknown, fetched again if `refresh` and the last fetch is old enough. Null: no such key,
   * its document does not match it (docs/federation.md#keys-of-an-actor), or it was gone a moment ago. Throws RejectedRequestError 503 if
   * its server does not answer.
   */
  owner(keyId: string, refresh: boolean): Promise<KeyOwner | null>
  /** Whether an actor is stored here; fetches nothing. */
  isKnown(actor: string): Promise<boolean>
  /** Whether a host, or one of its actors, is blocked by this instance. */
  isBlocked(host: string, actor: string): Promise<boolean>
  /** Returns the inboxes of the followers of actors (shared ones where they exist), without blocked hosts; one entry a host and inbox. */
  inboxesOf(actors: string[]): Promise<string[]>
}

/** The keyring of this process, set once at start by the actors feature. */
export let keyring: Keyring

/** Sets the keyring of this process. */
export function setKeyring(implementation: Keyring): void {
  keyring = implementation
}
