import type { Transaction } from 'sequelize'
import { runQuery, sql, type Sql } from '../core/sql.ts'

/** Values of the column `privacy`. */
export const PLAYLIST_PRIVACY = { PUBLIC: 1, UNLISTED: 2, PRIVATE: 3 } as const

/** Values of the column `type`: every user has one playlist to watch later, which is private and stays. */
export const PLAYLIST_TYPE = { REGULAR: 1, WATCH_LATER: 2 } as const

/** A row of `playlists`, joined with its owner, its channel and its thumbnail. */
export type PlaylistRow = {
  id: number
  uuid: string
  url: string
  remote: boolean
  name: string
  description: string | null
  privacy: number
  type: number
  federated: boolean
  account_id: number
  channel_id: number | null
  created_at: Date
  updated_at: Date
  owner_user_id: number | null
  account: string
  channel: string | null
  thumbnail: string | null
}

/** Finds a playlist by a condition on `playlist`; returns null if there is none. `lock` locks the row until the transaction ends. */
export async function findPlaylistRow(
  condition: Sql,
  tx?: Transaction,
  { lock = false }: { lock?: boolean } = {}
): Promise<PlaylistRow | null> {
  const [row] = await runQuery<PlaylistRow>(
    sql`
    SELECT playlist.*, account.user_id AS owner_user_id, actor.url AS account, channel_actor.url AS channel, (SELECT filename
      FROM thumbnails WHERE playlist_id = playlist.id) AS thumbnail
    FROM playlists playlist JOIN accounts account ON account.id = playlist.account_id JOIN actors actor ON actor.id = account.actor_id
      LEFT JOIN channels channel ON channel.id = playlist.channel_id LEFT JOIN actors channel_actor ON channel_actor.id = channel.actor_id
    WHERE ${condition} ${lock ? sql`FOR UPDATE OF playlist` : sql``}`,
    tx
  )
  return row ?? null
}
