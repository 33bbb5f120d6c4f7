import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import type { MultipartFile } from '../core/multipart.ts'
import { notFound, Problem } from '../core/problem.ts'
import type { Viewer } from '../core/route.ts'
import { runQuery, sql } from '../core/sql.ts'
import type { VideoAccessInfo } from '../videos/video-access.ts'
import { setPlaylistThumbnail, readPlaylistThumbnail } from './playlist-thumbnail.ts'
import { findPlaylistRow, PLAYLIST_PRIVACY, type PlaylistRow } from './playlist.row.ts'
import { sendPlaylistActivity, sendPlaylistDelete } from './playlist.outbox.ts'

/** What the owner says of a playlist; what is undefined stays. */
export type PlaylistChanges = { displayName?: string; description?: string | null; privacy?: number; videoChannelId?: number | null }
type Times = { startTimestamp?: number | null; stopTimestamp?: number | null }

/** A playlist by number or UUID for whoever may see it; unlisted ones only by UUID. Throws 401, 403, 404. */
export async function getVisiblePlaylist(id: number | string, viewer: Viewer | null): Promise<PlaylistRow> {
  const row = await findPlaylistRow(typeof id === 'number' ? sql`playlist.id = ${id}` : sql`playlist.uuid = ${id}`)
  if (!row) throw notFound('Playlist')
  const mine = viewer !== null && (viewer.id === row.owner_user_id || viewer.role <= 1)
  if (mine || row.privacy === PLAYLIST_PRIVACY.PUBLIC) return row
  if (row.privacy === PLAYLIST_PRIVACY.UNLISTED) {
    if (typeof id === 'number') throw notFound('Playlist')
    return row
  }
  if (!viewer) throw new Problem(401, 'unauthorized_request', 'Token is invalid')
  throw new Problem(403, null, 'Cannot get this private video playlist.')
}

/** Makes a playlist. Throws 400. */
export async function addPlaylist(
  changes: PlaylistChanges & { displayName: string },
  viewer: Viewer,
  thumbnail?: MultipartFile
): Promise<Pick<PlaylistRow, 'id' | 'uuid'>> {
  const picture = await readPlaylistThumbnail(thumbnail)
  return await transaction(async inside => {
    const [owned] = await runQuery<{ count: number }>(
      sql`SELECT (SELECT count(*)::int FROM playlists WHERE account_id = ${viewer.accountId}) AS count FROM accounts WHERE id = ${viewer.accountId} FOR UPDATE`,
      inside
    )
    if (owned!.count >= config.playlists.max_per_user)
      throw new Problem(400, null, `You cannot have more than ${config.playlists.max_per_user} playlists.`)
    const { displayName, description = null, privacy = PLAYLIST_PRIVACY.PRIVATE, videoChannelId = null } = changes
    await assertPlace(privacy, videoChannelId, viewer.accountId, inside)
    const uuid = randomUUID()
    const [made] = await runQuery<{ id: number }>(
      sql`
      INSERT INTO playlists (uuid, url, account_id, channel_id, name, description, privacy)
      VALUES (${uuid}, ${`${instanceOrigin()}/video-playlists/${uuid}`}, ${viewer.accountId}, ${videoChannelId}, ${displayName}, ${description}, ${privacy}) RETURNING id`,
      inside
    )
    if (picture) await setPlaylistThumbnail(made!.id, picture, inside)
    await sendPlaylistActivity(made!.id, inside)
    return { id: made!.id, uuid }
  })
}

/** Changes a playlist. Throws 400, 403, 404. */
export async function editPlaylist(
  id: number | string,
  changes: PlaylistChanges,
  viewer: Viewer,
  thumbnail?: MultipartFile
): Promise<void> {
  const picture = await readPlaylistThumbnail(thumbnail)
  await managed(id, viewer, async (row, inside) => {
    const privacy = changes.privacy ?? row.privacy
    const channelId = changes.videoChannelId === undefined ? row.channel_id : changes.videoChannelId
    await assertPlace(privacy, channelId, row.account_id, inside)
    // Followers of a channel that it leaves hear that it is gone.
    if (row.channel_id !== channelId) await sendPlaylistDelete(row, inside)
    await runQuery(
      sql`
      UPDATE playlists SET name = ${changes.displayName ?? row.name}, description = ${changes.description === undefined ? row.description : changes.description}, privacy = ${privacy}, channel_id = ${channelId} WHERE id = ${row.id}`,
      inside
    )
    if (picture) await setPlaylistThumbnail(row.id, picture, inside)
  })
}

/** Deletes a playlist. Throws 403, 404. */
export async function deletePlaylist(id: number | string, viewer: Viewer): Promise<void> {
  await transaction(async inside => {
    const row = await managedRow(id, viewer, inside)
    await sendPlaylistDelete(row, inside)
    await setPlaylistThumbnail(row.id, null, inside)
    await runQuery(sql`DELETE FROM playlists WHERE id = ${row.id}`, inside)
  })
}

/** Puts a video at the end. Throws 400, 403, 404. */
export async function addPlaylistElement(
  id: number | string,
  video: VideoAccessInfo,
  { startTimestamp = null, stopTimestamp = null }: Times,
  viewer: Viewer
): Promise<number> {
  return await managed(id, viewer, async (row, inside) => {
    const [held] = await runQuery<{ count: number; last: number }>(
      sql`SELECT count(*)::int AS count, coalesce(max(position), 0) AS last FROM playlist_elements WHERE playlist_id = ${row.id}`,
      inside
    )
    if (held!.count >= config.playlists.max_elements)
      throw new Problem(400, null, `A playlist cannot have more than ${config.playlists.max_elements} videos.`)
    const [made] = await runQuery<{ id: number }>(
      sql`
      WITH number AS (SELECT nextval('playlist_elements_id_seq') AS id)
      INSERT INTO playlist_elements (id, url, playlist_id, video_id, position, start_timestamp, stop_timestamp)
      SELECT id, ${`${row.url}/videos/`}::text || id, ${row.id}, ${video.id}, ${held!.last + 1}, ${startTimestamp}, ${stopTimestamp} FROM number RETURNING id`,
      inside
    )
    return made!.id
  })
}

/** Sets where an element begins and ends, in seconds of its video. Throws 403, 404. */
export async function editPlaylistElement(
  id: number | string,
  elementId: number,
  { startTimestamp, stopTimestamp }: Times,
  viewer: Viewer
): Promise<void> {
  await managed(id, viewer, async (row, inside) => {
    const [element] = await runQuery<{ start_timestamp: number | null; stop_timestamp: number | null }>(
      sql`SELECT start_timestamp, stop_timestamp FROM playlist_elements WHERE id = ${elementId} AND playlist_id = ${row.id}`,
      inside
    )
    if (!element) throw notFound('Video playlist element')
    await runQuery(
      sql`
      UPDATE playlist_elements SET start_timestamp = ${startTimestamp === undefined ? element.start_timestamp : startTimestamp}, stop_timestamp = ${stopTimestamp === undefined ? element.stop_timestamp : stopTimestamp} WHERE id = ${elementId}`,
      inside
    )
  })
}

/** Takes an element out; those behind it move up. Throws 403, 404. */
export async function removePlaylistElement(id: number | string, elementId: number, viewer: Viewer): Promise<void> {
  await managed(id, viewer, async (row, inside) => {
    const gone = await runQuery(sql`DELETE FROM playlist_elements WHERE id = ${elementId} AND playlist_id = ${row.id} RETURNING id`, inside)
    if (gone.length === 0) throw notFound('Video playlist element')
    await number(row.id, await elementsOf(row.id, inside), inside)
  })
}

/** Moves `length` elements from `start` to behind `after` (0: to the front); places count from 1. Throws 400, 403, 404. */
export async function reorderPlaylistElements(
  id: number | string,
  { start, after, length }: { start: number; after: number; length: number },
  viewer: Viewer
): Promise<void> {
  await managed(id, viewer, async (row, inside) => {
    const ids = await elementsOf(row.id, inside)
    if (start > ids.length || after > ids.length)
      throw new Problem(400, null, `Start position or insert after position exceed the playlist limits (max: ${ids.length})`)
    if (start + length - 1 > ids.length)
      throw new Problem(400, null, `Reorder length with this start position exceeds the playlist limits (max: ${ids.length - start + 1})`)
    const moved = ids.splice(start - 1, length)
    ids.splice(after < start ? after : Math.max(start - 1, after - length), 0, ...moved)
    await number(row.id, ids, inside)
  })
}

/** Changes a playlist of the viewer's, one at a time, and tells others what became of it. */
async function managed<T>(id: number | string, viewer: Viewer, change: (row: PlaylistRow, inside: Transaction) => Promise<T>): Promise<T> {
  return await transaction(async inside => {
    const row = await managedRow(id, viewer, inside)
    const result = await change(row, inside)
    await runQuery(
      sql`UPDATE playlists SET updated_at = greatest(now(), updated_at + interval '1 millisecond') WHERE id = ${row.id}`,
      inside
    )
    await sendPlaylistActivity(row.id, inside)
    return result
  })
}

async function managedRow(id: number | string, viewer: Viewer, inside: Transaction): Promise<PlaylistRow> {
  const row = await findPlaylistRow(typeof id === 'number' ? sql`playlist.id = ${id}` : sql`playlist.uuid = ${id}`, inside, { lock: true })
  if (!row) throw notFound('Playlist')
  if (row.remote) throw new Problem(403, null, 'Cannot manage a video playlist of another server')
  if (viewer.id !== row.owner_user_id && viewer.role > 1) throw new Problem(403, null, 'Cannot manage video playlist of another user')
  return row
}

/** What everybody sees is of a channel of its owner. Throws 400. */
async function assertPlace(privacy: number, channelId: number | null, accountId: number, inside: Transaction): Promise<void> {
  if (channelId === null) {
    if (privacy !== PLAYLIST_PRIVACY.PRIVATE)
      throw new Problem(400, null, 'Cannot set "public" or "unlisted" a playlist that is not assigned to a channel.')
    return
  }
  const owned = await runQuery(sql`SELECT 1 FROM channels WHERE id = ${channelId} AND account_id = ${accountId}`, inside)
  if (owned.length === 0) throw new Problem(400, null, 'Unknown video "video channel" for this user.')
}

async function elementsOf(playlistId: number, inside: Transaction): Promise<number[]> {
  return (
    await runQuery<{ id: number }>(sql`SELECT id FROM playlist_elements WHERE playlist_id = ${playlistId} ORDER BY position, id`, inside)
  ).map(({ id }) => id)
}

async function number(playlistId: number, ids: number[], inside: Transaction): Promise<void> {
  await runQuery(
    sql`UPDATE playlist_elements SET position = place.number FROM unnest(${ids}::int[]) WITH ORDINALITY AS place (id, number) WHERE playlist_elements.id = place.id AND playlist_id = ${playlistId}`,
    inside
  )
}
