import type { KeyObject } from 'node:crypto'

/** Who signs a request: a local actor with its private key. */
export type Signer = { actor: string; keyId: string; privateKey: KeyObject }
/** Whose key a key id is: an actor, with the key as this instance knows it. `key` null: the actor is known to be gone. */
export type KeyOwner = { actor: string; keyId: string; key: KeyObject }

/** How the floor above tells this one about actors and their keys. */
export type Keyring = {
  /** The local actor at a URL. Throws when there is none. */
  signer(actor: string): Promise<Signer>
  /** The actor that speaks for the instance itself. */
  instance(): Promise<Signer>
  /**
   * The owner of a key, fetched where it is not known, asked anew where `refresh` and the last time is long enough ago.
   * Null: no such key, the document does not agree with it (docs/federation.md#keys-of-an-actor), or it was gone a moment ago. Throws
   * Refused 503 where
   * its server does not answer.
   */
  owner(keyId: string, refresh: boolean): Promise<KeyOwner | null>
  /** Whether an actor is stored here; asks nobody. */
  isKnown(actor: string): Promise<boolean>
  /** Whether a host, or one of its actors, is refused by this instance. */
  isBlocked(host: string, actor: string): Promise<boolean>
  /** The inboxes of an audience (outbox): followers' shared inboxes, without blocked hosts. One row a host and inbox. */
  inboxesOf(actors: string[]): Promise<string[]>
}

/** The keyring of this process; set once at start by the actors floor. */
export let keyring: Keyring

/** Sets it. */
export function setKeyring(given: Keyring): void {
  keyring = given
}
