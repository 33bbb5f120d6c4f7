import type { Transaction } from 'sequelize'
import type { CaptionKind } from '../../shared/captions.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { addFileToken, type FileTokenHolder } from './video-file-token.ts'
import { imagePath } from './video-urls.ts'
import { languageLabel } from './labels.ts'

type CaptionJson = { language: { id: string; label: string }; automaticallyGenerated: boolean; captionPath: string; updatedAt: string }
type CaptionedVideo = { id: number; privacy: number }
type CaptionTrackJson = CaptionJson & { kind: CaptionKind }
/** A subtitle track of a video; `filename` is that in the storage folder of captions, or of the copy of a remote file (`url`). */
export type StoredCaption = {
  language: string
  kind: CaptionKind
  automatic: boolean
  filename: string
  url: string | null
  updated_at: Date
}

/** Query of all subtitle tracks (`StoredCaption`) of the video whose id is the expression. */
export function captionTracksSql(videoId: Sql): Sql {
  return sql`SELECT language, 'subtitles' AS kind, automatic, filename, url, updated_at FROM video_captions WHERE video_id = ${videoId}
    UNION ALL SELECT language, kind, false, filename, NULL, updated_at FROM additional_captions WHERE video_id = ${videoId}`
}

/**
 * Query of the captions of a video, one a language, as PeerTube and its API know them. Where a language has only subtitles for the hearing
 * impaired, those are its captions; forced ones, which leave out most of what is said, never are.
 */
export function languageCaptionsSql(videoId: Sql): Sql {
  return sql`SELECT DISTINCT ON (language) * FROM (${captionTracksSql(videoId)}) track WHERE kind <> 'forced'
    ORDER BY language, kind = 'subtitles' DESC`
}

/** Returns the captions of a video, one a language and ordered by it, as the API answers them to somebody who may watch it. */
export async function listCaptions(video: CaptionedVideo, holder: FileTokenHolder): Promise<{ total: number; data: CaptionJson[] }> {
  const captions = await runQuery<StoredCaption>(languageCaptionsSql(sql`${video.id}::int`))
  const data = await Promise.all(captions.map(async caption => await captionJson(caption, video, holder)))
  return { total: data.length, data }
}

/** Returns all subtitle tracks of a video, ordered by language and kind (full, hearing impaired, forced), as the API answers them likewise. */
export async function listCaptionTracks(
  video: CaptionedVideo,
  holder: FileTokenHolder
): Promise<{ total: number; data: CaptionTrackJson[] }> {
  const tracks = await findCaptionTracks(video.id)
  const data = await Promise.all(tracks.map(async track => ({ ...(await captionJson(track, video, holder)), kind: track.kind })))
  return { total: data.length, data }
}

/** All subtitle tracks of a video in the same order. */
export async function findCaptionTracks(videoId: number, tx?: Transaction): Promise<StoredCaption[]> {
  return await runQuery<StoredCaption>(
    sql`SELECT * FROM (${captionTracksSql(sql`${videoId}::int`)}) track ORDER BY language, kind = 'subtitles' DESC, kind DESC`,
    tx
  )
}

/** Stores the row of a track of a local video unless the video has one of this language and kind; returns whether it did. */
export async function insertCaption(
  videoId: number,
  { language, kind, filename }: Pick<StoredCaption, 'language' | 'kind' | 'filename'>,
  tx: Transaction
): Promise<boolean> {
  const inserted = await runQuery(
    kind === 'subtitles'
      ? sql`INSERT INTO video_captions (video_id, language, filename) VALUES (${videoId}, ${language}, ${filename})
          ON CONFLICT (video_id, language) DO NOTHING RETURNING id`
      : sql`INSERT INTO additional_captions (video_id, language, kind, filename) VALUES (${videoId}, ${language}, ${kind}, ${filename})
          ON CONFLICT (video_id, language, kind) DO NOTHING RETURNING id`,
    tx
  )
  return inserted.length > 0
}

async function captionJson(
  { language, automatic, filename, updated_at }: StoredCaption,
  video: CaptionedVideo,
  holder: FileTokenHolder
): Promise<CaptionJson> {
  return {
    language: { id: language, label: languageLabel(language) },
    automaticallyGenerated: automatic,
    captionPath: await addFileToken(imagePath('video-captions', filename), video, holder),
    updatedAt: updated_at.toISOString()
  }
}
