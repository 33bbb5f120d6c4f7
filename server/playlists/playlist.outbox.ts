import type { Transaction } from 'sequelize'
import { config, instanceOrigin } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import { INSTANCE_ACTOR_NAME } from '../actors/instance-actor.ts'
import type { CollectionQuery } from '../actors/activitypub-response.ts'
import { DELIVERY_PRIORITY, enqueueActivity, cancelQueuedActivity } from '../fediverse/outbox.ts'
import { AS_PUBLIC, type Activity } from '../fediverse/vocabulary.ts'
import { imagePath } from '../videos/video-urls.ts'
import { findPlaylistRow, PLAYLIST_PRIVACY, type PlaylistRow } from './playlist.row.ts'

/** What may be told of elements: videos that everybody may see. */
const SHOWN = sql`FROM playlist_elements e JOIN videos v ON v.id = e.video_id WHERE v.privacy IN (1, 2) AND (v.remote OR v.state = 1)`

/** Tells followers what became of a local playlist, within the transaction that changed it; edits in quick succession become one Update. */
export async function sendPlaylistActivity(id: number, inside: Transaction): Promise<void> {
  const row = config.federation.enabled ? await findPlaylistRow(sql`playlist.id = ${id}`, inside) : null
  if (!row || row.remote) return
  const isTold = row.privacy === PLAYLIST_PRIVACY.PUBLIC && row.channel !== null
  if (!isTold) return row.federated ? await sendPlaylistDelete(row, inside) : undefined
  const object = await buildPlaylistObject(row, inside)
  const [to, cc] = [object.to as string[], object.cc as string[]]
  const activity: Activity = row.federated
    ? { to, cc, type: 'Update', id: `${row.url}/updates/${row.updated_at.toISOString()}`, actor: row.account, object }
    : { to, cc, type: 'Create', id: `${row.url}/activity`, actor: row.account, object }
  await enqueueActivity(
    {
      activity,
      kind: 'playlist',
      audience: audienceOf(row),
      lane: DELIVERY_PRIORITY.PUBLISH,
      subject: row.url,
      ...(row.federated ? { supersedes: keyOf(row), delay: config.federation.playlists.edits_interval } : {})
    },
    inside
  )
  if (!row.federated) await runQuery(sql`UPDATE playlists SET federated = true WHERE id = ${id}`, inside)
}

/** Tells followers that a playlist is no longer for them. */
export async function sendPlaylistDelete(row: PlaylistRow, inside: Transaction): Promise<void> {
  if (!row.federated) return
  await cancelQueuedActivity(keyOf(row), inside)
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
      audience: audienceOf(row),
      lane: DELIVERY_PRIORITY.NOW,
      subject: row.url
    },
    inside
  )
  await runQuery(sql`UPDATE playlists SET federated = false WHERE id = ${row.id}`, inside)
}

/** The Playlist of a local one (docs/federation.md#playlist-documents); its elements are a collection at its own address. */
export async function buildPlaylistObject(row: PlaylistRow, inside?: Transaction): Promise<{ id: string; [key: string]: unknown }> {
  const { total } = await playlistElementsPage(row)(0, 0, inside)
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

/** The addresses of a playlist's elements that others may see. */
export function playlistElementsPage({
  id
}: Pick<PlaylistRow, 'id'>): (...place: [...Parameters<CollectionQuery>, Transaction?]) => ReturnType<CollectionQuery> {
  return async (start, count, inside) => {
    const [row] = await runQuery<{ total: number }>(sql`SELECT count(*)::int AS total ${SHOWN} AND e.playlist_id = ${id}`, inside)
    const rows =
      count === 0
        ? []
        : await runQuery<{ url: string }>(
            sql`SELECT e.url ${SHOWN} AND e.playlist_id = ${id} ORDER BY e.position, e.id LIMIT ${count} OFFSET ${start}`,
            inside
          )
    return { total: row!.total, items: rows.map(({ url }) => url) }
  }
}

/** A PlaylistElement; null where there is none for everybody to see. */
export async function buildPlaylistElementObject({ id }: Pick<PlaylistRow, 'id'>, url: string): Promise<object | null> {
  const [row] = await runQuery<{
    url: string
    video: string
    position: number
    start_timestamp: number | null
    stop_timestamp: number | null
  }>(sql`
    SELECT e.url, v.url AS video, e.position, e.start_timestamp, e.stop_timestamp ${SHOWN} AND e.playlist_id = ${id} AND e.url = ${url}`)
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

const keyOf = (row: PlaylistRow) => `playlist ${row.url}`
const audienceOf = (row: PlaylistRow) => ({
  followersOf: [row.account, ...(row.channel ? [row.channel] : []), `${instanceOrigin()}/accounts/${INSTANCE_ACTOR_NAME}`]
})
