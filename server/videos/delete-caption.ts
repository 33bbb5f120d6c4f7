import type { CaptionKind } from '../../shared/captions.ts'
import { notFound } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'
import { removeStoredFiles } from '../storage/disk.ts'
import { captionTracksSql, languageCaptionsSql } from './captions.ts'
import { rewriteMasterPlaylist } from './master-playlist.ts'
import { VideoModel } from './video.model.ts'
import { federateVideo } from './video.outbox.ts'

/**
 * Deletes the subtitles of a local video in a language: those of a kind, else those that are its captions there (`languageCaptionsSql`).
 * Followers are told. Throws 404 where there are none.
 */
export async function deleteCaption(video: { id: number; uuid: string }, language: string, kind?: CaptionKind): Promise<void> {
  const filename = await transaction(async tx => {
    const id = sql`${video.id}::int`
    const tracks = kind ? sql`SELECT * FROM (${captionTracksSql(id)}) track WHERE kind = ${kind}` : languageCaptionsSql(id)
    const [track] = await runQuery<{ kind: CaptionKind; filename: string }>(
      sql`SELECT kind, filename FROM (${tracks}) track WHERE language = ${language}`,
      tx
    )
    const table = track?.kind === 'subtitles' ? sql`video_captions` : sql`additional_captions`
    const deleted = track ? await runQuery(sql`DELETE FROM ${table} WHERE filename = ${track.filename} RETURNING id`, tx) : []
    if (!track || deleted.length === 0) throw notFound('Video caption')
    await rewriteMasterPlaylist(video, tx)
    await VideoModel.update({ updatedAt: new Date() }, { where: { id: video.id }, transaction: tx, silent: true })
    await federateVideo(video.id, tx)
    return track.filename
  })
  await removeStoredFiles('captions', [filename])
}
