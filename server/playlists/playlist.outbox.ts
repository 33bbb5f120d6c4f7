import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import type { CollectionQuery } from '../actors/activitypub-response.ts'
import { DELIVERY_PRIORITY, enqueueActivity, cancelQueuedActivity } from '../fediverse/outbox.ts'
import { AS_PUBLIC, type Activity } from '../fediverse/vocabulary.ts'
import { imagePath } from '../videos/video-urls.ts'
import { findPlaylistRow, PLAYLIST_PRIVACY, type PlaylistRow } from './playlist.row.ts'
import { PLAYLIST_FEDERATION } from './playlist-internals.ts'

/** The elements that may be federated: those whose video everyone may watch. */
const VISIBLE_ELEMENTS = sql`FROM playlist_elements e JOIN videos v ON v.id = e.video_id
  WHERE v.privacy IN (1, 2) AND (v.remote OR v.state = 1)`

/**
 * Enqueues the Create, Update or Delete that a change of a local playlist requires, within the transaction of that change; edits in quick
 * succession become one Update.
 */
export async function sendPlaylistActivity(id: number, tx: Transaction): Promise<void> {
  const row = config.federation.enabled ? await findPlaylistRow(sql`playlist.id = ${id}`, tx) : null
  if (!row || row.remote) return
  const shouldBeFederated = row.privacy === PLAYLIST_PRIVACY.PUBLIC && row.channel !== null
  if (!shouldBeFederated) return row.federated ? await sendPlaylistDelete(row, tx) : undefined
  const object = await buildPlaylistObject(row, tx)
  const [to, cc] = [object.to as string[], object.cc as string[]]
  const activity: Activity = row.federated
    ? { to, cc, type: 'Update', id: `${row.url}/updates/${row.updated_at.toISOString()}`, actor: row.account, object }
    : { to, cc, type: 'Create', id: `${row.url}/activity`, actor: row.account, object }
  await enqueueActivity(
    {
      activity,
      kind: 'playlist',
      audience: followersAudience(row),
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: row.url,
      ...(row.federated ? { supersedes: supersedesKey(row), delay: PLAYLIST_FEDERATION.editsInterval } : {})
    },
    tx
  )
  if (!row.federated) await runQuery(sql`UPDATE playlists SET federated = true WHERE id = ${id}`, tx)
}

/** Sends the deletion of a playlist to those who received it. */
export async function sendPlaylistDelete(row: PlaylistRow, tx: Transaction): Promise<void> {
  if (!row.federated) return
  await cancelQueuedActivity(supersedesKey(row), tx)
  await enqueueActivity(
    {
      activity: {
        to: [AS_PUBLIC],
        cc: [`${row.account}/followers`],
        type: 'Delete',
        id: `${row.url}/delete#${row.updated_at.getTime()}`,
        actor: row.account,
        object: row.url
      },
      kind: 'base',
      audience: followersAudience(row),
      lane: DELIVERY_PRIORITY.NOW,
      subject: row.url
    },
    tx
  )
  await runQuery(sql`UPDATE playlists SET federated = false WHERE id = ${row.id}`, tx)
}

/**
 * Builds the Playlist document of a local playlist (docs/federation.md#playlist-documents); its elements are a collection at the same URL.
 */
export async function buildPlaylistObject(row: PlaylistRow, tx?: Transaction): Promise<{ id: string; [key: string]: unknown }> {
  const { total } = await playlistElementsPage(row)(0, 0, tx)
  const isPublic = row.privacy === PLAYLIST_PRIVACY.PUBLIC
  const followers = `${row.account}/followers`
  return {
    to: isPublic ? [AS_PUBLIC] : [],
    cc: isPublic ? [followers] : [],
    id: row.url,
    type: 'Playlist',
    totalItems: total,
    ...(total > 0 ? { first: `${row.url}?page=1` } : {}),
    name: row.name,
    content: row.description,
    mediaType: 'text/markdown',
    uuid: row.uuid,
    published: row.created_at.toISOString(),
    updated: row.updated_at.toISOString(),
    attributedTo: row.channel ? [row.channel] : [],
    ...(row.thumbnail
      ? {
          icon: {
            type: 'Image',
            url: `${instanceOrigin()}${imagePath('thumbnails', row.thumbnail)}`,
            mediaType: 'image/jpeg',
            width: config.thumbnails.width,
            height: config.thumbnails.height
          }
        }
      : {})
  }
}

/** Returns a function that pages through the URLs of a playlist's elements that may be federated. */
export function playlistElementsPage({
  id
}: Pick<PlaylistRow, 'id'>): (...args: [...Parameters<CollectionQuery>, Transaction?]) => ReturnType<CollectionQuery> {
  return async (start, count, tx) => {
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total ${VISIBLE_ELEMENTS} AND e.playlist_id = ${id}`, tx)
    const rows =
      count === 0
        ? []
        : await runQuery<{ url: string }>(
            sql`SELECT e.url ${VISIBLE_ELEMENTS} AND e.playlist_id = ${id} ORDER BY e.position, e.id LIMIT ${count} OFFSET ${start}`,
            tx
          )
    return { total: row!.total, items: rows.map(({ url }) => url) }
  }
}

/** Builds a PlaylistElement; returns null where there is none that may be federated. */
export async function buildPlaylistElementObject({ id }: Pick<PlaylistRow, 'id'>, url: string): Promise<object | null> {
  const [row] = await runQuery<{
    url: string
    video: string
    position: number
    start_timestamp: number | null
    stop_timestamp: number | null
  }>(sql`
    SELECT e.url, v.url AS video, e.position, e.start_timestamp, e.stop_timestamp ${VISIBLE_ELEMENTS} AND e.playlist_id = ${id}
      AND e.url = ${url}`)
  if (!row) return null
  return {
    id: row.url,
    type: 'PlaylistElement',
    url: row.video,
    position: row.position,
    ...(row.start_timestamp === null ? {} : { startTimestamp: row.start_timestamp }),
    ...(row.stop_timestamp === null ? {} : { stopTimestamp: row.stop_timestamp })
  }
}

const supersedesKey = (row: PlaylistRow) => `playlist ${row.url}`
const followersAudience = (row: PlaylistRow) => ({
  followersOf: [row.account, ...(row.channel ? [row.channel] : []), `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`]
})
