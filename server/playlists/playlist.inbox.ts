import { accountOf } from '../videos/resolve-video.ts'
import { run, sql } from '../core/sql.ts'
import { setActorCollection } from '../actors/activitypub-response.ts'
import { resolveChannel } from '../channels/resolve-channel.ts'
import { isConnected } from '../fediverse/confirm-at-origin.ts'
import { Budget, FetchError } from '../fediverse/remote-fetch.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { Later, receive, type Incoming } from '../fediverse/activity-handlers.ts'
import { idOf, isObject, listOf } from '../fediverse/vocabulary.ts'
import { keepVideosWith } from '../videos/retention.ts'
import { readElements } from './crawl-playlists.job.ts'
import { readPlaylist } from './playlist.codec.ts'
import { removePlaylist, storePlaylist } from './remote-playlists.ts'

/** Hears of other servers' playlists, and lists ours at their actors; called once at start. */
export function receivePlaylists(): void {
  receive('Create(Playlist)', takePlaylist)
  receive('Update(Playlist)', takePlaylist)
  receive('Delete', async ({ actor, object }) => {
    const url = httpUrl(idOf(listOf(object)[0]))
    return url !== null && (await removePlaylist(url, { ifOwnedBy: actor }))
  })
  keepVideosWith(
    sql`EXISTS (SELECT 1 FROM playlist_elements e JOIN playlists p ON p.id = e.playlist_id WHERE e.video_id = v.id AND NOT p.remote)`
  )
  setActorCollection('playlists', ({ id }) => async (start, count) => {
    const where = sql`FROM playlists p JOIN accounts a ON a.id = p.account_id LEFT JOIN channels c ON c.id = p.channel_id WHERE NOT p.remote AND p.privacy = 1 AND (a.actor_id = ${id} OR c.actor_id = ${id})`
    const [row] = await run<{ total: number }>(sql`SELECT count(*)::int AS total ${where}`)
    const rows = await run<{ url: string }>(sql`SELECT p.url ${where} ORDER BY p.id DESC LIMIT ${count} OFFSET ${start}`)
    return { total: row!.total, items: rows.map(({ url }) => url) }
  })
}

/** By the account of the playlist's channel, or the channel, and nobody else (federation.md 4.26). */
async function takePlaylist({ actor, object }: Incoming): Promise<boolean> {
  const [document] = listOf(object)
  const playlist = isObject(document) ? readPlaylist(document) : null
  if (!playlist || !(await isConnected(hostOf(actor)))) return false
  try {
    const channel = await resolveChannel(playlist.channel, { budget: new Budget() })
    if (actor !== playlist.channel && actor !== (await accountOf(channel))) return false
    const id = await storePlaylist(playlist, channel)
    if (id !== null) await readElements.enqueue({ playlistId: id })
    return id !== null
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    if (error.kind === 'unreachable') throw new Later(error.message)
    return false
  }
}
