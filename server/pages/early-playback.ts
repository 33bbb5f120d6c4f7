import { readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { EarlyPlaybackManifest, EarlyPlaybackTrack } from '../../shared/early-playback.ts'
import type { VideoDetails } from '../../shared/videos.ts'
import { parseMediaPlaylist } from '../media/hls-playlist.ts'
import { hlsFolder } from '../storage/disk.ts'
import type { ServerRenderedPage } from './server-rendered-page.ts'

/** The short side of the picture a player begins with that does not know the viewer's line yet (client/src/player/engine.ts). */
const FIRST_SIZE = 240
/** A longer playlist (characters; about 20 minutes) is fetched beside the page: inside it would hold up the first paint. */
const LONGEST = 32_000
const PICTURES = /^(avc|hev|hvc|av01|vp0?9|dvh)/

type Early = NonNullable<ServerRenderedPage['early']>

/**
 * What the player needs before it can show a picture: where the film begins, the playlists of the quality it begins with, which travel
 * inside the page where they are short, and its library.
 */
export async function prepareEarlyPlayback(video: VideoDetails): Promise<Early | undefined> {
  const [playlist] = video.streamingPlaylists
  if (!playlist) return undefined
  const early: Early = { sources: ['src/player/hls.ts'], files: [], texts: {}, first: null }
  // Elsewhere the answer may depend on who asks, and how.
  if (!video.isLocal) return early
  const pictures = playlist.files.filter(file => file.hasVideo).sort((a, b) => a.resolution.id - b.resolution.id)
  const picture = pictures.find(file => file.resolution.id >= FIRST_SIZE) ?? pictures.at(-1)
  const sound = playlist.files.find(file => !file.hasVideo)
  const master = pathOf(playlist.playlistUrl)
  const paths = [master, ...[picture?.playlistUrl, sound?.playlistUrl].filter(url => typeof url === 'string').map(pathOf)]
  // The hashes of all segments are written last: nothing changes any more.
  const texts = playlist.segmentsSha256Url
    ? await Promise.all(paths.map(async path => await readFile(join(hlsFolder(video.uuid), basename(path)), 'utf8').catch(() => null)))
    : []
  paths.forEach((path, index) => {
    const text = texts[index] ?? null
    if (text === null || text.length > LONGEST) early.files.push(path)
    else early.texts[path] = text
  })
  early.first = early.texts[master] === undefined ? null : beginningOf(paths, texts)
  // What is fetched ahead plays by itself: the library would only take its share of the line.
  return early.first ? { ...early, sources: [] } : early
}

/**
 * Where a film begins by the texts of its playlists, the master's first; null where one is missing, or does not have its header and first
 * segment side by side at the beginning of a file.
 */
function beginningOf([master, ...paths]: string[], [said, ...texts]: (string | null)[]): EarlyPlaybackManifest | null {
  const lists = texts.map(text => (text?.startsWith('#EXTM3U') ? parseMediaPlaylist(text) : null))
  const files = lists.map((list, index) => {
    const { init, segments: [first] = [] } = list ?? {}
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
      track: trackOf(basename(paths[index]!), said!)
    }
  })
  if (files.length === 0 || !files.every(file => file !== null)) return null
  return {
    master: master!,
    files,
    duration: Math.max(...lists.map(list => list!.segments.reduce((sum, { duration }) => sum + duration, 0)))
  }
}

/** What a rendition brings, by what the master playlist says of it; null where that is not clear. */
function trackOf(playlist: string, master: string): EarlyPlaybackTrack | null {
  const lines = master.split('\n')
  const rendition = lines.find(line => line.startsWith('#EXT-X-MEDIA:TYPE=AUDIO') && line.includes(`URI="${playlist}"`))
  const [variant] = lines.filter((line, index) => line.startsWith('#EXT-X-STREAM-INF:') && (rendition || lines[index + 1] === playlist))
  const codecs = /CODECS="([^"]+)"/.exec(variant ?? '')?.[1]?.split(',')
  if (!codecs) return null
  const apart = rendition !== undefined || /AUDIO="/.test(variant!)
  const wanted = codecs.filter(codec => !apart || PICTURES.test(codec) === !rendition)
  const pictures = wanted.some(codec => PICTURES.test(codec))
  const type = !pictures ? 'audio' : wanted.length > 1 ? 'audiovideo' : 'video'
  return wanted.length === 0
    ? null
    : { type, id: rendition ? 'audio' : 'main', container: pictures ? 'video/mp4' : 'audio/mp4', codec: wanted.join(',') }
}

function pathOf(url: string): string {
  return new URL(url).pathname
}
