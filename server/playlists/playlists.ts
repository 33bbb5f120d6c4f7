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
import { findPlaylistRow, PLAYLIST_PRIVACY, PLAYLIST_TYPE, type PlaylistRow } from './playlist.row.ts'
import { sendPlaylistActivity, sendPlaylistDelete } from './playlist.outbox.ts'

/** The fields of a playlist to change; undefined fields stay as they are. */
export type PlaylistChanges = { displayName?: string; description?: string | null; privacy?: number; videoChannelId?: number | null }
type ElementTimes = { startTimestamp?: number | null; stopTimestamp?: number | null }

/** Returns a playlist by id or UUID if the viewer may see it; unlisted ones only by UUID. Throws 401, 403, 404. */
export async function getVisiblePlaylist(id: number | string, viewer: Viewer | null): Promise<PlaylistRow> {
  const row = await findPlaylistRow(typeof id === 'number' ? sql`playlist.id = ${id}` : sql`playlist.uuid = ${id}`)
  if (!row) throw notFound('Playlist')
  const mayManage = viewer !== null && (viewer.id === row.owner_user_id || viewer.role <= 1)
  if (mayManage || row.privacy === PLAYLIST_PRIVACY.PUBLIC) return row
  if (row.privacy === PLAYLIST_PRIVACY.UNLISTED) {
    if (typeof id === 'number') throw notFound('Playlist')
    return row
  }
  if (!viewer) throw new Problem(401, 'unauthorized_request', 'Token is invalid')
  throw new Problem(403, null, 'Cannot get this private video playlist.')
}

/** Creates a playlist. Throws 400. */
export async function addPlaylist(
  changes: PlaylistChanges & { displayName: string },
  viewer: Viewer,
  thumbnail?: MultipartFile
): Promise<Pick<PlaylistRow, 'id' | 'uuid'>> {
  const preparedThumbnail = await readPlaylistThumbnail(thumbnail)
  return await transaction(async tx => {
    const [owned] = await runQuery<{ count: number }>(
      sql`SELECT (SELECT count(*)::int FROM playlists WHERE account_id = ${viewer.accountId} AND type = ${PLAYLIST_TYPE.REGULAR}) AS count FROM accounts
        WHERE id = ${viewer.accountId} FOR UPDATE`,
      tx
    )
    if (owned!.count >= config.playlists.max_per_user)
      throw new Problem(400, null, `You cannot have more than ${config.playlists.max_per_user} playlists.`)
    const { displayName, description = null, privacy = PLAYLIST_PRIVACY.PRIVATE, videoChannelId = null } = changes
    await assertChannelAllowsPrivacy(privacy, videoChannelId, viewer.accountId, tx)
    const uuid = randomUUID()
    const [created] = await runQuery<{ id: number }>(
      sql`
      INSERT INTO playlists (uuid, url, account_id, channel_id, name, description, privacy)
      VALUES (${uuid}, ${`${instanceOrigin()}/video-playlists/${uuid}`}, ${viewer.accountId}, ${videoChannelId}, ${displayName},
        ${description}, ${privacy}) RETURNING id`,
      tx
    )
    if (preparedThumbnail) await setPlaylistThumbnail(created!.id, preparedThumbnail, tx)
    await sendPlaylistActivity(created!.id, tx)
    return { id: created!.id, uuid }
  })
}

/** Edits a playlist; the one to watch later stays as it is. Throws 400, 403, 404. */
export async function editPlaylist(
  id: number | string,
  changes: PlaylistChanges,
  viewer: Viewer,
  thumbnail?: MultipartFile
): Promise<void> {
  const preparedThumbnail = await readPlaylistThumbnail(thumbnail)
  await changePlaylist(id, viewer, async (row, tx) => {
    if (row.type === PLAYLIST_TYPE.WATCH_LATER) throw new Problem(400, null, 'Cannot update a watch later playlist.')
    const privacy = changes.privacy ?? row.privacy
    const channelId = changes.videoChannelId === undefined ? row.channel_id : changes.videoChannelId
    await assertChannelAllowsPrivacy(privacy, channelId, row.account_id, tx)
    // Followers of the previous channel receive a Delete.
    if (row.channel_id !== channelId) await sendPlaylistDelete(row, tx)
    await runQuery(
      sql`
      UPDATE playlists
        SET name = ${changes.displayName ?? row.name},
          description = ${changes.description === undefined ? row.description : changes.description}, privacy = ${privacy},
            channel_id = ${channelId} WHERE id = ${row.id}`,
      tx
    )
    if (preparedThumbnail) await setPlaylistThumbnail(row.id, preparedThumbnail, tx)
  })
}

/** Deletes a playlist. Throws 400 for the one to watch later, 403, 404. */
export async function deletePlaylist(id: number | string, viewer: Viewer): Promise<void> {
  await transaction(async tx => {
    const row = await getManagedPlaylist(id, viewer, tx)
    if (row.type === PLAYLIST_TYPE.WATCH_LATER) throw new Problem(400, null, 'Cannot delete a watch later playlist.')
    await sendPlaylistDelete(row, tx)
    await setPlaylistThumbnail(row.id, null, tx)
    await runQuery(sql`DELETE FROM playlists WHERE id = ${row.id}`, tx)
  })
}

/** Appends a video to a playlist and returns the id of the element. Throws 400, 403, 404. */
export async function addPlaylistElement(
  id: number | string,
  video: VideoAccessInfo,
  { startTimestamp = null, stopTimestamp = null }: ElementTimes,
  viewer: Viewer
): Promise<number> {
  return await changePlaylist(id, viewer, async (row, tx) => {
    const [contents] = await runQuery<{ count: number; last: number }>(
      sql`SELECT count(*)::int AS count, coalesce(max(position), 0) AS last FROM playlist_elements WHERE playlist_id = ${row.id}`,
      tx
    )
    if (contents!.count >= config.playlists.max_elements)
      throw new Problem(400, null, `A playlist cannot have more than ${config.playlists.max_elements} videos.`)
    const [created] = await runQuery<{ id: number }>(
      sql`
      WITH number AS (SELECT nextval('playlist_elements_id_seq') AS id)
      INSERT INTO playlist_elements (id, url, playlist_id, video_id, position, start_timestamp, stop_timestamp)
      SELECT id, ${`${row.url}/videos/`}::text || id, ${row.id}, ${video.id}, ${contents!.last + 1}, ${startTimestamp}, ${stopTimestamp}
        FROM number RETURNING id`,
      tx
    )
    return created!.id
  })
}

/** Sets where playback of an element starts and stops, in seconds of its video. Throws 403, 404. */
export async function editPlaylistElement(
  id: number | string,
  elementId: number,
  { startTimestamp, stopTimestamp }: ElementTimes,
  viewer: Viewer
): Promise<void> {
  await changePlaylist(id, viewer, async (row, tx) => {
    const [element] = await runQuery<{ start_timestamp: number | null; stop_timestamp: number | null }>(
      sql`SELECT start_timestamp, stop_timestamp FROM playlist_elements WHERE id = ${elementId} AND playlist_id = ${row.id}`,
      tx
    )
    if (!element) throw notFound('Video playlist element')
    await runQuery(
      sql`
      UPDATE playlist_elements SET start_timestamp = ${startTimestamp === undefined ? element.start_timestamp : startTimestamp},
        stop_timestamp = ${stopTimestamp === undefined ? element.stop_timestamp : stopTimestamp} WHERE id = ${elementId}`,
      tx
    )
  })
}

/** Removes an element; the positions of later ones decrease. Throws 403, 404. */
export async function removePlaylistElement(id: number | string, elementId: number, viewer: Viewer): Promise<void> {
  await changePlaylist(id, viewer, async (row, tx) => {
    const deleted = await runQuery(sql`DELETE FROM playlist_elements WHERE id = ${elementId} AND playlist_id = ${row.id} RETURNING id`, tx)
    if (deleted.length === 0) throw notFound('Video playlist element')
    await renumberElements(row.id, await listElementIds(row.id, tx), tx)
  })
}

/**
 * Moves `length` elements from position `start` to behind position `after` (0: to the front); positions count from 1. Throws 400, 403, 404.
 */
export async function reorderPlaylistElements(
  id: number | string,
  { start, after, length }: { start: number; after: number; length: number },
  viewer: Viewer
): Promise<void> {
  await changePlaylist(id, viewer, async (row, tx) => {
    const ids = await listElementIds(row.id, tx)
    if (start > ids.length || after > ids.length)
      throw new Problem(400, null, `Start position or insert after position exceed the playlist limits (max: ${ids.length})`)
    if (start + length - 1 > ids.length)
      throw new Problem(400, null, `Reorder length with this start position exceeds the playlist limits (max: ${ids.length - start + 1})`)
    const movedIds = ids.splice(start - 1, length)
    ids.splice(after < start ? after : Math.max(start - 1, after - length), 0, ...movedIds)
    await renumberElements(row.id, ids, tx)
  })
}

/** Runs `change` on a locked playlist that the viewer manages, and federates the result. */
async function changePlaylist<T>(
  id: number | string,
  viewer: Viewer,
  change: (row: PlaylistRow, tx: Transaction) => Promise<T>
): Promise<T> {
  return await transaction(async tx => {
    const row = await getManagedPlaylist(id, viewer, tx)
    const result = await change(row, tx)
    await runQuery(sql`UPDATE playlists SET updated_at = greatest(now(), updated_at + interval '1 millisecond') WHERE id = ${row.id}`, tx)
    await sendPlaylistActivity(row.id, tx)
    return result
  })
}

async function getManagedPlaylist(id: number | string, viewer: Viewer, tx: Transaction): Promise<PlaylistRow> {
  const row = await findPlaylistRow(typeof id === 'number' ? sql`playlist.id = ${id}` : sql`playlist.uuid = ${id}`, tx, { lock: true })
  if (!row) throw notFound('Playlist')
  if (row.remote) throw new Problem(403, null, 'Cannot manage a video playlist of another server')
  if (viewer.id !== row.owner_user_id && viewer.role > 1) throw new Problem(403, null, 'Cannot manage video playlist of another user')
  return row
}

/** A public or unlisted playlist must belong to a channel of its owner. Throws 400. */
async function assertChannelAllowsPrivacy(privacy: number, channelId: number | null, accountId: number, tx: Transaction): Promise<void> {
  if (channelId === null) {
    if (privacy !== PLAYLIST_PRIVACY.PRIVATE)
      throw new Problem(400, null, 'Cannot set "public" or "unlisted" a playlist that is not assigned to a channel.')
    return
  }
  const owned = await runQuery(sql`SELECT 1 FROM channels WHERE id = ${channelId} AND account_id = ${accountId}`, tx)
  if (owned.length === 0) throw new Problem(400, null, 'Unknown video "video channel" for this user.')
}

async function listElementIds(playlistId: number, tx: Transaction): Promise<number[]> {
  return (
    await runQuery<{ id: number }>(sql`SELECT id FROM playlist_elements WHERE playlist_id = ${playlistId} ORDER BY position, id`, tx)
  ).map(({ id }) => id)
}

async function renumberElements(playlistId: number, ids: number[], tx: Transaction): Promise<void> {
  await runQuery(
    sql`UPDATE playlist_elements SET position = place.number FROM unnest(${ids}::int[]) WITH ORDINALITY AS place (id, number)
      WHERE playlist_elements.id = place.id AND playlist_id = ${playlistId}`,
    tx
  )
}
