import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseMediaPlaylist, writeFileAtomically, type HlsOutput } from './hls-playlist.ts'
import { readMp4Tracks, type Mp4Track } from './mp4-samples.ts'

/**
 * Rewrites the playlist of a complete rendition: its type is VOD (RFC 8216, 4.3.3.5), and the duration of each segment is that of its samples,
 * which ffmpeg gets wrong where frames differ in length. Returns the duration of the rendition in seconds.
 */
export async function completeMediaPlaylist(folder: string, output: Pick<HlsOutput, 'playlist' | 'file'>): Promise<number> {
  const path = join(folder, output.playlist)
  const text = await readFile(path, 'utf8')
  const { segments } = parseMediaPlaylist(text, output.playlist)
  const tracks = await readMp4Tracks(join(folder, output.file))
  const track = tracks.find(({ kind }) => kind === 'vide') ?? tracks[0]
  if (!track) return 0
  const durations = segmentDurations(
    track,
    segments.map(({ byterange }) => byterange?.offset ?? 0)
  )
  let next = 0
  const targetDuration = durations.reduce((longest, duration) => Math.max(longest, Math.round(duration)), 1)
  await writeFileAtomically(
    path,
    text
      .replace(/^#EXT-X-PLAYLIST-TYPE:.*$/m, '#EXT-X-PLAYLIST-TYPE:VOD')
      .replace(/^#EXT-X-TARGETDURATION:.*$/m, `#EXT-X-TARGETDURATION:${targetDuration}`)
      .replace(/^#EXTINF:.*$/gm, () => `#EXTINF:${durations[next++]!.toFixed(6)},`)
  )
  return durations.reduce((sum, duration) => sum + duration, 0)
}

/** The durations (seconds) of segments that begin at these offsets of the file. */
function segmentDurations({ chunks, durations, timescale }: Mp4Track, offsets: number[]): number[] {
  const result = offsets.map(() => 0)
  let [segment, sample] = [0, 0]
  for (const chunk of chunks) {
    while (segment + 1 < offsets.length && chunk.offset >= offsets[segment + 1]!) segment++
    for (const end = sample + chunk.samples; sample < end; sample++) result[segment]! += durations[sample]! / timescale
  }
  return result
}
