import { randomUUID } from 'node:crypto'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { resolveChannel } from '../channels/resolve-channel.ts'
import type { ChannelModel } from '../channels/channel.model.ts'
import { fetchCollectionPages } from '../fediverse/remote-collection.ts'
import { FetchBudget, FetchError, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { httpUrl, sameOrigin } from '../fediverse/origin.ts'
import { addTombstone, isTombstoned, removeTombstone } from '../fediverse/tombstones.ts'
import { idOf, isObject, type JsonObject } from '../fediverse/vocabulary.ts'
import { resolveVideo } from '../videos/resolve-video.ts'
import { parsePlaylistElementObject, parsePlaylistObject, type PlaylistElementObject, type PlaylistObject } from './playlist.codec.ts'

/**
 * Stores a remote playlist and marks its elements as due; returns its id. Returns null where it was deleted, the stored version is newer,
 * or it belongs to another account.
 */
export async function storeRemotePlaylist(
  { url, uuid, name, description, published, updated, thumbnailUrl }: PlaylistObject,
  { id: channelId, accountId }: Pick<ChannelModel, 'id' | 'accountId'>
): Promise<number | null> {
  return await transaction(async tx => {
    if (await isTombstoned(url, tx)) return null
    const [row] = await runQuery<{ id: number }>(
      sql`
      INSERT INTO playlists (uuid, url, remote, account_id, channel_id, name, description, privacy, elements_due, refreshed_at,
        created_at, updated_at)
      VALUES (${uuid}, ${url}, true, ${accountId}, ${channelId}, ${name}, ${description}, 1, now(), now(), ${published}, ${updated})
      ON CONFLICT (url) DO UPDATE SET name = excluded.name, description = excluded.description, channel_id = excluded.channel_id,
        elements_due = now(), refreshed_at = now(), updated_at = excluded.updated_at
        WHERE playlists.remote AND playlists.account_id = excluded.account_id AND playlists.updated_at <= excluded.updated_at RETURNING id`,
      tx
    )
    if (!row) return null
    if (!thumbnailUrl) await runQuery(sql`DELETE FROM thumbnails WHERE playlist_id = ${row.id}`, tx)
    else {
      await runQuery(
        sql`
        INSERT INTO thumbnails (playlist_id, kind, filename, width, height, automatic, url, created_at, updated_at)
        VALUES (${row.id}, 'thumbnail', ${`${randomUUID()}.jpg`}, ${config.thumbnails.width}, ${config.thumbnails.height}, false,
          ${thumbnailUrl}, now(), now())
        ON CONFLICT (playlist_id) DO UPDATE SET url = excluded.url, updated_at = now(), filename = CASE
          WHEN thumbnails.url = excluded.url THEN thumbnails.filename ELSE excluded.filename END`,
        tx
      )
    }
    return row.id
  })
}

/**
 * Stores a playlist from the document that its origin serves, also one that was deleted or private before. Returns its id, null where it
 * has no effect. Throws FetchError.
 */
export async function storePlaylistDocument(document: JsonObject, budget: FetchBudget): Promise<number | null> {
  const playlist = parsePlaylistObject(document)
  if (!playlist) throw new FetchError('invalid', 'This is no playlist')
  const channel = await resolveChannel(playlist.channel, { budget })
  await removeTombstone(playlist.url)
  return await storeRemotePlaylist(playlist, channel)
}

/** Fetches a playlist from its origin and stores it; removes it here where it is gone there. Throws FetchError. */
export async function fetchRemotePlaylist(url: string): Promise<number | null> {
  const budget = new FetchBudget()
  try {
    return await storePlaylistDocument((await fetchRemoteDocument(url, { budget })).document, budget)
  } catch (error) {
    if (error instanceof FetchError && ['gone', 'missing'].includes(error.kind)) await removeRemotePlaylist(url)
    throw error
  }
}

/** Removes a remote playlist that its origin does not have any more, and leaves a tombstone, so that old activities do not restore it. */
export async function removeRemotePlaylist(url: string): Promise<void> {
  await transaction(async tx => {
    const deleted = await runQuery(sql`DELETE FROM playlists WHERE url = ${url} AND remote RETURNING id`, tx)
    if (deleted.length > 0) await addTombstone(url, tx)
  })
}

/** Fetches the elements of a remote playlist; elements that cannot be fetched now keep their stored state and are due again. */
export async function fetchPlaylistElements(playlistId: number): Promise<void> {
  const [playlist] = await runQuery<{ url: string; due: Date }>(
    sql`SELECT url, elements_due AS due FROM playlists WHERE id = ${playlistId} AND remote AND elements_due IS NOT NULL`
  )
  if (!playlist) return
  const elements: { element: PlaylistElementObject; videoId: number }[] = []
  const failedUrls: string[] = []
  try {
    for await (const { items } of fetchCollectionPages(playlist.url)) {
      for (const item of items.slice(0, config.playlists.max_elements - elements.length - failedUrls.length)) {
        const url = httpUrl(idOf(item))
        if (!url || !sameOrigin(url, playlist.url)) continue
        try {
          const element = await fetchPlaylistElement(item, url, playlist.url)
          if (element) elements.push(element)
        } catch (error) {
          if (!(error instanceof FetchError)) throw error
          failedUrls.push(url)
        }
      }
    }
  } catch (error) {
    if (!(error instanceof FetchError)) throw error
    // It is due again, behind the others.
    await runQuery(sql`UPDATE playlists SET elements_due = now() WHERE id = ${playlistId}`)
    return
  }
  await transaction(async tx => {
    await runQuery(sql`DELETE FROM playlist_elements WHERE playlist_id = ${playlistId} AND NOT url = ANY(${failedUrls})`, tx)
    await runQuery(
      sql`
      INSERT INTO playlist_elements (url, playlist_id, video_id, position, start_timestamp, stop_timestamp)
      SELECT url, ${playlistId}::int, video, position, start, stop
        FROM json_to_recordset(${JSON.stringify(elements.map(({ element, videoId }) => ({ ...element, video: videoId })))}::json)
          AS element (url text, video integer, position integer, start integer, stop integer)
      ON CONFLICT (url) DO NOTHING`,
      tx
    )
    await runQuery(
      sql`UPDATE playlists SET elements_due = ${failedUrls.length > 0 ? new Date() : null}
        WHERE id = ${playlistId} AND elements_due = ${playlist.due}`,
      tx
    )
  })
}

async function fetchPlaylistElement(
  item: unknown,
  url: string,
  playlist: string
): Promise<{ element: PlaylistElementObject; videoId: number } | null> {
  const budget = new FetchBudget()
  try {
    const document = isObject(item) && 'position' in item ? item : (await fetchRemoteDocument(url, { budget })).document
    const element = parsePlaylistElementObject(document, playlist)
    if (!element) return null
    const video = await resolveVideo(element.video, { budget })
    return video.remote || [1, 2].includes(video.privacy) ? { element, videoId: video.id } : null
  } catch (error) {
    if (!(error instanceof FetchError) || ['unreachable', 'budget'].includes(error.kind)) throw error
    return null
  }
}

/**
 * Crawls the playlists of an actor: fetches new ones, and refreshes known ones, also those that are no longer listed. Throws FetchError.
 */
export async function crawlPlaylists({
  id,
  url,
  playlists_url: listUrl
}: {
  id: number
  url: string
  playlists_url: string
}): Promise<void> {
  if (!sameOrigin(listUrl, url)) return
  const listed = new Set<string>()
  for await (const { items } of fetchCollectionPages(listUrl)) {
    for (const item of items) {
      const playlist = httpUrl(idOf(item))
      if (playlist && sameOrigin(playlist, url)) listed.add(playlist)
    }
  }
  const existing = await runQuery<{ url: string; fresh: boolean }>(sql`
    SELECT p.url, p.refreshed_at > now() - ${sqlInterval(config.federation.crawl.interval)} AS fresh
      FROM playlists p JOIN accounts a ON a.id = p.account_id LEFT JOIN channels c ON c.id = p.channel_id
    WHERE p.remote AND (a.actor_id = ${id} OR c.actor_id = ${id})`)
  const recentlyRefreshed = new Set(existing.filter(one => one.fresh && listed.has(one.url)).map(one => one.url))
  for (const playlist of new Set([...listed, ...existing.map(one => one.url)])) {
    if (recentlyRefreshed.has(playlist)) continue
    await fetchRemotePlaylist(playlist).catch((error: unknown) => {
      if (!(error instanceof FetchError) || error.kind === 'budget') throw error
    })
  }
}
