import { randomUUID } from 'node:crypto'
import { runQuery, sql } from '../core/sql.ts'

/** The data of a seeded video; sizes in bytes, age in hours. */
export type SeedVideoOptions = {
  channelId: number
  privacy?: number
  state?: number
  sourceSize?: number
  keptSource?: boolean
  fileSizes?: number[]
  ageHours?: number
  views?: number
}

/** Inserts the rows of a video without files on disk; returns its id and UUID. */
export async function seedVideo({
  channelId,
  privacy = 1,
  state = 1,
  sourceSize = 0,
  keptSource = true,
  fileSizes = [],
  ageHours = 0,
  views = 0
}: SeedVideoOptions): Promise<{ id: number; uuid: string }> {
  const uuid = randomUUID()
  const [video] = await runQuery<{ id: number }>(sql`
    INSERT INTO videos (uuid, url, channel_id, name, privacy, state, comments_policy, views, published_at, created_at, updated_at)
    VALUES (${uuid}::uuid, ${`http://seed/${uuid}`}, ${channelId}, 'A seed', ${privacy}, ${state}, 1, ${views},
      now(), now() - ${ageHours} * interval '1 hour', now()) RETURNING id`)
  if (sourceSize > 0) {
    await runQuery(sql`INSERT INTO video_sources (video_id, input_filename, filename, size, created_at, updated_at)
      VALUES (${video!.id}, 'film.mp4', ${keptSource ? `${uuid}.mp4` : null}, ${sourceSize}, now(), now())`)
  }
  if (fileSizes.length > 0) {
    const [playlist] = await runQuery<{ id: number }>(
      sql`INSERT INTO streaming_playlists (video_id, playlist_filename, created_at, updated_at)
        VALUES (${video!.id}, ${`${uuid}.m3u8`}, now(), now()) RETURNING id`
    )
    for (const [index, size] of fileSizes.entries()) {
      await runQuery(sql`INSERT INTO video_files (streaming_playlist_id, resolution, fps, size, filename, playlist_filename,
          has_audio, has_video, created_at, updated_at)
        VALUES (${playlist!.id}, ${240 * (index + 1)}, 25, ${size}, ${`${uuid}-${index}.mp4`}, ${`${uuid}-${index}.m3u8`},
          true, true, now(), now())`)
    }
  }
  return { id: video!.id, uuid }
}
