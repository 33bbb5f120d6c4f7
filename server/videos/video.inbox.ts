import { runQuery, sql } from '../core/sql.ts'
import { resolveActor } from '../actors/resolve-actor.ts'
import { Budget, FetchError } from '../fediverse/remote-fetch.ts'
import { hasFollowsWithHost } from '../fediverse/confirm-at-origin.ts'
import { hostOf, httpUrl, isLocalUrl } from '../fediverse/origin.ts'
import { RetryLaterError, onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, listOf } from '../fediverse/vocabulary.ts'
import { isVideoServedToPeers } from './local-video.query.ts'
import { resolveVideoChannel, validateVideoDocument, resolveVideo, listVideoOwnerUrls, channelAccountUrl } from './resolve-video.ts'
import { removeRemoteVideo, storeRemoteVideo } from './store-remote-video.ts'
import { VideoModel } from './video.model.ts'
import type { VideoObject } from './video-object.ts'

/** Hears what other servers say of videos; called once at start. */
export function registerVideoInboxHandlers(): void {
  onActivity('Create(Video)', takeStatement)
  onActivity('Update(Video)', takeStatement)
  onActivity('Announce', takeAnnounce)
  onActivity('Undo(Announce)', takeUndoAnnounce)
  onActivity('Delete', takeDelete)
}

/**
 * Create and Update: by the account or the channel of the video and nobody else (docs/federation.md#update-of-a-video,
 * docs/federation.md#undo-and-delete).
 */
async function takeStatement({ actor, object, receivedAt }: IncomingActivity): Promise<boolean> {
  if (!(await hasFollowsWithHost(hostOf(actor)))) return false
  const [document] = listOf(object)
  const id = httpUrl(idOf(document))
  if (!id) return false
  return await attempt(async () => {
    const speakers = await listVideoOwnerUrls(id)
    if (speakers.length > 0 && !speakers.includes(actor)) return false
    const budget = new Budget()
    const said = embedded(document)
    if (!said) {
      await resolveVideo(id, { budget, refresh: true })
      return true
    }
    const channel = await resolveVideoChannel(said, budget)
    if (speakers.length === 0 && actor !== said.channel && actor !== (await channelAccountUrl(channel))) return false
    return (await storeRemoteVideo(said, channel.id, receivedAt)) !== null
  })
}

/** A document that is not whole is asked for at its origin. */
function embedded(document: unknown): VideoObject | null {
  try {
    return validateVideoDocument(document)
  } catch {
    return null
  }
}

/**
 * Somebody shares a video: noted, and the video fetched where its sharer's host is followed or follows
 * (docs/federation.md#fetches-on-behalf-of-strangers).
 */
async function takeAnnounce({ id, actor, object }: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(listOf(object)[0]))
  if (!url) return false
  const known = await VideoModel.findOne({ where: { url, goneAt: null } })
  if (known && !known.remote && !isVideoServedToPeers(known)) return true
  if (!known && (isLocalUrl(url) || !(await hasFollowsWithHost(hostOf(actor))))) return false
  return await attempt(async () => {
    const budget = new Budget()
    const sharer = await resolveActor(actor, { budget })
    // Whoever boosts in passing brings nothing new here: instances and channels do.
    if (!known && sharer.type !== 'Application' && sharer.type !== 'Group') return false
    const video = known ?? (await resolveVideo(url, { budget }))
    await runQuery(sql`
      INSERT INTO video_shares (url, video_id, actor_id) VALUES (${id}, ${video.id}, ${sharer.id})
      ON CONFLICT (video_id, actor_id) DO UPDATE SET url = excluded.url WHERE NOT EXISTS (SELECT 1 FROM video_shares other WHERE other.url = excluded.url)`)
    return true
  })
}

async function takeUndoAnnounce({ actor, object }: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(listOf(object)[0]))
  if (!url) return false
  return (
    (
      await runQuery(
        sql`DELETE FROM video_shares USING actors WHERE video_shares.url = ${url} AND actors.id = video_shares.actor_id AND actors.url = ${actor} RETURNING video_shares.id`
      )
    ).length > 0
  )
}

async function takeDelete({ actor, object }: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(listOf(object)[0]))
  return url !== null && (await removeRemoteVideo(url, { owner: actor }))
}

/** What nobody answers now is tried again later; what is wrong has no effect. */
async function attempt(act: () => Promise<boolean>): Promise<boolean> {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    if (error.kind === 'unreachable') throw new RetryLaterError(error.message)
    return false
  }
}
