import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transaction } from 'sequelize'
import { transaction } from '../core/transaction.ts'
import type { HlsOutput } from '../media/hls.ts'
import { describeVariant, readMediaPlaylist, hashSegments, writeFileAtomically } from '../media/hls-playlist.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder, removeHlsFolder, storedFileSize } from '../storage/disk.ts'
import { writeMasterPlaylist } from '../videos/master-playlist.ts'
import { discardWebVideoTorrents } from '../videos/torrents.ts'
import { progressiveMp4Size } from '../videos/send-progressive-mp4.ts'
import { StreamingPlaylistModel, VideoFileModel } from '../videos/video-file.model.ts'

/** The data needed to list a rendition: the video, the probe of its source and whether audio is muxed into every rendition. */
export type RenditionSource = { videoId: number; uuid: string; probe: Probe; muxedAudio: boolean; maxFps: number }

/** Whether a rendition has its first segment, so that a player can start with it. */
export async function hasFirstSegment(folder: string, output: HlsOutput): Promise<boolean> {
  return await readMediaPlaylist(join(folder, output.playlist)).then(
    playlist => playlist.segments.length > 0,
    () => false
  )
}

/**
 * Lists new renditions, growing or finished, in the database and then in the master playlist, in place of older ones of the same
 * resolution. The files of those are removed, or, with `keepReplacedFiles`, left to the sweeper, so that current viewers are not
 * interrupted.
 */
export async function publishRenditions(
  source: RenditionSource,
  outputs: HlsOutput[],
  growing: boolean,
  { keepReplacedFiles = false } = {}
): Promise<void> {
  const folder = hlsFolder(source.uuid)
  const described = await Promise.all(
    outputs.map(async output => ({
      output,
      variant: await describeVariant(folder, output, source.probe, source.maxFps),
      size: await storedFileSize(join(folder, output.file))
    }))
  )
  const replaced = await transaction(async tx => {
    const playlist = await findOrCreatePlaylist(source.videoId, tx)
    const replacedFiles: VideoFileModel[] = []
    for (const { output, variant, size } of described) {
      const existing = await VideoFileModel.findOne({
        where: { streamingPlaylistId: playlist.id, resolution: output.resolution, track: output.audioTrack?.track ?? 0 },
        transaction: tx
      })
      if (existing && existing.filename !== output.file) {
        replacedFiles.push(existing)
        await existing.destroy({ transaction: tx })
      }
      const values = {
        width: variant.width || null,
        height: variant.height || null,
        fps: variant.fps,
        size,
        bandwidth: variant.bandwidth,
        averageBandwidth: variant.averageBandwidth,
        codecs: variant.codecs,
        growing
      }
      if (existing?.filename === output.file) await existing.update(values, { transaction: tx })
      else {
        await VideoFileModel.create(
          {
            streamingPlaylistId: playlist.id,
            resolution: output.resolution,
            track: output.audioTrack?.track ?? 0,
            language: output.audioTrack?.language ?? null,
            trackName: output.audioTrack?.name ?? null,
            filename: output.file,
            playlistFilename: output.playlist,
            hasVideo: output.kind === 'video',
            hasAudio: output.kind === 'audio' || source.muxedAudio,
            ...values
          },
          { transaction: tx }
        )
      }
    }
    if (replacedFiles.some(file => !file.hasVideo)) await discardWebVideoTorrents(playlist.id, tx)
    await writeMasterPlaylist(
      source.uuid,
      playlist,
      await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id }, transaction: tx }),
      tx
    )
    return replacedFiles
  })
  if (!keepReplacedFiles) for (const file of replaced) await deleteFiles(source.uuid, file)
}

/**
 * Completes an encoding: deletes renditions that an interrupted attempt left growing, writes the hashes of all segments, and stores the
 * size of each resolution as one progressive MP4.
 */
export async function completeRenditions(source: Pick<RenditionSource, 'videoId' | 'uuid'>): Promise<void> {
  const folder = hlsFolder(source.uuid)
  const playlist = await StreamingPlaylistModel.findOne({ where: { videoId: source.videoId }, rejectOnEmpty: true })
  const files = await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id } })
  const finished = files.filter(file => !file.growing)
  const filename = `${randomUUID()}-segments-sha256.json`
  const hashes = await hashSegments(
    folder,
    finished.filter(file => file.hls).map(file => ({ playlist: file.playlistFilename, file: file.filename }))
  )
  await writeFileAtomically(join(folder, filename), JSON.stringify(hashes))
  const previousHashes = playlist.segmentsSha256Filename
  await transaction(async tx => {
    await VideoFileModel.destroy({ where: { streamingPlaylistId: playlist.id, growing: true }, transaction: tx })
    await playlist.update({ segmentsSha256Filename: filename }, { transaction: tx })
    await writeMasterPlaylist(source.uuid, playlist, finished, tx)
  })
  // All resolutions have the same audio.
  for (const file of finished)
    await file.update(
      { wholeSize: await progressiveMp4Size({ id: source.videoId, uuid: source.uuid }, file.resolution).catch(() => null) },
      { silent: true }
    )
  for (const file of files) if (file.growing) await deleteFiles(source.uuid, file)
  if (previousHashes) await rm(join(folder, previousHashes), { force: true })
}

/** Deletes the unfinished renditions of a video whose encoding ended early; returns whether anything is left to play. */
export async function keepFinishedRenditions(source: Pick<RenditionSource, 'videoId' | 'uuid'>): Promise<boolean> {
  if ((await findFinishedRenditions(source.videoId)).length > 0) {
    await completeRenditions(source)
    return true
  }
  await StreamingPlaylistModel.destroy({ where: { videoId: source.videoId } })
  await removeHlsFolder(source.uuid)
  return false
}

/** The finished renditions of a video. */
export async function findFinishedRenditions(videoId: number): Promise<VideoFileModel[]> {
  const playlist = await StreamingPlaylistModel.findOne({ where: { videoId } })
  return playlist ? await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id, growing: false } }) : []
}

/** Removes the files of outputs that are not listed. */
export async function removeRenditionFiles(uuid: string, outputs: HlsOutput[]): Promise<void> {
  for (const output of outputs) await deleteFiles(uuid, { filename: output.file, playlistFilename: output.playlist })
}

async function findOrCreatePlaylist(videoId: number, tx: Transaction): Promise<StreamingPlaylistModel> {
  return (
    (await StreamingPlaylistModel.findOne({ where: { videoId }, transaction: tx, lock: true })) ??
    (await StreamingPlaylistModel.create({ videoId, playlistFilename: `${randomUUID()}-master.m3u8` }, { transaction: tx }))
  )
}

async function deleteFiles(uuid: string, file: Pick<VideoFileModel, 'filename' | 'playlistFilename'>): Promise<void> {
  const folder = hlsFolder(uuid)
  await rm(join(folder, file.playlistFilename), { force: true })
  await rm(join(folder, file.filename), { force: true })
}
