import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { EarlyPlaybackManifest, EarlyPlaybackTrack } from '../../shared/early-playback.ts'
import type { VideoDetails } from '../../shared/videos.ts'
import { parseMediaPlaylist } from '../media/hls-playlist.ts'
import { hlsFolder } from '../storage/disk.ts'
import type { ServerRenderedPage } from './server-rendered-page.ts'

/** The resolution a player starts with before it knows the viewer's bandwidth (client/src/player/engine.ts). */
const INITIAL_RESOLUTION = 240
/** A longer playlist (characters; about 20 minutes) is preloaded beside the page: inside it would delay the first paint. */
const MAX_INLINE_PLAYLIST_LENGTH = 32_000
const VIDEO_CODECS = /^(avc|hev|hvc|av01|vp0?9|dvh)/

type EarlyPlayback = NonNullable<ServerRenderedPage['earlyPlayback']>

/**
 * Returns what the player needs for its first frame: the manifest of the first segments, the playlists of the first renditions, inlined
 * into the page where they are short, and the player's library.
 */
export async function prepareEarlyPlayback(video: VideoDetails): Promise<EarlyPlayback | undefined> {
  const [playlist] = video.streamingPlaylists
  if (!playlist) return undefined
  const early: EarlyPlayback = { sources: ['src/player/hls.ts'], files: [], texts: {}, manifest: null }
  // On other servers the response may depend on the request.
  if (!video.isLocal) return early
  const videoRenditions = playlist.files.filter(file => file.hasVideo).sort((a, b) => a.resolution.id - b.resolution.id)
  const videoRendition = videoRenditions.find(file => file.resolution.id >= INITIAL_RESOLUTION) ?? videoRenditions.at(-1)
  const audioRendition = playlist.files.find(file => !file.hasVideo)
  const master = pathOf(playlist.playlistUrl)
  const paths = [master, ...[videoRendition?.playlistUrl, audioRendition?.playlistUrl].filter(url => typeof url === 'string').map(pathOf)]
  // The hashes of all segments are written last: after that nothing changes.
  const texts = playlist.segmentsSha256Url
    ? await Promise.all(paths.map(async path => await readFile(join(hlsFolder(video.uuid), basename(path)), 'utf8').catch(() => null)))
    : []
  paths.forEach((path, index) => {
    const text = texts[index] ?? null
    if (text === null || text.length > MAX_INLINE_PLAYLIST_LENGTH) early.files.push(path)
    else early.texts[path] = text
  })
  early.manifest = early.texts[master] === undefined ? null : buildManifest(paths, texts)
  // Prefetched segments play without the library, which would only take bandwidth from them.
  return early.manifest ? { ...early, sources: [] } : early
}

/**
 * Builds the manifest from the texts of the playlists, the master playlist first; returns null where one is missing, or where header and
 * first segment are not adjacent at the beginning of a file.
 */
function buildManifest([master, ...paths]: string[], [masterText, ...texts]: (string | null)[]): EarlyPlaybackManifest | null {
  const playlists = texts.map(text => (text?.startsWith('#EXTM3U') ? parseMediaPlaylist(text) : null))
  const files = playlists.map((mediaPlaylist, index) => {
    const { init, segments: [first] = [] } = mediaPlaylist ?? {}
    if (
      !init?.byterange ||
      !first?.byterange ||
      first.uri !== init.uri ||
      init.byterange.offset !== 0 ||
      first.byterange.offset !== init.byterange.length
    )
      return null
    return {
      playlist: paths[index]!,
      file: join(paths[index]!, '..', init.uri),
      ends: [init.byterange.length, init.byterange.length + first.byterange.length] as [number, number],
      track: parseTrack(basename(paths[index]!), masterText!)
    }
  })
  if (files.length === 0 || !files.every(file => file !== null)) return null
  return {
    master: master!,
    files,
    duration: Math.max(...playlists.map(mediaPlaylist => mediaPlaylist!.segments.reduce((sum, { duration }) => sum + duration, 0)))
  }
}

/** Parses the type and codecs of a rendition from the master playlist; returns null where they are ambiguous. */
function parseTrack(playlist: string, master: string): EarlyPlaybackTrack | null {
  const lines = master.split('\n')
  const rendition = lines.find(line => line.startsWith('#EXT-X-MEDIA:TYPE=AUDIO') && line.includes(`URI="${playlist}"`))
  const [variant] = lines.filter((line, index) => line.startsWith('#EXT-X-STREAM-INF:') && (rendition || lines[index + 1] === playlist))
  const codecs = /CODECS="([^"]+)"/.exec(variant ?? '')?.[1]?.split(',')
  if (!codecs) return null
  const audioIsSeparate = rendition !== undefined || /AUDIO="/.test(variant!)
  const trackCodecs = codecs.filter(codec => !audioIsSeparate || VIDEO_CODECS.test(codec) === !rendition)
  const hasVideoCodec = trackCodecs.some(codec => VIDEO_CODECS.test(codec))
  const type = !hasVideoCodec ? 'audio' : trackCodecs.length > 1 ? 'audiovideo' : 'video'
  return trackCodecs.length === 0
    ? null
    : { type, id: rendition ? 'audio' : 'main', container: hasVideoCodec ? 'video/mp4' : 'audio/mp4', codec: trackCodecs.join(',') }
}

function pathOf(url: string): string {
  return new URL(url).pathname
}
