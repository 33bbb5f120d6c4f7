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

/** The data of a new channel; `name` is the local part of its handle. */
export type NewChannel = {
  accountId: number
  name: string
  displayName: string
  description?: string | null
  support?: string | null
  keys?: ActorKeyPair
}

/** The changes that the owner of a channel may make. */
export type ChannelChanges = {
  displayName?: string
  description?: string | null
  support?: string | null
  bulkVideosSupportUpdate?: boolean
}

const ManagedChannelRow = z.object({
  id: z.int(),
  actorId: z.int(),
  accountId: z.int(),
  name: z.string(),
  ownerUserId: z.int().nullable(),
  ownerRole: z.int().nullable(),
  local: z.boolean()
})
/** A channel with the data that determines who may manage it; `name` is the local part of its handle. */
export type ManagedChannel = z.output<typeof ManagedChannelRow>

/** Finds the channel of a handle that the viewer may manage. Throws 404, 403. */
export async function findManagedChannel(handle: string, viewer: Viewer): Promise<ManagedChannel> {
  const [channel] = await queryAs(
    ManagedChannelRow,
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

/** Creates a channel. Throws 409 if the name is or was used. */
export async function createChannel(
  { accountId, name, displayName, description = null, support = null, keys }: NewChannel,
  tx: Transaction
): Promise<ChannelModel> {
  const actor = await createLocalActor({ type: 'Group', name, keys }, tx)
  return await ChannelModel.create({ actorId: actor.id, accountId, name: displayName, description, support }, { transaction: tx })
}

/** Creates another channel of an account. Throws 400 beyond `video_channels.max_per_user`, 409 if the name is or was used. */
export async function createAdditionalChannel(channel: Omit<NewChannel, 'keys'>): Promise<ChannelModel> {
  const keys = await generateActorKeys()
  return await transaction(async tx => {
    const count = await lockAccountAndCountChannels(channel.accountId, tx)
    if (count >= config.video_channels.max_per_user) {
      throw new Problem(400, null, `An account can have ${config.video_channels.max_per_user} channels at most.`)
    }
    return await createChannel({ ...channel, keys }, tx)
  })
}

/** Changes a channel; `bulkVideosSupportUpdate` also writes its support text into all of its videos. */
export async function updateChannel(
  id: number,
  { displayName, description, support, bulkVideosSupportUpdate }: ChannelChanges
): Promise<void> {
  await transaction(async tx => {
    await ChannelModel.update({ name: displayName, description, support }, { where: { id }, transaction: tx })
    await sendActorUpdate((await ChannelModel.findByPk(id, { transaction: tx, rejectOnEmpty: true })).actorId, tx)
    if (!bulkVideosSupportUpdate || support === undefined) return
    // The Updates of the videos are sent one after the other by the counters job.
    await runQuery(
      sql`UPDATE videos SET support = ${support}, updated_at = now(), counters_due_at = CASE WHEN federated THEN now() END
        WHERE channel_id = ${id}`,
      tx
    )
  })
}

/** Removes a channel with its videos; its name is never available again. Throws 409 for the last channel of an account. */
export async function removeChannelWithVideos(channel: ManagedChannel): Promise<void> {
  await transaction(async tx => {
    const count = await lockAccountAndCountChannels(channel.accountId, tx)
    if (count <= 1) throw new Problem(409, null, 'Cannot remove the last channel of this user.')
    await removeChannels([{ id: channel.id, actorId: channel.actorId, name: channel.name }], tx)
  })
}

/** Removes all channels of an account with their videos, as part of the removal of the account. */
export async function removeAccountChannels(accountId: number, tx: Transaction): Promise<void> {
  const channels = await runQuery<{ id: number; actorId: number; name: string }>(
    sql`
    SELECT channel.id, channel.actor_id AS "actorId", actor.preferred_username AS name
    FROM channels channel JOIN actors actor ON actor.id = channel.actor_id WHERE channel.account_id = ${accountId}`,
    tx
  )
  await removeChannels(channels, tx)
}

async function removeChannels(channels: { id: number; actorId: number; name: string }[], tx: Transaction): Promise<void> {
  const ids = channels.map(one => one.id)
  // The lock prevents the concurrent creation of a video in one of them, whose files would never be removed.
  await runQuery(sql`SELECT id FROM channels WHERE id = ANY(${ids}) ORDER BY id FOR UPDATE`, tx)
  const videos = await runQuery<{ uuid: string }>(sql`DELETE FROM videos WHERE channel_id = ANY(${ids}) RETURNING uuid`, tx)
  for (const { actorId, name } of channels) await removeLocalActor({ id: actorId, preferredUsername: name }, tx)
  afterCommit(tx, () => {
    for (const { uuid } of videos) emitEvent('video.deleted', { uuid, folder: uuid })
  })
}

async function lockAccountAndCountChannels(accountId: number, tx: Transaction): Promise<number> {
  await runQuery(sql`SELECT id FROM accounts WHERE id = ${accountId} FOR UPDATE`, tx)
  const [row] = await runQuery<{ count: number }>(sql`SELECT count(*)::int AS count FROM channels WHERE account_id = ${accountId}`, tx)
  return row!.count
}
