import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { instanceOrigin } from '../core/config.ts'
import type { Keyring, KeyOwner } from '../fediverse/keyring.ts'
import type { HostileActor } from './hostile-peer.ts'

/** A keyring for tests of the fediverse layer: it knows the actors it is given and records the requested keys. */
export type ScriptedKeyring = Keyring & {
  knows(...actors: Pick<HostileActor, 'url' | 'keyId' | 'publicKeyPem'>[]): void
  blocks(hostOrActor: string): void
  unblocks(hostOrActor: string): void
  asked: string[]
}

/** Creates a scripted keyring; `paths` are those of its local actors. */
export function scriptedKeyring(paths = ['/accounts/peertube', '/accounts/alice', '/video-channels/films']): ScriptedKeyring {
  const owners = new Map<string, KeyOwner>()
  const blocked = new Set<string>()
  const asked: string[] = []
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signer: Keyring['signer'] = async actor => {
    if (!paths.some(path => actor === instanceOrigin() + path)) throw new Error(`${actor} is not ours`)
    return { actor, keyId: `${actor}#main-key`, privateKey }
  }
  return {
    asked,
    signer,
    instance: async () => await signer(`${instanceOrigin()}/accounts/peertube`),
    owner: async keyId => {
      asked.push(keyId)
      return owners.get(keyId) ?? null
    },
    isKnown: async actor =>
      paths.some(path => actor === instanceOrigin() + path) || [...owners.values()].some(owner => owner.actor === actor),
    isBlocked: async (host, actor) => blocked.has(host) || blocked.has(actor),
    inboxesOf: async () => [],
    knows: (...actors) => {
      for (const { url, keyId, publicKeyPem } of actors) {
        const owner = { actor: url, keyId, key: createPublicKey(publicKeyPem) }
        owners.set(keyId, owner)
        owners.set(url, owner)
      }
    },
    blocks: one => void blocked.add(one),
    unblocks: one => void blocked.delete(one)
  }
}
