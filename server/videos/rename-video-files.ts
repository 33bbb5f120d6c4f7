import { randomUUID } from 'node:crypto'
import { link, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transaction } from 'sequelize'
import { logger } from '../core/logger.ts'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import { afterCommit, onRollback } from '../core/transaction.ts'
import { writeFileAtomically } from '../media/hls-playlist.ts'
import { hlsFolder, linkIntoStorage, removeStoredFiles, storedFilePath, type StoredFileKind } from '../storage/disk.ts'
import { rewriteMasterPlaylist, writeMasterPlaylist } from './master-playlist.ts'
import { discardTorrents, renameTorrents } from './torrents.ts'
import { StreamingPlaylistModel, VideoFileModel } from './video-file.model.ts'

type RenamedVideo = { id: number; uuid: string }

/**
 * Gives all files of a local video new names in the transaction that closes it to the public, so that no address from before is one of it any
 * more, whatever caches hold. The HLS files of a video that is being transcoded follow when that has ended (rename-files.job.ts). The old files
 * are removed after commit, or the new ones where that does not come.
 */
export async function renameVideoFiles(video: RenamedVideo, tx: Transaction): Promise<void> {
  await renamePicturesAndCaptions(video.id, tx)
  if (await renameHlsFiles(video, tx)) return
  // They name what they are about.
  await renameTorrents(video.id, tx)
  await rewriteMasterPlaylist(video, tx)
}

/**
 * Gives the HLS files of a video new names, and discards its torrents, whose contents name them; returns false where that is not possible:
 * while the video is transcoded, when it is noted as due, and in a file system without hard links, as the files may be too large to copy.
 */
export async function renameHlsFiles({ id, uuid }: RenamedVideo, tx: Transaction): Promise<boolean> {
  const playlist = await StreamingPlaylistModel.findOne({ where: { videoId: id }, transaction: tx, lock: true })
  if (!playlist) return true
  const [transcoding] = await runQuery<{ state: string }>(sql`SELECT state FROM transcodings WHERE video_id = ${id} FOR UPDATE`, tx)
  const isTranscoded = transcoding?.state === 'waiting' || transcoding?.state === 'running'
  await runQuery(sql`UPDATE streaming_playlists SET rename_due = ${isTranscoded} WHERE id = ${playlist.id}`, tx)
  if (isTranscoded) return false
  const folder = hlsFolder(uuid)
  const files = await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id }, transaction: tx })
  const removeOnRollback = (name: string): void => onRollback(tx, () => void rm(join(folder, name), { force: true }))
  const newNames = new Map<string, string>()
  for (const { filename } of files) {
    const name = newName(filename)
    const outcome = await linkFile(join(folder, filename), join(folder, name))
    if (outcome === 'unsupported') return false
    if (outcome === 'linked') newNames.set(filename, name)
    removeOnRollback(name)
  }
  const oldNames = [
    ...newNames.keys(),
    playlist.playlistFilename,
    ...(playlist.segmentsSha256Filename ? [playlist.segmentsSha256Filename] : [])
  ]
  const withNewNames = (text: string): string => [...newNames].reduce((replaced, [from, to]) => replaced.replaceAll(from, to), text)
  for (const file of files) {
    const text = await readText(join(folder, file.playlistFilename))
    const filename = newNames.get(file.filename)
    // What is lost has no content to protect.
    if (text === null || filename === undefined) continue
    const playlistFilename = newName(file.playlistFilename)
    await writeFileAtomically(join(folder, playlistFilename), withNewNames(text))
    oldNames.push(file.playlistFilename)
    removeOnRollback(playlistFilename)
    await file.update({ filename, playlistFilename }, { transaction: tx })
  }
  const hashes = playlist.segmentsSha256Filename && (await readText(join(folder, playlist.segmentsSha256Filename)))
  const segmentsSha256Filename = hashes ? newName(playlist.segmentsSha256Filename!) : null
  if (segmentsSha256Filename) {
    removeOnRollback(segmentsSha256Filename)
    await writeFileAtomically(join(folder, segmentsSha256Filename), withNewNames(hashes!))
  }
  await playlist.update({ playlistFilename: newName(playlist.playlistFilename), segmentsSha256Filename }, { transaction: tx })
  if (files.some(file => file.hls)) await writeMasterPlaylist(uuid, playlist, files, tx)
  removeOnRollback(playlist.playlistFilename)
  await discardTorrents(playlist.id, tx)
  afterCommit(tx, () => {
    for (const name of oldNames) void rm(join(folder, name), { force: true })
  })
  return true
}

async function renamePicturesAndCaptions(videoId: number, tx: Transaction): Promise<void> {
  const rename = async (kind: StoredFileKind, rows: Sql, update: (from: string, to: string) => Sql): Promise<void> => {
    for (const { filename } of await runQuery<{ filename: string }>(rows, tx)) {
      const name = newName(filename)
      if (!(await linkStoredFile(kind, filename, name))) continue
      onRollback(tx, () => void removeStoredFiles(kind, [name]))
      await runQuery(update(filename, name), tx)
      afterCommit(tx, () => void removeStoredFiles(kind, [filename]))
    }
  }
  for (const [folder, kind] of [
    ['thumbnails', 'thumbnail'],
    ['previews', 'preview']
  ] as const) {
    await rename(
      folder,
      sql`SELECT filename FROM thumbnails WHERE video_id = ${videoId} AND kind = ${kind} AND url IS NULL FOR UPDATE`,
      (from, to) => sql`UPDATE thumbnails SET filename = ${to} WHERE filename = ${from}`
    )
  }
  await rename(
    'storyboards',
    sql`SELECT filename FROM storyboards WHERE video_id = ${videoId} AND url IS NULL FOR UPDATE`,
    (from, to) => sql`UPDATE storyboards SET filename = ${to} WHERE filename = ${from}`
  )
  await rename(
    'captions',
    sql`SELECT filename FROM video_captions WHERE video_id = ${videoId} AND url IS NULL FOR UPDATE`,
    (from, to) => sql`UPDATE video_captions SET filename = ${to} WHERE filename = ${from}`
  )
  await rename(
    'captions',
    sql`SELECT filename FROM additional_captions WHERE video_id = ${videoId} FOR UPDATE`,
    (from, to) => sql`UPDATE additional_captions SET filename = ${to} WHERE filename = ${from}`
  )
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/

/** The same name with a UUID of its own; what follows that says what the file is. */
function newName(name: string): string {
  return UUID.test(name) ? name.replace(UUID, randomUUID()) : `${randomUUID()}-${name}`
}

async function readText(path: string): Promise<string | null> {
  return await readFile(path, 'utf8').catch(() => null)
}

async function linkFile(from: string, to: string): Promise<'linked' | 'missing' | 'unsupported'> {
  try {
    await link(from, to)
    return 'linked'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing'
    logger.warn('The files of a video that was closed to the public keep their names', { file: from, error })
    return 'unsupported'
  }
}

async function linkStoredFile(kind: StoredFileKind, from: string, to: string): Promise<boolean> {
  try {
    await linkIntoStorage(storedFilePath(kind, from), kind, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
