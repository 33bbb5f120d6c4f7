import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import { recordOutdated } from '../fediverse/undone-activities.ts'
import type { Activity } from '../fediverse/vocabulary.ts'
import { ActorModel } from './actor.model.ts'
import { INSTANCE_ACTOR_NAME } from './instance-actor.ts'

/** A follow with both of its actors. */
export type FollowWithActors = { id: number; url: string; state: FollowState; follower: FollowActor; target: FollowActor }
type FollowState = 'pending' | 'accepted' | 'rejected'
type FollowActor = { id: number; url: string; inbox: string; local: boolean; type: string }

const COLUMNS = sql`follows.id, follows.url, follows.state,
  json_build_object('id', follower.id, 'url', follower.url, 'inbox', follower.inbox_url, 'local', follower.host IS NULL,
    'type', follower.type) AS follower,
  json_build_object('id', target.id, 'url', target.url, 'inbox', target.inbox_url, 'local', target.host IS NULL,
    'type', target.type) AS target`
const FROM = sql`FROM follows JOIN actors follower ON follower.id = follows.actor_id JOIN actors target ON target.id = follows.target_id`

/** Lets a local actor follow another: at once a local one, else once its server accepts. Sends a pending Follow again if called again. */
export async function followActor(
  actor: Pick<ActorModel, 'id' | 'url'>,
  target: Pick<ActorModel, 'id' | 'url' | 'host' | 'inboxUrl'>
): Promise<void> {
  await transaction(async tx => await sendFollow(actor, target, tx))
}

async function sendFollow(
  actor: Pick<ActorModel, 'id' | 'url'>,
  target: Pick<ActorModel, 'id' | 'url' | 'host' | 'inboxUrl'>,
  tx: Transaction
): Promise<void> {
  if (actor.id === target.id) return
  const state: FollowState = target.host === null ? 'accepted' : 'pending'
  const [row] = await runQuery<{ url: string; state: FollowState }>(
    sql`
    WITH number AS (SELECT nextval('follows_id_seq') AS id)
    INSERT INTO follows (id, url, actor_id, target_id, state, created_at, updated_at)
    SELECT number.id, ${`${actor.url}/follows/`}::text || number.id, ${actor.id}, ${target.id}, ${state}, now(), now() FROM number
    ON CONFLICT (actor_id, target_id)
      DO UPDATE SET state = CASE WHEN follows.state = 'accepted' THEN 'accepted' ELSE excluded.state END, updated_at = now()
    RETURNING url, state`,
    tx
  )
  await updateFollowCounts([actor.id, target.id], tx)
  if (target.host === null || row!.state === 'accepted') return
  await enqueueActivity(
    {
      activity: followActivity(row!.url, actor.url, target.url),
      kind: 'base',
      audience: { inboxes: [target.inboxUrl] },
      lane: DELIVERY_PRIORITY.NOW,
      subject: row!.url
    },
    tx
  )
}

/** Follows an instance that follows this one, if `followings.instance.auto_follow_back` is enabled. */
async function followBack(followerId: number, targetId: number, tx: Transaction): Promise<void> {
  if (!config.followings.instance.auto_follow_back.enabled) return
  const [follower, target] = await Promise.all(
    [followerId, targetId].map(async id => await ActorModel.findByPk(id, { rejectOnEmpty: true, transaction: tx }))
  )
  if (
    target!.url !== `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}` ||
    follower!.type !== 'Application' ||
    follower!.preferredUsername !== INSTANCE_ACTOR_NAME
  )
    return
  await sendFollow(target!, follower!, tx)
}

/** Ends a follow of a local actor and sends an Undo to a remote target. Returns false if there was none. */
export async function unfollowActor(actorId: number, targetId: number): Promise<boolean> {
  return await transaction(async tx => {
    const found = await findFollow(sql`follows.actor_id = ${actorId} AND follows.target_id = ${targetId}`, tx)
    if (!found) return false
    await deleteFollow(found, tx)
    const { follower, target, url } = found
    if (target.local) return true
    await enqueueActivity(
      {
        activity: { type: 'Undo', id: `${url}/undo`, actor: follower.url, object: followActivity(url, follower.url, target.url) },
        kind: 'base',
        audience: { inboxes: [target.inbox] },
        lane: DELIVERY_PRIORITY.NOW,
        subject: url
      },
      tx
    )
    return true
  })
}

/** Stores a Follow of a local actor by a remote one and sends Accept or Reject, unless an administrator has to decide; repeatable. */
export async function processFollowRequest(
  url: string,
  follower: Pick<ActorModel, 'id' | 'url' | 'inboxUrl' | 'type' | 'preferredUsername'>,
  target: Pick<ActorModel, 'id' | 'url' | 'type'>
): Promise<void> {
  const { instance, channels } = config.followers
  const isInstance = target.type === 'Application'
  const open = isInstance ? instance.enabled : channels.enabled
  await transaction(async tx => {
    if (!open)
      return await sendFollowResponse('Reject', { id: null, url, follower: follower.url, inbox: follower.inboxUrl, target: target.url }, tx)
    const initialState: FollowState = isInstance && instance.manual_approval ? 'pending' : 'accepted'
    // This activity id may belong to another follow of the same actor, which it replaces.
    await runQuery(
      sql`DELETE FROM follows
        WHERE url = ${url} AND (actor_id <> ${follower.id} OR target_id <> ${target.id}) AND actor_id = ${follower.id}`,
      tx
    )
    const [present] = await runQuery<{ url: string }>(
      sql`SELECT url FROM follows WHERE actor_id = ${follower.id} AND target_id = ${target.id} AND url <> ${url} FOR UPDATE`,
      tx
    )
    if (present) await recordOutdated(present.url, follower.url, tx)
    const [row] = await runQuery<{ id: number; state: FollowState }>(
      sql`
      INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at)
      VALUES (${url}, ${follower.id}, ${target.id}, ${initialState}, now(), now())
      ON CONFLICT (actor_id, target_id) DO UPDATE SET url = excluded.url, updated_at = now() RETURNING id, state`,
      tx
    )
    await updateFollowCounts([follower.id, target.id], tx)
    if (row!.state === 'pending') return
    await sendFollowResponse(
      row!.state === 'accepted' ? 'Accept' : 'Reject',
      { id: row!.id, url, follower: follower.url, inbox: follower.inboxUrl, target: target.url },
      tx
    )
    if (row!.state === 'accepted') await followBack(follower.id, target.id, tx)
  })
}

/** Accepts or rejects a follower of the instance; the decision may be changed later. */
export async function decideFollowRequest(found: FollowWithActors, state: 'accepted' | 'rejected'): Promise<void> {
  await transaction(async tx => {
    await runQuery(sql`UPDATE follows SET state = ${state}, updated_at = now() WHERE id = ${found.id}`, tx)
    await updateFollowCounts([found.follower.id, found.target.id], tx)
    await sendFollowResponse(
      state === 'accepted' ? 'Accept' : 'Reject',
      { id: found.id, url: found.url, follower: found.follower.url, inbox: found.follower.inbox, target: found.target.url },
      tx
    )
    if (state === 'accepted') await followBack(found.follower.id, found.target.id, tx)
  })
}

/** Removes a follower and sends a Reject to a remote one. */
export async function removeFollower(found: FollowWithActors): Promise<void> {
  await transaction(async tx => {
    await deleteFollow(found, tx)
    if (!found.follower.local)
      await sendFollowResponse(
        'Reject',
        { id: found.id, url: found.url, follower: found.follower.url, inbox: found.follower.inbox, target: found.target.url },
        tx
      )
  })
}

/** Applies an Accept or Reject of a local Follow, found by `followUrl` or else by both actors. Returns false if there is no such Follow. */
export async function applyFollowResponse(
  target: string,
  followUrl: string | null,
  follower: string | null,
  accepted: boolean
): Promise<boolean> {
  return await transaction(async tx => {
    const named = followUrl
      ? await findFollow(sql`follows.url = ${followUrl} AND target.url = ${target} AND follower.host IS NULL`, tx)
      : null
    const found =
      named ??
      (follower ? await findFollow(sql`follower.url = ${follower} AND target.url = ${target} AND follower.host IS NULL`, tx) : null)
    if (!found) return false
    await runQuery(sql`UPDATE follows SET state = ${accepted ? 'accepted' : 'rejected'}, updated_at = now() WHERE id = ${found.id}`, tx)
    await updateFollowCounts([found.follower.id, found.target.id], tx)
    if (accepted && found.state !== 'accepted') afterCommit(tx, () => emitEvent('follow.accepted', { targetId: found.target.id }))
    return true
  })
}

/** Finds one follow by a condition on the aliases `follows`, `follower` and `target`; null if there is none. */
export async function findFollow(condition: ReturnType<typeof sql>, tx?: Transaction): Promise<FollowWithActors | null> {
  const [found] = await runQuery<FollowWithActors>(sql`SELECT ${COLUMNS} ${FROM} WHERE ${condition} LIMIT 1`, tx)
  return found ?? null
}

/** Deletes a follow and updates the counters of both actors. */
export async function deleteFollow(found: FollowWithActors, tx: Transaction): Promise<void> {
  await runQuery(sql`DELETE FROM follows WHERE id = ${found.id}`, tx)
  await updateFollowCounts([found.follower.id, found.target.id], tx)
}

async function updateFollowCounts(ids: number[], tx: Transaction): Promise<void> {
  // In the order of ids, so that two actors that follow each other at once do not deadlock.
  for (const id of ids.sort((a, b) => a - b)) {
    await runQuery(
      sql`
      UPDATE actors SET followers_count = (SELECT count(*) FROM follows WHERE target_id = ${id} AND state = 'accepted'),
        following_count = (SELECT count(*) FROM follows WHERE actor_id = ${id} AND state = 'accepted') WHERE id = ${id}`,
      tx
    )
  }
}

type AnsweredFollow = { id: number | null; url: string; follower: string; inbox: string; target: string }

/** Sends Accept or Reject to the inbox of the follower: PeerTube accepts it in no other (docs/federation.md#accept-and-reject). */
async function sendFollowResponse(
  type: 'Accept' | 'Reject',
  { id, url, follower, inbox, target }: AnsweredFollow,
  tx: Transaction
): Promise<void> {
  const path = type === 'Accept' ? `accepts/follows/${id}` : `rejects/follows/${new Date().toISOString()}`
  await enqueueActivity(
    {
      activity: { type, id: `${instanceOrigin()}/${path}`, actor: target, object: followActivity(url, follower, target) },
      kind: 'base',
      audience: { inboxes: [inbox] },
      lane: DELIVERY_PRIORITY.NOW,
      subject: url
    },
    tx
  )
}

function followActivity(id: string, actor: string, object: string): Activity {
  return { type: 'Follow', id, actor, object }
}
