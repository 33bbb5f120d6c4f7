import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { FetchBudget, FetchError } from '../fediverse/remote-fetch.ts'
import type { RemoteActor } from '../actors/actor.codec.ts'
import { resolveActorWithDocument, resolveActor, setRemoteGroupHandler } from '../actors/resolve-actor.ts'
import { ChannelModel } from './channel.model.ts'

/**
 * Resolves the channel (Group) at a URL with its owner: local, stored or fetched. The owner is an account of the same origin in the
 * `attributedTo` of the Group; a channel cannot move to an owner of another server. Throws FetchError.
 */
export async function resolveChannel(
  address: string,
  { budget = new FetchBudget(), refresh = false }: { budget?: FetchBudget; refresh?: boolean } = {}
): Promise<ChannelModel> {
  const { actor, fetched } = await resolveActorWithDocument(address, { budget, refresh })
  const known = await ChannelModel.findOne({ where: { actorId: actor.id } })
  if (known) return known
  if (actor.type !== 'Group') throw new FetchError('invalid', `${address} is no channel`)
  const document = fetched ?? (await resolveActorWithDocument(address, { budget, refresh: true })).fetched
  if (!document) throw new FetchError('unreachable', `${address} cannot be asked now`)
  return await storeChannel(actor.id, document, budget)
}

/**
 * As `resolveChannel`; for an account of software without channels it is the default channel of the account, which is the same actor, made
 * where there is none. Throws FetchError.
 */
export async function resolveChannelOrDefault(
  address: string,
  { budget = new FetchBudget(), refresh = false }: { budget?: FetchBudget; refresh?: boolean } = {}
): Promise<ChannelModel> {
  const actor = await resolveActor(address, { budget, refresh })
  if (actor.type === 'Group' || actor.host === null) return await resolveChannel(address, { budget })
  await transaction(
    async tx =>
      await runQuery(
        sql`
    INSERT INTO channels (actor_id, account_id, name, description, created_at, updated_at)
    SELECT actor_id, id, name, description, now(), now() FROM accounts WHERE actor_id = ${actor.id} ON CONFLICT (actor_id) DO NOTHING`,
        tx
      )
  )
  return await ChannelModel.findOne({ where: { actorId: actor.id }, rejectOnEmpty: true })
}

/** Stores the channel of every fetched Group; called once at start. */
export function registerRemoteGroupHandler(): void {
  setRemoteGroupHandler(storeChannel)
}

async function storeChannel(actorId: number, remote: RemoteActor, budget: FetchBudget): Promise<ChannelModel> {
  const accountId = await resolveOwnerAccountId(remote, budget)
  await transaction(
    async tx =>
      await runQuery(
        sql`
    INSERT INTO channels (actor_id, account_id, name, description, support, created_at, updated_at)
    VALUES (${actorId}, ${accountId}, ${remote.displayName}, ${remote.summary}, ${remote.support}, now(), now())
    ON CONFLICT (actor_id) DO UPDATE SET account_id = excluded.account_id, name = excluded.name, description = excluded.description,
      support = excluded.support, updated_at = now()`,
        tx
      )
  )
  return await ChannelModel.findOne({ where: { actorId }, rejectOnEmpty: true })
}

/** Returns the id of the account of the first owner that is no Group. Throws FetchError without one. */
async function resolveOwnerAccountId({ owners, url }: RemoteActor, budget: FetchBudget): Promise<number> {
  for (const owner of owners) {
    const actor = await resolveActor(owner, { budget })
    if (actor.type === 'Group') continue
    const [account] = await runQuery<{ id: number }>(sql`SELECT id FROM accounts WHERE actor_id = ${actor.id}`)
    if (account) return account.id
  }
  throw new FetchError('invalid', `${url} has no owner`)
}
