import { runQuery, sql } from '../core/sql.ts'
import { resolveActor } from '../actors/resolve-actor.ts'
import { FetchBudget, FetchError } from '../fediverse/remote-fetch.ts'
import { hasFollowsWithHost } from '../fediverse/confirm-at-origin.ts'
import { hostOf, httpUrl, isLocalUrl } from '../fediverse/origin.ts'
import { registerObjectRefreshHandler, requestObjectRefresh } from '../fediverse/object-refreshes.ts'
import { RetryLaterError, onActivity, onWithdrawal, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, isObject, listOf, typeOf } from '../fediverse/vocabulary.ts'
import { isVideoServedToPeers } from './local-video.query.ts'
import {
  isVideoDocument,
  isWithdrawal,
  UnusableVideoError,
  resolveVideoChannel,
  validateVideoDocument,
  resolveVideo,
  listVideoOwnerUrls,
  channelAccountUrl,
  storeVideoDocument
} from './resolve-video.ts'
import { handleForbiddenVideo } from './forbidden-videos.ts'
import { removeRemoteVideo, storeRemoteVideo } from './store-remote-video.ts'
import { VideoModel } from './video.model.ts'
import { POST_TYPES } from './video.codec.ts'
import type { VideoObject } from './video-object.ts'

/** Registers the inbox handlers of videos and their shares; called once at start. */
export function registerVideoInboxHandlers(): void {
  onActivity('Create(Video)', handleCreateOrUpdate)
  onActivity('Update(Video)', handleCreateOrUpdate)
  for (const type of POST_TYPES) {
    onActivity(`Create(${type})`, handlePost)
    onActivity(`Update(${type})`, handlePost)
  }
  onActivity('Announce', handleAnnounce)
  onWithdrawal(removeShare)
  onActivity('Delete', handleDelete)
  registerObjectRefreshHandler({
    types: ['Video', ...POST_TYPES],
    listOwners: listVideoOwnerUrls,
    store: async (document, requestedAt, budget) => {
      // A post that is no video here may be a comment.
      if (typeOf(document) === 'Video' || (await listVideoOwnerUrls(httpUrl(document.id) ?? '')).length > 0)
        await storeVideoDocument(document, requestedAt, budget)
    },
    remove: async (url, requestedAt) => void (await removeRemoteVideo(url, requestedAt)),
    forbid: handleForbiddenVideo
  })
}

/**
 * Stores a video; the actor must be its account or its channel (docs/federation.md#update-of-a-video, docs/federation.md#undo-and-delete).
 */
async function handleCreateOrUpdate({ actor, object: activityObject, receivedAt }: IncomingActivity): Promise<boolean> {
  if (!(await hasFollowsWithHost(hostOf(actor)))) return false
  const [document] = listOf(activityObject)
  const id = httpUrl(idOf(document))
  if (!id) return false
  return await withFetchErrors(async () => {
    const owners = await listVideoOwnerUrls(id)
    if (owners.length > 0 && !owners.includes(actor)) return false
    const budget = new FetchBudget()
    const object = parseEmbeddedVideo(document)
    // Narrowed to fewer people, or without its video: as if it were deleted.
    if (object instanceof UnusableVideoError && isWithdrawal(object)) {
      if (owners.length > 0) await requestObjectRefresh(id, { withdrawn: true })
      return owners.length > 0
    }
    // An incomplete document is fetched from its origin.
    if (object instanceof UnusableVideoError) {
      await resolveVideo(id, { budget, refresh: true })
      return true
    }
    const channel = await resolveVideoChannel(object, budget)
    if (owners.length === 0 && actor !== object.channel && actor !== (await channelAccountUrl(channel))) return false
    return (await storeRemoteVideo(object, channel.id, receivedAt, { embedded: true })) !== null
  })
}

/**
 * Stores a post with a video, if it is stored already or somebody here follows its author or the group that announced it: of others' posts
 * only those are videos here that somebody asked for.
 */
async function handlePost(incoming: IncomingActivity): Promise<boolean> {
  const [document] = listOf(incoming.object)
  const id = httpUrl(idOf(document))
  if (!id || !isObject(document)) return false
  const isStored = (await listVideoOwnerUrls(id)).length > 0
  if (!isStored && (!isVideoDocument(document) || !(await isFollowedHere([incoming.actor, incoming.signer])))) return false
  return await handleCreateOrUpdate(incoming)
}

async function isFollowedHere(actors: string[]): Promise<boolean> {
  const rows = await runQuery(sql`
    SELECT 1 FROM follows JOIN actors target ON target.id = follows.target_id JOIN actors follower ON follower.id = follows.actor_id
    WHERE target.url = ANY(${actors}) AND follower.host IS NULL AND follows.state = 'accepted' LIMIT 1`)
  return rows.length > 0
}

/** Returns the error for an incomplete, invalid or unusable document. */
function parseEmbeddedVideo(document: unknown): VideoObject | UnusableVideoError {
  try {
    return validateVideoDocument(document)
  } catch (error) {
    if (error instanceof UnusableVideoError) return error
    throw error
  }
}

/**
 * Stores a share of a video. An unknown video is fetched only if there are follows between this instance and the host of the actor
 * (docs/federation.md#fetches-on-behalf-of-strangers).
 */
async function handleAnnounce({ id, actor, object }: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(listOf(object)[0]))
  if (!url) return false
  const stored = await VideoModel.findOne({ where: { url, goneAt: null } })
  if (stored && !stored.remote && !isVideoServedToPeers(stored)) return true
  if (!stored && (isLocalUrl(url) || !(await hasFollowsWithHost(hostOf(actor))))) return false
  // Shared again, so that it may be public again.
  if (stored?.forbiddenSince) await requestObjectRefresh(url)
  return await withFetchErrors(async () => {
    const budget = new FetchBudget()
    const sharer = await resolveActor(actor, { budget })
    // An unknown video is accepted from instances and channels only, not from accounts that boost it.
    if (!stored && sharer.type !== 'Application' && sharer.type !== 'Group') return false
    const video = stored ?? (await resolveVideo(url, { budget }))
    await runQuery(sql`
      INSERT INTO video_shares (url, video_id, actor_id) VALUES (${id}, ${video.id}, ${sharer.id})
      ON CONFLICT (video_id, actor_id) DO UPDATE SET url = excluded.url
        WHERE NOT EXISTS (SELECT 1 FROM video_shares other WHERE other.url = excluded.url)`)
    return true
  })
}

async function removeShare(url: string, { actor }: IncomingActivity): Promise<boolean> {
  const removed = await runQuery(
    sql`DELETE FROM video_shares USING actors WHERE video_shares.url = ${url} AND actors.id = video_shares.actor_id
      AND actors.url = ${actor} RETURNING video_shares.id`
  )
  return removed.length > 0
}

/** A Delete may be older than the video, which may have been private in between: its origin tells whether it is deleted. */
async function handleDelete({ actor, object }: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(listOf(object)[0]))
  if (!url || !(await listVideoOwnerUrls(url)).includes(actor)) return false
  await requestObjectRefresh(url, { withdrawn: true })
  return true
}

/** Returns false where a document is invalid. Throws RetryLaterError where a server is unreachable. */
async function withFetchErrors(act: () => Promise<boolean>): Promise<boolean> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    if (error.kind === 'unreachable') throw new RetryLaterError(error.message)
    return false
  }
}
