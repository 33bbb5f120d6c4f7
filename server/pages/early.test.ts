import { describe, expect, it } from 'vitest'
import type { VideoDetails } from '../../shared/videos.ts'
import { earlyOf } from './early.ts'

const HERE = 'https://here.example/static/streaming-playlists/hls/u'
const rung = (id: number, hasVideo = true) => ({ resolution: { id, label: '' }, hasVideo, hasAudio: !hasVideo, playlistUrl: `${HERE}/${id}.m3u8` })
const video = (sizes: number[], { isLocal = true, sound = true } = {}) => ({
  isLocal, streamingPlaylists: [{ playlistUrl: `${HERE}/master.m3u8`, files: [...sizes.map(size => rung(size)), ...(sound ? [rung(0, false)] : [])] }]
} as unknown as VideoDetails)
const files = (of: VideoDetails) => earlyOf(of)?.files.map(path => path.split('/').at(-1))

describe('what a player asks for first', () => {
  it('is the master playlist, the lowest picture that is not too coarse, and the sound', () => {
    expect(files(video([1080, 720, 480, 360, 240, 144]))).toEqual(['master.m3u8', '240.m3u8', '0.m3u8'])
    expect(files(video([720, 360]))).toEqual(['master.m3u8', '360.m3u8', '0.m3u8'])
    expect(earlyOf(video([360]))?.sources).toEqual(['src/player/hls.ts'])
  })
  it('is the best of pictures that are all coarse', () => expect(files(video([144, 180]))).toEqual(['master.m3u8', '180.m3u8', '0.m3u8']))
  it('has no sound where the film has none, and no picture where it is sound alone', () => {
    expect(files(video([240], { sound: false }))).toEqual(['master.m3u8', '240.m3u8'])
    expect(files(video([]))).toEqual(['master.m3u8', '0.m3u8'])
  })
  it('is nothing but the library where another server has the files, and nothing where there are none', () => {
    expect(earlyOf(video([240], { isLocal: false }))).toEqual({ sources: ['src/player/hls.ts'], files: [] })
    expect(earlyOf({ isLocal: true, streamingPlaylists: [] } as unknown as VideoDetails)).toBeUndefined()
  })
})
