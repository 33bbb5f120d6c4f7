import { keepLastKnown } from '../core/last-known.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { isPublicOrUnlisted } from './video.policy.ts'

/** Kinds of pictures and captions; the last part of their addresses below /lazy-static/ is their name. */
export type LazyStaticKind = 'thumbnails' | 'previews' | 'storyboards' | 'video-captions' | 'avatars' | 'banners'
/**
 * A picture or captions with a row in the database. `url`: where another server has it, null for a file of this instance; `videoId`: the video
 * whose viewers alone may have it, null where anybody may.
 */
export type LazyStaticFile = { url: string | null; videoId: number | null }

/** Per kind, the query of the names, the addresses at other servers, and the videos that the files belong to. */
const FILES_SQL: Record<LazyStaticKind, Sql> = {
  thumbnails: sql`SELECT filename, url, video_id FROM thumbnails WHERE kind = 'thumbnail'`,
  previews: sql`SELECT filename, url, video_id FROM thumbnails WHERE kind = 'preview'`,
  storyboards: sql`SELECT filename, url, video_id FROM storyboards`,
  'video-captions': sql`SELECT filename, url, video_id FROM video_captions
    UNION ALL SELECT filename, NULL, video_id FROM additional_captions`,
  avatars: sql`SELECT filename, url, NULL::int AS video_id FROM actor_images WHERE kind = 'avatar'`,
  banners: sql`SELECT filename, url, NULL::int AS video_id FROM actor_images WHERE kind = 'banner'`
}

type FileRow = { filename: string; url: string | null; video_id: number | null; privacy: number | null }

/** The files of a kind that are there; those of a video that was withdrawn are not. */
const queryFiles = async (kind: LazyStaticKind, names: string[]): Promise<FileRow[]> =>
  await runQuery<FileRow>(sql`
    SELECT file.filename, file.url, file.video_id, v.privacy FROM (${FILES_SQL[kind]}) file LEFT JOIN videos v ON v.id = file.video_id
    WHERE file.filename = ANY(${names}) AND (file.video_id IS NULL OR (v.gone_at IS NULL AND v.forbidden_privacy IS NULL))`)

const isOpen = ({ video_id: videoId, privacy }: FileRow): boolean => videoId === null || isPublicOrUnlisted(privacy!)

async function findFile(kind: LazyStaticKind, name: string): Promise<LazyStaticFile | null> {
  const [row] = await queryFiles(kind, [name])
  return row ? { url: row.url, videoId: isOpen(row) ? null : row.video_id } : null
}

const keepLastKnownOf = (kind: LazyStaticKind): ((name: string) => Promise<LazyStaticFile | null>) =>
  keepLastKnown(
    async (name: string) => await findFile(kind, name),
    name => name,
    file => file !== null && file.videoId === null,
    async names => (await queryFiles(kind, names)).filter(isOpen).map(({ filename }) => filename)
  )

const finders: Record<LazyStaticKind, (name: string) => Promise<LazyStaticFile | null>> = {
  thumbnails: keepLastKnownOf('thumbnails'),
  previews: keepLastKnownOf('previews'),
  storyboards: keepLastKnownOf('storyboards'),
  'video-captions': keepLastKnownOf('video-captions'),
  avatars: keepLastKnownOf('avatars'),
  banners: keepLastKnownOf('banners')
}

/** Finds a picture or captions by name; null where the database has none. While the database is away, what anybody may have is remembered. */
export async function findLazyStaticFile(kind: LazyStaticKind, name: string): Promise<LazyStaticFile | null> {
  return await finders[kind](name)
}
