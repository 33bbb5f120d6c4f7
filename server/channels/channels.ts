import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emit } from '../core/events.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { query, run, sql } from '../core/sql.ts'
import { createLocalActor, newKeys, removeActor, type Keys } from '../actors/local-actors.ts'
import { hasHandle } from '../actors/handle.ts'
import { tellOfActor } from '../actors/actor.outbox.ts'
import { Channel } from './channel.model.ts'
import { canManage } from './channel.policy.ts'

/** What makes a channel; `name` is its address, `displayName` what people read. */
export type NewChannel = {
  accountId: number
  name: string
  displayName: string
  description?: string | null
  support?: string | null
  keys?: Keys
}

/** What a channel's owner may change. */
export type ChannelChanges = {
  displayName?: string
  description?: string | null
  support?: string | null
  bulkVideosSupportUpdate?: boolean
}

const Managed = z.object({
  id: z.int(),
  actorId: z.int(),
  accountId: z.int(),
  name: z.string(),
  ownerUserId: z.int().nullable(),
  ownerRole: z.int().nullable(),
  local: z.boolean()
})
/** A channel with what decides who may change it; `name` is its address. */
export type Managed = z.output<typeof Managed>

/** The channel behind a handle if the viewer may change it. Throws 404, 403. */
export async function managedChannel(handle: string, viewer: Viewer): Promise<Managed> {
  const [channel] = await query(
    Managed,
    sql`
    SELECT channel.id, channel.actor_id AS "actorId", channel.account_id AS "accountId", actor.preferred_username AS name,
      account.user_id AS "ownerUserId", owner.role AS "ownerRole", actor.host IS NULL AS local
    FROM channels channel JOIN actors actor ON actor.id = channel.actor_id JOIN accounts account ON account.id = channel.account_id
      LEFT JOIN users owner ON owner.id = account.user_id
    WHERE ${hasHandle(sql`actor`, handle)}`
  )
  if (!channel) throw notFound('Video channel')
  if (!canManage(viewer, channel)) throw new Problem(403, null, 'Only a user with sufficient right can access this account resource.')
  return channel
}

/** Creates a channel. Throws 409 if the name is or was in use. */
export async function createChannel(
  { accountId, name, displayName, description = null, support = null, keys }: NewChannel,
  transaction: Transaction
): Promise<Channel> {
  const actor = await createLocalActor({ type: 'Group', name, keys }, transaction)
  return await Channel.create({ actorId: actor.id, accountId, name: displayName, description, support }, { transaction })
}

/** Creates a further channel of an account. Throws 400 beyond `video_channels.max_per_user`, 409 for a name in use. */
export async function addChannel(channel: Omit<NewChannel, 'keys'>): Promise<Channel> {
  const keys = await newKeys()
  return await transaction(async transaction => {
    const count = await lockAndCount(channel.accountId, transaction)
    if (count >= config.video_channels.max_per_user) {
      throw new Problem(400, null, `An account can have ${config.video_channels.max_per_user} channels at most.`)
    }
    return await createChannel({ ...channel, keys }, transaction)
  })
}

/** Changes a channel; `bulkVideosSupportUpdate` writes its support text into all its videos too. */
export async function updateChannel(
  id: number,
  { displayName, description, support, bulkVideosSupportUpdate }: ChannelChanges
): Promise<void> {
  await transaction(async transaction => {
    await Channel.update({ name: displayName, description, support }, { where: { id }, transaction })
    await tellOfActor((await Channel.findByPk(id, { transaction, rejectOnEmpty: true })).actorId, transaction)
    if (!bulkVideosSupportUpdate || support === undefined) return
    // Other servers hear of them one after the other, as of their counters.
    await run(
      sql`UPDATE videos SET support = ${support}, updated_at = now(), counters_due_at = CASE WHEN federated THEN now() END WHERE channel_id = ${id}`,
      transaction
    )
  })
}

/** Removes a channel with its videos; its name is never given again. Throws 409 for the last one of an account. */
export async function removeChannel(channel: Managed): Promise<void> {
  await transaction(async transaction => {
    const count = await lockAndCount(channel.accountId, transaction)
    if (count <= 1) throw new Problem(409, null, 'Cannot remove the last channel of this user.')
    await removeChannels([{ id: channel.id, actorId: channel.actorId, name: channel.name }], transaction)
  })
}

/** Removes all channels of an account with their videos, as a part of removing the account. */
export async function removeChannelsOf(accountId: number, transaction: Transaction): Promise<void> {
  const channels = await run<{ id: number; actorId: number; name: string }>(
    sql`
    SELECT channel.id, channel.actor_id AS "actorId", actor.preferred_username AS name
    FROM channels channel JOIN actors actor ON actor.id = channel.actor_id WHERE channel.account_id = ${accountId}`,
    transaction
  )
  await removeChannels(channels, transaction)
}

async function removeChannels(channels: { id: number; actorId: number; name: string }[], transaction: Transaction): Promise<void> {
  const ids = channels.map(one => one.id)
  // The lock keeps out a video that is being created in one of them: its files would be forgotten.
  await run(sql`SELECT id FROM channels WHERE id = ANY(${ids}) ORDER BY id FOR UPDATE`, transaction)
  const videos = await run<{ uuid: string }>(sql`DELETE FROM videos WHERE channel_id = ANY(${ids}) RETURNING uuid`, transaction)
  for (const { actorId, name } of channels) await removeActor({ id: actorId, preferredUsername: name }, transaction)
  afterCommit(transaction, () => {
    for (const { uuid } of videos) emit('video.deleted', { uuid, folder: uuid })
  })
}

async function lockAndCount(accountId: number, transaction: Transaction): Promise<number> {
  await run(sql`SELECT id FROM accounts WHERE id = ${accountId} FOR UPDATE`, transaction)
  const [row] = await run<{ count: number }>(sql`SELECT count(*)::int AS count FROM channels WHERE account_id = ${accountId}`, transaction)
  return row!.count
}
