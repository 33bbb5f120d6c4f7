import { config } from '../core/config.ts'
import { Problem } from '../core/problem.ts'
import { MediaError } from '../media/ffmpeg.ts'
import { identifyFileKind, type NonVideoKind } from '../media/file-kind.ts'
import { assertGifLimits, isHugeGif, isStillGif } from '../media/gif-limits.ts'
import { hasMovingVideo, probeMedia, type Probe } from '../media/probe.ts'
import { configuredProbeLimits } from '../transcoding/transcoding-settings.ts'
import { toUploadProblem } from './validation.ts'

/** Probes an uploaded file by its content; throws a Problem 422 whose code says why it is refused, or what it is if it is no video. */
export async function probeUploadedFile(path: string): Promise<Probe> {
  try {
    const probe = await probeMedia(path, configuredProbeLimits())
    assertGifLimits(probe)
    if (isStillGif(probe) || (await isStillHeif(probe, path))) throw PROBLEMS.image()
    if (!hasMovingVideo(probe) && !config.transcoding.allow_audio_files)
      throw new Problem(422, 'audio_not_accepted', 'This file holds only sound, and this instance accepts no audio files.')
    return probe
  } catch (error) {
    const isNoVideo = error instanceof MediaError && ['unreadable', 'no_streams', 'undecodable', 'forbidden_container'].includes(error.code)
    if (!isNoVideo) throw toUploadProblem(error)
    if (await isHugeGif(path)) throw toUploadProblem(new MediaError('too_large', 'a GIF of too many pixels', { cause: error }))
    const kind = await identifyFileKind(path)
    throw kind ? PROBLEMS[kind]() : toUploadProblem(error)
  }
}

/** Newer versions of ffmpeg open a HEIC or AVIF picture as a video of one frame. */
async function isStillHeif({ container, audios, video }: Probe, path: string): Promise<boolean> {
  const mayBe = container.includes('mov') && audios.length === 0 && (video?.frames ?? 1) <= 1
  return mayBe && (await identifyFileKind(path)) === 'image'
}

const PROBLEMS: Record<NonVideoKind, () => Problem> = {
  image: () => new Problem(422, 'still_image', 'This is an image, not a video.'),
  animated_image: () => new Problem(422, 'animated_image', 'This is an animated image (WebP or PNG). Convert it to MP4 or GIF first.'),
  playlist: () => new Problem(422, 'playlist_file', 'This is a playlist, which only refers to other files. Upload the video file itself.'),
  web_page: () => new Problem(422, 'web_page', 'This is a web page, not a video.'),
  text: () => new Problem(422, 'text_file', 'This is a text file, not a video.'),
  archive: () => new Problem(422, 'archive_file', 'This is an archive. Unpack it and upload the video it contains.')
}
