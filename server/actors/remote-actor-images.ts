import { randomUUID } from 'node:crypto'
import { extname } from 'node:path'
import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { runQuery, sql } from '../core/sql.ts'
import type { RemoteActor } from './actor.codec.ts'

const EXTENSIONS = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif'])

/** Stores the URLs of avatar and banner of a remote actor; a new URL gets a new filename, so that no cached copy is shown. */
export async function storeRemoteActorImages(
  actorId: number,
  { avatarUrl, bannerUrl }: Pick<RemoteActor, 'avatarUrl' | 'bannerUrl'>,
  tx: Transaction
): Promise<void> {
  const { avatar_sizes, banner_sizes } = config.thumbnails
  const avatarSize = Math.min(120, Math.max(...avatar_sizes))
  for (const [kind, url, [width, height]] of [
    ['avatar', avatarUrl, [avatarSize, avatarSize]],
    ['banner', bannerUrl, banner_sizes[0]!]
  ] as const) {
    const known = await runQuery(sql`SELECT 1 FROM actor_images WHERE actor_id = ${actorId} AND kind = ${kind} AND url = ${url}`, tx)
    if (known.length > 0) continue
    await runQuery(sql`DELETE FROM actor_images WHERE actor_id = ${actorId} AND kind = ${kind}`, tx)
    if (url === null) continue
    const extension = extname(new URL(url).pathname).toLowerCase()
    await runQuery(
      sql`
      INSERT INTO actor_images (actor_id, kind, filename, width, height, url, created_at, updated_at)
      VALUES (${actorId}, ${kind}, ${`${randomUUID()}${EXTENSIONS.has(extension) ? extension : '.png'}`}, ${width}, ${height},
        ${url}, now(), now())`,
      tx
    )
  }
}
