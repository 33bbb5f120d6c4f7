import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transaction } from 'sequelize'
import { transaction } from '../core/transaction.ts'
import type { HlsOutput } from '../media/hls.ts'
import {
  describeVariant,
  buildMasterPlaylist,
  readMediaPlaylist,
  hashSegments,
  writeFileAtomically,
  type AudioTrackName,
  type HlsVariant
} from '../media/hls-playlist.ts'
import type { Probe } from '../media/probe.ts'
import { hlsFolder, removeHlsFolder, storedFileSize } from '../storage/disk.ts'
import { progressiveMp4Size } from '../videos/send-progressive-mp4.ts'
import { StreamingPlaylistModel, VideoFileModel } from '../videos/video-file.model.ts'

/** What a rendition needs to be listed: the video, the source and whether sound is inside every rendition. */
export type RenditionSource = { videoId: number; uuid: string; probe: Probe; muxedAudio: boolean; maxFps: number }

/** Whether a player could begin with it: a first segment is there. */
export async function hasFirstSegment(folder: string, output: HlsOutput): Promise<boolean> {
  return await readMediaPlaylist(join(folder, output.playlist)).then(
    list => list.segments.length > 0,
    () => false
  )
}

/**
 * Lists new renditions, growing or finished, in the database and then in the master playlist, instead of older ones of the same size. The
 * files
 * of those are removed, or, with `watched`, left to the sweeper: whoever is watching them goes on.
 */
export async function publishRenditions(
  source: RenditionSource,
  outputs: HlsOutput[],
  growing: boolean,
  { watched = false } = {}
): Promise<void> {
  const folder = hlsFolder(source.uuid)
  const described = await Promise.all(
    outputs.map(async output => ({
      output,
      variant: await describeVariant(folder, output, source.probe, source.maxFps),
      size: await storedFileSize(join(folder, output.file))
    }))
  )
  const replaced = await transaction(async transaction => {
    const playlist = await playlistOf(source.videoId, transaction)
    const old: VideoFileModel[] = []
    for (const { output, variant, size } of described) {
      const known = await VideoFileModel.findOne({
        where: { streamingPlaylistId: playlist.id, resolution: output.resolution, track: output.sound?.track ?? 0 },
        transaction
      })
      if (known && known.filename !== output.file) {
        old.push(known)
        await known.destroy({ transaction })
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
      if (known?.filename === output.file) await known.update(values, { transaction })
      else {
        await VideoFileModel.create(
          {
            streamingPlaylistId: playlist.id,
            resolution: output.resolution,
            track: output.sound?.track ?? 0,
            language: output.sound?.language ?? null,
            trackName: output.sound?.name ?? null,
            filename: output.file,
            playlistFilename: output.playlist,
            hasVideo: output.kind === 'video',
            hasAudio: output.kind === 'audio' || source.muxedAudio,
            ...values
          },
          { transaction }
        )
      }
    }
    await writeMaster(source.uuid, playlist, await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id }, transaction }))
    return old
  })
  if (!watched) for (const file of replaced) await removeRendition(source.uuid, file)
}

/**
 * Ends the work: drops renditions an interrupted attempt left growing, writes the hashes of all segments, and notes how large each quality
 * is as one file.
 */
export async function completeRenditions(source: Pick<RenditionSource, 'videoId' | 'uuid'>): Promise<void> {
  const folder = hlsFolder(source.uuid)
  const playlist = await StreamingPlaylistModel.findOne({ where: { videoId: source.videoId }, rejectOnEmpty: true })
  const files = await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id } })
  const done = files.filter(file => !file.growing)
  const filename = `${randomUUID()}-segments-sha256.json`
  const hashes = await hashSegments(
    folder,
    done.map(file => ({ playlist: file.playlistFilename, file: file.filename }))
  )
  await writeFileAtomically(join(folder, filename), JSON.stringify(hashes))
  const before = playlist.segmentsSha256Filename
  await transaction(async transaction => {
    await VideoFileModel.destroy({ where: { streamingPlaylistId: playlist.id, growing: true }, transaction })
    await playlist.update({ segmentsSha256Filename: filename }, { transaction })
    await writeMaster(source.uuid, playlist, done)
  })
  // All qualities have the same sound.
  for (const file of done)
    await file.update(
      { wholeSize: await progressiveMp4Size({ id: source.videoId, uuid: source.uuid }, file.resolution).catch(() => null) },
      { silent: true }
    )
  for (const file of files) if (file.growing) await removeRendition(source.uuid, file)
  if (before) await rm(join(folder, before), { force: true })
}

/** Drops what is not finished of a video whose encoding is given up; says whether anything is left to play. */
export async function keepFinishedRenditions(source: Pick<RenditionSource, 'videoId' | 'uuid'>): Promise<boolean> {
  if ((await findFinishedRenditions(source.videoId)).length > 0) {
    await completeRenditions(source)
    return true
  }
  await StreamingPlaylistModel.destroy({ where: { videoId: source.videoId } })
  await removeHlsFolder(source.uuid)
  return false
}

/** The renditions of a video that are finished. */
export async function findFinishedRenditions(videoId: number): Promise<VideoFileModel[]> {
  const playlist = await StreamingPlaylistModel.findOne({ where: { videoId } })
  return playlist ? await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id, growing: false } }) : []
}

/** Removes the files of outputs that will not be listed any more. */
export async function removeRenditionFiles(uuid: string, outputs: HlsOutput[]): Promise<void> {
  for (const output of outputs) await removeRendition(uuid, { filename: output.file, playlistFilename: output.playlist })
}

async function playlistOf(videoId: number, transaction: Transaction): Promise<StreamingPlaylistModel> {
  return (
    (await StreamingPlaylistModel.findOne({ where: { videoId }, transaction, lock: true })) ??
    (await StreamingPlaylistModel.create({ videoId, playlistFilename: `${randomUUID()}-master.m3u8` }, { transaction }))
  )
}

async function writeMaster(uuid: string, playlist: StreamingPlaylistModel, files: VideoFileModel[]): Promise<void> {
  const variants = files.map<HlsVariant & { sound: AudioTrackName }>(file => ({
    sound: { track: file.track, language: file.language, name: file.trackName ?? 'Audio' },
    playlist: file.playlistFilename,
    resolution: file.resolution,
    width: file.width ?? 0,
    height: file.height ?? 0,
    fps: file.fps,
    bandwidth: Number(file.bandwidth),
    averageBandwidth: Number(file.averageBandwidth),
    codecs: file.codecs
  }))
  // Sound inside every rendition needs no group; the audio-only rendition is then one more choice.
  const shared = files.some(file => file.hasVideo && file.hasAudio) ? [] : variants.filter(variant => variant.resolution === 0)
  const listed = variants.filter(variant => !shared.includes(variant))
  await writeFileAtomically(join(hlsFolder(uuid), playlist.playlistFilename), buildMasterPlaylist(listed, shared))
}

async function removeRendition(uuid: string, file: Pick<VideoFileModel, 'filename' | 'playlistFilename'>): Promise<void> {
  const folder = hlsFolder(uuid)
  await rm(join(folder, file.playlistFilename), { force: true })
  await rm(join(folder, file.filename), { force: true })
}
