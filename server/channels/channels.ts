import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { config } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'
import { createLocalActor, generateActorKeys, removeLocalActor, type ActorKeyPair } from '../actors/local-actors.ts'
import { matchesHandleSql } from '../actors/handle.ts'
import { sendActorUpdate } from '../actors/actor.outbox.ts'
import { ChannelModel } from './channel.model.ts'
import { canManageChannel } from './channel.policy.ts'

/** What makes a channel; `name` is its address, `displayName` what people read. */
export type NewChannel = {
  accountId: number
  name: string
  displayName: string
  description?: string | null
  support?: string | null
  keys?: ActorKeyPair
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
export type ManagedChannel = z.output<typeof Managed>

/** The channel behind a handle if the viewer may change it. Throws 404, 403. */
export async function findManagedChannel(handle: string, viewer: Viewer): Promise<ManagedChannel> {
  const [channel] = await queryAs(
    Managed,
    sql`
    SELECT channel.id, channel.actor_id AS "actorId", channel.account_id AS "accountId", actor.preferred_username AS name,
      account.user_id AS "ownerUserId", owner.role AS "ownerRole", actor.host IS NULL AS local
    FROM channels channel JOIN actors actor ON actor.id = channel.actor_id JOIN accounts account ON account.id = channel.account_id
      LEFT JOIN users owner ON owner.id = account.user_id
    WHERE ${matchesHandleSql(sql`actor`, handle)}`
  )
  if (!channel) throw notFound('Video channel')
  if (!canManageChannel(viewer, channel))
    throw new Problem(403, null, 'Only a user with sufficient right can access this account resource.')
  return channel
}

/** Creates a channel. Throws 409 if the name is or was in use. */
export async function createChannel(
  { accountId, name, displayName, description = null, support = null, keys }: NewChannel,
  transaction: Transaction
): Promise<ChannelModel> {
  const actor = await createLocalActor({ type: 'Group', name, keys }, transaction)
  return await ChannelModel.create({ actorId: actor.id, accountId, name: displayName, description, support }, { transaction })
}

/** Creates a further channel of an account. Throws 400 beyond `video_channels.max_per_user`, 409 for a name in use. */
export async function createAdditionalChannel(channel: Omit<NewChannel, 'keys'>): Promise<ChannelModel> {
  const keys = await generateActorKeys()
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
    await ChannelModel.update({ name: displayName, description, support }, { where: { id }, transaction })
    await sendActorUpdate((await ChannelModel.findByPk(id, { transaction, rejectOnEmpty: true })).actorId, transaction)
    if (!bulkVideosSupportUpdate || support === undefined) return
    // Other servers hear of them one after the other, as of their counters.
    await runQuery(
      sql`UPDATE videos SET support = ${support}, updated_at = now(), counters_due_at = CASE WHEN federated THEN now() END WHERE channel_id = ${id}`,
      transaction
    )
  })
}

/** Removes a channel with its videos; its name is never given again. Throws 409 for the last one of an account. */
export async function removeChannelWithVideos(channel: ManagedChannel): Promise<void> {
  await transaction(async transaction => {
    const count = await lockAndCount(channel.accountId, transaction)
    if (count <= 1) throw new Problem(409, null, 'Cannot remove the last channel of this user.')
    await removeChannels([{ id: channel.id, actorId: channel.actorId, name: channel.name }], transaction)
  })
}

/** Removes all channels of an account with their videos, as a part of removing the account. */
export async function removeAccountChannels(accountId: number, transaction: Transaction): Promise<void> {
  const channels = await runQuery<{ id: number; actorId: number; name: string }>(
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
  await runQuery(sql`SELECT id FROM channels WHERE id = ANY(${ids}) ORDER BY id FOR UPDATE`, transaction)
  const videos = await runQuery<{ uuid: string }>(sql`DELETE FROM videos WHERE channel_id = ANY(${ids}) RETURNING uuid`, transaction)
  for (const { actorId, name } of channels) await removeLocalActor({ id: actorId, preferredUsername: name }, transaction)
  afterCommit(transaction, () => {
    for (const { uuid } of videos) emitEvent('video.deleted', { uuid, folder: uuid })
  })
}

async function lockAndCount(accountId: number, transaction: Transaction): Promise<number> {
  await runQuery(sql`SELECT id FROM accounts WHERE id = ${accountId} FOR UPDATE`, transaction)
  const [row] = await runQuery<{ count: number }>(
    sql`SELECT count(*)::int AS count FROM channels WHERE account_id = ${accountId}`,
    transaction
  )
  return row!.count
}
