import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { transaction } from '../core/transaction.ts'
import { notFound, Problem } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { writeFileAtomically } from '../media/hls-playlist.ts'
import { hlsFolder } from '../storage/disk.ts'
import { writeMasterPlaylist } from '../videos/master-playlist.ts'
import type { VideoAccessInfo } from '../videos/video-access.ts'
import { StreamingPlaylistModel, VideoFileModel } from '../videos/video-file.model.ts'
import { VideoModel } from '../videos/video.model.ts'
import { federateVideo } from '../videos/video.outbox.ts'
import { TranscodingModel } from './transcoding.model.ts'

/** What a rendition is offered as: an HLS file, or one MP4 with its audio, which is composed of the same stored files. */
export type RenditionForm = 'hls' | 'webVideo'
type RemovableVideo = Pick<VideoAccessInfo, 'id' | 'uuid'>

/**
 * Removes the files of one form from a local video, or only that with this id, and federates it. Stored files that no form needs any more
 * are deleted. Throws 400 where there are none, where nothing (or nothing with sound) would be left to play or while the video is encoded;
 * 404 for an unknown file.
 */
export async function removeRenditions(video: RemovableVideo, form: RenditionForm, fileId?: number): Promise<void> {
  const obsolete = await transaction(async tx => {
    const playlist = await StreamingPlaylistModel.findOne({ where: { videoId: video.id }, transaction: tx, lock: true })
    const transcoding = await TranscodingModel.findByPk(video.id, { transaction: tx, lock: true })
    if (transcoding && ['waiting', 'running'].includes(transcoding.state))
      throw new Problem(400, null, 'The files of a video that is being transcoded cannot be removed')
    const files = playlist ? await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id }, transaction: tx }) : []
    if (!playlist || !files.some(file => isOffered(file, form)))
      throw fileId === undefined ? new Problem(400, null, `This video has no ${FORM_NAMES[form]} files`) : notFound('Video file')
    const removed = planRemoval(files, form, fileId)
    for (const file of removed) {
      file[form] = false
      await file.save({ transaction: tx })
    }
    await runQuery(
      sql`DELETE FROM torrents WHERE video_file_id = ANY(${removed.map(file => file.id)}) AND web_video = ${form === 'webVideo'}`,
      tx
    )
    // Not what was a web video alone before, while those are switched off.
    const unused = files.filter(file => (removed.includes(file) || !file.hasVideo) && !isNeeded(file, files))
    for (const file of unused) await file.destroy({ transaction: tx })
    const obsoleteNames = unused.flatMap(file => [file.filename, file.playlistFilename])
    if (form === 'hls') obsoleteNames.push(...(await updatePlaylists(video, playlist, { files, removed }, tx)))
    await VideoModel.update({ updatedAt: new Date() }, { where: { id: video.id }, transaction: tx, silent: true })
    await federateVideo(video.id, tx)
    return obsoleteNames
  })
  for (const name of obsolete) await rm(join(hlsFolder(video.uuid), name), { force: true })
}

/** Offers the renditions of a video as one MP4 each again; their torrents are made anew. */
export async function offerWebVideos(videoId: number, tx: Transaction): Promise<void> {
  await runQuery(
    sql`UPDATE video_files f SET web_video = true, torrents_due_at = now() FROM streaming_playlists p
      WHERE p.id = f.streaming_playlist_id AND p.video_id = ${videoId} AND NOT f.web_video`,
    tx
  )
}

const FORM_NAMES = { hls: 'HLS', webVideo: 'web video' } as const

function isOffered(file: VideoFileModel, form: RenditionForm): boolean {
  return form === 'hls' ? file.hls : config.transcoding.web_videos.enabled && file.hasVideo && file.webVideo && file.wholeSize !== null
}

/** Whether a stored file is offered in some form, or has the audio of one that is. */
function isNeeded(file: VideoFileModel, files: VideoFileModel[]): boolean {
  if (isOffered(file, 'hls') || isOffered(file, 'webVideo')) return true
  return !file.hasVideo && files.some(other => !other.hasAudio && isOffered(other, 'webVideo'))
}

/** Returns the files that lose a form. Throws 400, 404. */
function planRemoval(files: VideoFileModel[], form: RenditionForm, fileId: number | undefined): VideoFileModel[] {
  const offered = files.filter(file => isOffered(file, form))
  if (fileId === undefined) return assertPlayable(files, form, offered)
  const file = offered.find(({ id, webVideoId }) => fileId === (form === 'hls' ? id : webVideoId))
  if (!file) throw notFound('Video file')
  const left = offered.filter(other => other !== file)
  if (!file.hasVideo && left.some(other => other.hasVideo && !other.hasAudio))
    throw new Problem(400, null, 'Cannot remove the sound of the other files of this video')
  // Audio alone is no reason to keep a playlist of a video.
  return assertPlayable(files, form, file.hasVideo && !left.some(other => other.hasVideo) ? offered : [file])
}

/** Returns the files to remove. Throws 400 if nothing would be left to play. */
function assertPlayable(files: VideoFileModel[], form: RenditionForm, removed: VideoFileModel[]): VideoFileModel[] {
  const otherForm = form === 'hls' ? 'webVideo' : 'hls'
  const isLeft = (file: VideoFileModel): boolean => isOffered(file, otherForm) || (isOffered(file, form) && !removed.includes(file))
  if (!files.some(isLeft)) throw new Problem(400, null, 'Cannot remove the last files of this video')
  return removed
}

/** Writes the master playlist and the hashes without the removed files; returns the names of files that are obsolete after the commit. */
async function updatePlaylists(
  { uuid }: RemovableVideo,
  playlist: StreamingPlaylistModel,
  { files, removed }: Record<'files' | 'removed', VideoFileModel[]>,
  tx: Transaction
): Promise<string[]> {
  const previousHashes = playlist.segmentsSha256Filename
  const obsolete = [...removed.map(file => file.playlistFilename), ...(previousHashes === null ? [] : [previousHashes])]
  if (!files.some(file => file.hls)) {
    await playlist.update({ segmentsSha256Filename: null }, { transaction: tx })
    return [...obsolete, playlist.playlistFilename]
  }
  // What is in the database may be lost on the disk.
  await mkdir(hlsFolder(uuid), { recursive: true })
  if (previousHashes !== null) {
    const hashes = JSON.parse(await readFile(join(hlsFolder(uuid), previousHashes), 'utf8').catch(() => '{}')) as Record<string, unknown>
    for (const { filename } of removed) delete hashes[filename]
    const segmentsSha256Filename = `${randomUUID()}-segments-sha256.json`
    await writeFileAtomically(join(hlsFolder(uuid), segmentsSha256Filename), JSON.stringify(hashes))
    await playlist.update({ segmentsSha256Filename }, { transaction: tx })
  }
  await writeMasterPlaylist(uuid, playlist, files, tx)
  return obsolete
}
