import { findDecodableStreams } from './decodability.ts'
import { MediaError } from './ffmpeg.ts'
import { isDescribed } from './ffprobe-description.ts'
import { parseAudioStream, parseVideoStream, type AudioStream, type FfprobeStream, type VideoStream } from './ffprobe-streams.ts'

/** The start of the file in seconds, and what its packets say of a stream. */
export type StreamSelectionOptions = {
  start: number
  isEncrypted: (stream: FfprobeStream) => boolean
  isStill: (video: VideoStream) => boolean
  limits: { maxPixels: number; timeoutMs: number }
}

/** The video stream (moving, else a cover) and the audio streams that can be decoded. Throws a MediaError if nothing can be played. */
export async function selectStreams(
  file: string,
  streams: FfprobeStream[],
  options: StreamSelectionOptions
): Promise<{ video: VideoStream | null; audios: AudioStream[] }> {
  const { start, isEncrypted, isStill, limits } = options
  const candidates = (kind: string): FfprobeStream[] => streams.filter(stream => stream.codec_type === kind)
  const parsedVideos = candidates('video').map(stream => ({ stream, parsed: parseVideoStream(stream, start) }))
  for (const { parsed } of parsedVideos)
    if (parsed.width * parsed.height > limits.maxPixels) throw new MediaError('too_large', `${parsed.width}x${parsed.height} pixels`)
  const isPlayable = (stream: FfprobeStream): boolean => isDescribed(stream) && !isEncrypted(stream)
  const [decodableVideos, decodableAudios] = await Promise.all([
    findDecodableStreams(file, candidates('video').filter(isPlayable), limits),
    findDecodableStreams(file, candidates('audio').filter(isPlayable), limits)
  ])
  const videos = parsedVideos.flatMap(({ stream, parsed }) => (decodableVideos.includes(stream) ? [parsed] : []))
  const moving = videos.filter(({ attachedPic }) => !attachedPic)
  // Some programs store a cover as a track of one frame, before the video.
  const video = moving.find(candidate => !isStill(candidate)) ?? moving[0] ?? videos[0] ?? null
  const audios = decodableAudios.map(stream => parseAudioStream(stream, start)).sort((a, b) => Number(b.main) - Number(a.main))
  const hasUndecodableVideo = parsedVideos.some(({ parsed }) => !parsed.attachedPic) && (!video || video.attachedPic)
  const hasUndecodableAudio = candidates('audio').length > 0 && audios.length === 0
  if (hasUndecodableVideo || hasUndecodableAudio) {
    const undecodable = hasUndecodableVideo ? candidates('video') : candidates('audio')
    throw new MediaError(
      'undecodable',
      `no decoder for ${undecodable.map(stream => stream.codec_tag_string ?? stream.codec_name).join(', ')}`
    )
  }
  if (!video && audios.length === 0) throw new MediaError('no_streams', 'neither picture nor sound')
  if (audios.length === 0 && video?.attachedPic) throw new MediaError('no_streams', 'a picture without sound or movement')
  return { video, audios }
}
