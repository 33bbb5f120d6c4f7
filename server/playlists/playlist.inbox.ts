import { channelAccountUrl } from '../videos/resolve-video.ts'
import { runQuery, sql } from '../core/sql.ts'
import { registerActorCollection } from '../actors/activitypub-response.ts'
import { resolveChannel } from '../channels/resolve-channel.ts'
import { hasFollowsWithHost } from '../fediverse/confirm-at-origin.ts'
import { FetchBudget, FetchError } from '../fediverse/remote-fetch.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { registerObjectRefreshHandler, requestObjectRefresh } from '../fediverse/object-refreshes.ts'
import { RetryLaterError, onActivity, type IncomingActivity } from '../fediverse/activity-handlers.ts'
import { idOf, isObject, listOf, type JsonObject } from '../fediverse/vocabulary.ts'
import { addRetentionCondition } from '../videos/retention.ts'
import { crawlPlaylistElementsJob } from './crawl-playlist-elements.job.ts'
import { parsePlaylistObject } from './playlist.codec.ts'
import { removeRemotePlaylist, storePlaylistDocument, storeRemotePlaylist } from './remote-playlists.ts'

/** Registers the handlers for playlists of other servers and the `playlists` collection of local actors; called once at start. */
export function registerPlaylistHandlers(): void {
  onActivity('Create(Playlist)', handlePlaylist)
  onActivity('Update(Playlist)', handlePlaylist)
  onActivity('Delete', handleDelete)
  registerObjectRefreshHandler({
    types: ['Playlist'],
    listOwners: listPlaylistOwners,
    store: storeAndCrawlPlaylist,
    remove: removeRemotePlaylist
  })
  addRetentionCondition(
    sql`EXISTS (SELECT 1 FROM playlist_elements e JOIN playlists p ON p.id = e.playlist_id WHERE e.video_id = v.id AND NOT p.remote)`
  )
  registerActorCollection('playlists', ({ id }) => async (start, count) => {
    const where = sql`FROM playlists p JOIN accounts a ON a.id = p.account_id LEFT JOIN channels c ON c.id = p.channel_id
      WHERE NOT p.remote AND p.privacy = 1 AND (a.actor_id = ${id} OR c.actor_id = ${id})`
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total ${where}`)
    const rows = await runQuery<{ url: string }>(sql`SELECT p.url ${where} ORDER BY p.id DESC LIMIT ${count} OFFSET ${start}`)
    return { total: row!.total, items: rows.map(({ url }) => url) }
  })
}

/** A playlist may have been private for a while: its origin tells whether it is deleted. */
async function handleDelete({ actor, object }: IncomingActivity): Promise<boolean> {
  const url = httpUrl(idOf(listOf(object)[0]))
  if (!url || !(await listPlaylistOwners(url)).includes(actor)) return false
  await requestObjectRefresh(url, { withdrawn: true })
  return true
}

async function listPlaylistOwners(url: string): Promise<string[]> {
  const owners = await runQuery<{ url: string }>(
    sql`SELECT aa.url FROM playlists p JOIN accounts a ON a.id = p.account_id JOIN actors aa ON aa.id = a.actor_id
      WHERE p.url = ${url} AND p.remote`
  )
  return owners.map(owner => owner.url)
}

async function storeAndCrawlPlaylist(document: JsonObject, _: Date, budget: FetchBudget): Promise<void> {
  const id = await storePlaylistDocument(document, budget)
  if (id !== null) await crawlPlaylistElementsJob.enqueue({ playlistId: id })
}

/** Accepts a playlist only from its channel or that channel's account (docs/federation.md#playlists-of-others). */
async function handlePlaylist({ actor, object }: IncomingActivity): Promise<boolean> {
  const [document] = listOf(object)
  const playlist = isObject(document) ? parsePlaylistObject(document) : null
  if (!playlist || !(await hasFollowsWithHost(hostOf(actor)))) return false
  try {
    const channel = await resolveChannel(playlist.channel, { budget: new FetchBudget() })
    if (actor !== playlist.channel && actor !== (await channelAccountUrl(channel))) return false
    const id = await storeRemotePlaylist(playlist, channel)
    if (id !== null) await crawlPlaylistElementsJob.enqueue({ playlistId: id })
    return id !== null
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    if (error.kind === 'unreachable') throw new RetryLaterError(error.message)
    return false
  }
}
