import { extname } from 'node:path'
import { config } from '../core/config.ts'
import { Problem } from '../core/problem.ts'
import { acceptedUploadExtensions } from '../instance/upload-extensions.ts'
import { MediaError } from '../media/ffmpeg.ts'

/** Throws 415 for a file name whose extension is not accepted; the content is probed later in any case. */
export function assertUploadExtension(name: string): void {
  if (acceptedUploadExtensions().includes(extname(name).toLowerCase())) return
  throw new Problem(
    415,
    null,
    `This file is not supported. Please, make sure it is of the following type: ${acceptedUploadExtensions().join(', ')}`
  )
}

/** Throws 413 for a file larger than `upload.max_size`. */
export function assertUploadSize(bytes: number): void {
  const { max_size } = config.upload
  if (max_size >= 0 && bytes > max_size) throw new Problem(413, 'max_file_size_reached', 'The file is larger than this instance accepts.')
}

/** The Problem for a file that is refused by its content; other errors are returned unchanged. */
export function toUploadProblem(error: unknown): unknown {
  if (!(error instanceof MediaError)) return error
  switch (error.code) {
    case 'too_long':
      return new Problem(
        422,
        'video_too_long',
        `This video is longer than the ${config.upload.max_duration} seconds this instance accepts.`
      )
    case 'too_large':
      return new Problem(422, 'video_too_large', 'The picture size or frame rate of this video is beyond what this instance accepts.')
    case 'too_many_streams':
      return new Problem(422, 'too_many_streams', 'This file holds more streams than this instance accepts.')
    case 'broken_times':
      return new Problem(422, 'broken_times', 'The times in this file are wrong: there is no picture or no sound for a very long time.')
    case 'forbidden_container':
      return new Problem(422, 'unsupported_container', 'This kind of file is not accepted as a video.')
    case 'undecodable':
      return new Problem(
        422,
        'undecodable_video',
        'The picture or the sound of this file cannot be decoded: its codec is not supported, or it is encrypted.'
      )
    case 'no_streams':
      return new Problem(422, 'no_streams', 'This file has neither pictures nor sound.')
    case 'ffmpeg_missing':
    case 'timeout':
    case 'aborted':
      return error
    default:
      return new Problem(422, 'unreadable_video', 'Video file unreadable.')
  }
}
