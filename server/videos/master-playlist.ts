import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transaction } from 'sequelize'
import type { CaptionKind } from '../../shared/captions.ts'
import { runQuery, sql } from '../core/sql.ts'
import {
  buildMasterPlaylist,
  buildSubtitlePlaylist,
  writeFileAtomically,
  type AudioTrackName,
  type HlsSubtitles,
  type HlsVariant
} from '../media/hls-playlist.ts'
import { hlsFolder } from '../storage/disk.ts'
import { captionTracksSql, findCaptionTracks } from './captions.ts'
import { languageLabel } from './labels.ts'
import { StreamingPlaylistModel, VideoFileModel } from './video-file.model.ts'

/**
 * Writes the master playlist of a video, with its subtitles; lists those of the files that are offered as HLS files. The transaction holds
 * the lock on the row of the playlist, so that what was written last is true.
 */
export async function writeMasterPlaylist(
  uuid: string,
  playlist: StreamingPlaylistModel,
  files: VideoFileModel[],
  tx: Transaction
): Promise<void> {
  const hlsFiles = files.filter(file => file.hls)
  const variants = hlsFiles.map<HlsVariant & { audioTrack: AudioTrackName }>(file => ({
    audioTrack: { track: file.track, language: file.language, name: file.trackName ?? 'Audio' },
    playlist: file.playlistFilename,
    resolution: file.resolution,
    width: file.width ?? 0,
    height: file.height ?? 0,
    fps: file.fps,
    bandwidth: Number(file.bandwidth),
    averageBandwidth: Number(file.averageBandwidth),
    codecs: file.codecs
  }))
  // Muxed audio needs no audio group; the audio-only rendition is then one more variant.
  const audioGroup = hlsFiles.some(file => file.hasVideo && file.hasAudio) ? [] : variants.filter(variant => variant.resolution === 0)
  const listed = variants.filter(variant => !audioGroup.includes(variant))
  const stored = (await findCaptionTracks(playlist.videoId, tx)).filter(({ url }) => url === null)
  const subtitles = stored.map(({ language, kind, filename }) => ({
    playlist: filename.replace(/\.vtt$/, SUBTITLE_PLAYLIST_SUFFIX),
    language,
    kind,
    name: subtitleName(language, kind)
  }))
  // The files of the video may be lost.
  await mkdir(hlsFolder(uuid), { recursive: true })
  await writeFileAtomically(
    join(hlsFolder(uuid), playlist.playlistFilename),
    buildMasterPlaylist(listed, audioGroup, withUniqueNames(subtitles))
  )
}

/** Writes the master playlist again after the subtitles of a video have changed in this transaction, if the video has one. */
export async function rewriteMasterPlaylist(video: { id: number; uuid: string }, tx: Transaction): Promise<void> {
  const playlist = await StreamingPlaylistModel.findOne({ where: { videoId: video.id }, transaction: tx, lock: true })
  const files = playlist ? await VideoFileModel.findAll({ where: { streamingPlaylistId: playlist.id }, transaction: tx }) : []
  if (playlist && files.some(file => file.hls)) await writeMasterPlaylist(video.uuid, playlist, files, tx)
}

const SUBTITLE_PLAYLIST_SUFFIX = '-subtitles.m3u8'

/** Returns the media playlist of the subtitles of a video by its name in the master playlist; null if there is none. */
export async function findSubtitlePlaylist(videoId: number, name: string): Promise<string | null> {
  if (!name.endsWith(SUBTITLE_PLAYLIST_SUFFIX)) return null
  const filename = name.replace(SUBTITLE_PLAYLIST_SUFFIX, '.vtt')
  const [found] = await runQuery<{ duration: number }>(sql`
    SELECT coalesce((s.probe ->> 'duration')::float, v.duration) AS duration
    FROM videos v LEFT JOIN video_sources s ON s.video_id = v.id WHERE v.id = ${videoId}
      AND ${filename} IN (SELECT filename FROM (${captionTracksSql(sql`v.id`)}) track WHERE url IS NULL)`)
  return found ? buildSubtitlePlaylist(filename, found.duration) : null
}

/** Whether a video of this instance has subtitles in a file of this name. */
export async function hasSubtitleFile(videoId: number, filename: string): Promise<boolean> {
  return (await findCaptionTracks(videoId)).some(track => track.filename === filename && track.url === null)
}

/** Players list them by this name. */
function subtitleName(language: string, kind: CaptionKind): string {
  const name = (languageLabelIn(language) ?? languageLabel(language)).replaceAll('"', "'")
  return kind === 'subtitles' ? name : `${name} (${kind === 'forced' ? 'forced' : 'SDH'})`
}

/** The name of a language in that language, as audio tracks have it. */
function languageLabelIn(language: string): string | undefined {
  try {
    return new Intl.DisplayNames([language], { type: 'language', fallback: 'none' }).of(language)
  } catch {
    return undefined
  }
}

/** Two languages may have the same name in an older list of names. */
function withUniqueNames(subtitles: HlsSubtitles[]): HlsSubtitles[] {
  const used = new Set<string>()
  return subtitles.map(one => {
    const name = used.has(one.name) ? `${one.name} [${one.language}]` : one.name
    used.add(name)
    return { ...one, name }
  })
}
