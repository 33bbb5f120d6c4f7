import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import { emitEvent } from '../core/events.ts'
import { runQuery, sql } from '../core/sql.ts'
import { DELIVERY_PRIORITY, enqueueActivity } from '../fediverse/outbox.ts'
import type { Activity } from '../fediverse/vocabulary.ts'
import { ActorModel } from './actor.model.ts'
import { INSTANCE_ACTOR_NAME } from './instance-actor.ts'

/** A follow with both its actors. */
export type FollowWithActors = { id: number; url: string; state: State; follower: Side; target: Side }
type State = 'pending' | 'accepted' | 'rejected'
type Side = { id: number; url: string; inbox: string; local: boolean; type: string }

const COLUMNS = sql`follows.id, follows.url, follows.state,
  json_build_object('id', follower.id, 'url', follower.url, 'inbox', follower.inbox_url, 'local', follower.host IS NULL, 'type', follower.type) AS follower,
  json_build_object('id', target.id, 'url', target.url, 'inbox', target.inbox_url, 'local', target.host IS NULL, 'type', target.type) AS target`
const FROM = sql`FROM follows JOIN actors follower ON follower.id = follows.actor_id JOIN actors target ON target.id = follows.target_id`

/** Lets a local actor follow another: at once where it is local too, else as soon as its server accepts. Asked again, it is sent again. */
export async function followActor(
  actor: Pick<ActorModel, 'id' | 'url'>,
  target: Pick<ActorModel, 'id' | 'url' | 'host' | 'inboxUrl'>
): Promise<void> {
  await transaction(async inside => await wish(actor, target, inside))
}

async function wish(
  actor: Pick<ActorModel, 'id' | 'url'>,
  target: Pick<ActorModel, 'id' | 'url' | 'host' | 'inboxUrl'>,
  inside: Transaction
): Promise<void> {
  if (actor.id === target.id) return
  const state: State = target.host === null ? 'accepted' : 'pending'
  const [row] = await runQuery<{ url: string; state: State }>(
    sql`
    WITH number AS (SELECT nextval('follows_id_seq') AS id)
    INSERT INTO follows (id, url, actor_id, target_id, state, created_at, updated_at)
    SELECT number.id, ${`${actor.url}/follows/`}::text || number.id, ${actor.id}, ${target.id}, ${state}, now(), now() FROM number
    ON CONFLICT (actor_id, target_id) DO UPDATE SET state = CASE WHEN follows.state = 'accepted' THEN 'accepted' ELSE excluded.state END, updated_at = now() RETURNING url, state`,
    inside
  )
  await countFollows([actor.id, target.id], inside)
  if (target.host === null || row!.state === 'accepted') return
  await enqueueActivity(
    {
      activity: followActivity(row!.url, actor.url, target.url),
      kind: 'base',
      audience: { inboxes: [target.inboxUrl] },
      lane: DELIVERY_PRIORITY.NOW,
      subject: row!.url
    },
    inside
  )
}

/** An instance that follows ours is followed back where the configuration says so. */
async function followBack(followerId: number, targetId: number, inside: Transaction): Promise<void> {
  if (!config.followings.instance.auto_follow_back.enabled) return
  const [follower, target] = await Promise.all(
    [followerId, targetId].map(async id => await ActorModel.findByPk(id, { rejectOnEmpty: true, transaction: inside }))
  )
  if (
    target!.url !== `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}` ||
    follower!.type !== 'Application' ||
    follower!.preferredUsername !== INSTANCE_ACTOR_NAME
  )
    return
  await wish(target!, follower!, inside)
}

/** Ends a follow of a local actor and says so. False: there was none. */
export async function unfollowActor(actorId: number, targetId: number): Promise<boolean> {
  return await transaction(async inside => {
    const found = await findFollow(sql`follows.actor_id = ${actorId} AND follows.target_id = ${targetId}`, inside)
    if (!found) return false
    await deleteFollow(found, inside)
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
      inside
    )
    return true
  })
}

/** Notes that a remote actor wants to follow a local one, and answers, as often as it asks. */
export async function processFollowRequest(
  url: string,
  follower: Pick<ActorModel, 'id' | 'url' | 'inboxUrl' | 'type' | 'preferredUsername'>,
  target: Pick<ActorModel, 'id' | 'url' | 'type'>
): Promise<void> {
  const { instance, channels } = config.followers
  const isInstance = target.type === 'Application'
  const open = isInstance ? instance.enabled : channels.enabled
  await transaction(async inside => {
    if (!open)
      return await answer('Reject', { id: null, url, follower: follower.url, inbox: follower.inboxUrl, target: target.url }, inside)
    const wanted: State = isInstance && instance.manual_approval ? 'pending' : 'accepted'
    // Another follow under this id would be somebody else's.
    await runQuery(
      sql`DELETE FROM follows WHERE url = ${url} AND (actor_id <> ${follower.id} OR target_id <> ${target.id}) AND actor_id = ${follower.id}`,
      inside
    )
    const [row] = await runQuery<{ id: number; state: State }>(
      sql`
      INSERT INTO follows (url, actor_id, target_id, state, created_at, updated_at) VALUES (${url}, ${follower.id}, ${target.id}, ${wanted}, now(), now())
      ON CONFLICT (actor_id, target_id) DO UPDATE SET url = excluded.url, updated_at = now() RETURNING id, state`,
      inside
    )
    await countFollows([follower.id, target.id], inside)
    if (row!.state === 'pending') return
    await answer(
      row!.state === 'accepted' ? 'Accept' : 'Reject',
      { id: row!.id, url, follower: follower.url, inbox: follower.inboxUrl, target: target.url },
      inside
    )
    if (row!.state === 'accepted') await followBack(follower.id, target.id, inside)
  })
}

/** An administrator's answer to a follower of the instance; may be changed later. */
export async function decideFollowRequest(found: FollowWithActors, state: 'accepted' | 'rejected'): Promise<void> {
  await transaction(async inside => {
    await runQuery(sql`UPDATE follows SET state = ${state}, updated_at = now() WHERE id = ${found.id}`, inside)
    await countFollows([found.follower.id, found.target.id], inside)
    await answer(
      state === 'accepted' ? 'Accept' : 'Reject',
      { id: found.id, url: found.url, follower: found.follower.url, inbox: found.follower.inbox, target: found.target.url },
      inside
    )
    if (state === 'accepted') await followBack(found.follower.id, found.target.id, inside)
  })
}

/** Sends a follower away. */
export async function removeFollower(found: FollowWithActors): Promise<void> {
  await transaction(async inside => {
    await deleteFollow(found, inside)
    if (!found.follower.local)
      await answer(
        'Reject',
        { id: found.id, url: found.url, follower: found.follower.url, inbox: found.follower.inbox, target: found.target.url },
        inside
      )
  })
}

/** What a followed server says to our Follow: `followUrl` where it names it, else the pair decides. False: there is none that waits. */
export async function applyFollowResponse(
  target: string,
  followUrl: string | null,
  follower: string | null,
  accepted: boolean
): Promise<boolean> {
  return await transaction(async inside => {
    const named = followUrl
      ? await findFollow(sql`follows.url = ${followUrl} AND target.url = ${target} AND follower.host IS NULL`, inside)
      : null
    const found =
      named ??
      (follower ? await findFollow(sql`follower.url = ${follower} AND target.url = ${target} AND follower.host IS NULL`, inside) : null)
    if (!found) return false
    await runQuery(sql`UPDATE follows SET state = ${accepted ? 'accepted' : 'rejected'}, updated_at = now() WHERE id = ${found.id}`, inside)
    await countFollows([found.follower.id, found.target.id], inside)
    if (accepted && found.state !== 'accepted') afterCommit(inside, () => emitEvent('follow.accepted', { targetId: found.target.id }))
    return true
  })
}

/** One follow by a condition on `follows`, `follower` and `target`; null if there is none. */
export async function findFollow(condition: ReturnType<typeof sql>, inside?: Transaction): Promise<FollowWithActors | null> {
  const [found] = await runQuery<FollowWithActors>(sql`SELECT ${COLUMNS} ${FROM} WHERE ${condition} LIMIT 1`, inside)
  return found ?? null
}

/** Forgets a follow. */
export async function deleteFollow(found: FollowWithActors, inside: Transaction): Promise<void> {
  await runQuery(sql`DELETE FROM follows WHERE id = ${found.id}`, inside)
  await countFollows([found.follower.id, found.target.id], inside)
}

async function countFollows(ids: number[], inside: Transaction): Promise<void> {
  // In one order, so that two who follow each other at once do not wait for each other.
  for (const id of ids.sort((a, b) => a - b)) {
    await runQuery(
      sql`
      UPDATE actors SET followers_count = (SELECT count(*) FROM follows WHERE target_id = ${id} AND state = 'accepted'),
        following_count = (SELECT count(*) FROM follows WHERE actor_id = ${id} AND state = 'accepted') WHERE id = ${id}`,
      inside
    )
  }
}

type Answered = { id: number | null; url: string; follower: string; inbox: string; target: string }

/** To the follower's own inbox: PeerTube takes it nowhere else (docs/federation.md#accept-and-reject). */
async function answer(type: 'Accept' | 'Reject', { id, url, follower, inbox, target }: Answered, inside: Transaction): Promise<void> {
  const path = type === 'Accept' ? `accepts/follows/${id}` : `rejects/follows/${new Date().toISOString()}`
  await enqueueActivity(
    {
      activity: { type, id: `${instanceOrigin()}/${path}`, actor: target, object: followActivity(url, follower, target) },
      kind: 'base',
      audience: { inboxes: [inbox] },
      lane: DELIVERY_PRIORITY.NOW,
      subject: url
    },
    inside
  )
}

function followActivity(id: string, actor: string, object: string): Activity {
  return { type: 'Follow', id, actor, object }
}
