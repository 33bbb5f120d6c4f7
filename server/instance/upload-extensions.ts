import { config } from '../core/config.ts'

const DEFAULT_EXTENSIONS = ['.webm', '.ogv', '.mp4']
const AUDIO_EXTENSIONS = ['.mp3', '.oga', '.m4a', '.m4b', '.aac', '.flac', '.wav', '.opus', '.wma', '.ac3', '.aiff', '.mka', '.weba']
/** Names that audio and video files have alike. */
const SHARED_EXTENSIONS = ['.ogg']

/** The accepted file extensions, by `upload.extensions` and `transcoding.allow_*`. */
export function acceptedUploadExtensions(): string[] {
  const { allow_additional_extensions, allow_audio_files } = config.transcoding
  return [...new Set([...DEFAULT_EXTENSIONS, ...config.upload.extensions])].filter(extension => {
    if (DEFAULT_EXTENSIONS.includes(extension)) return true
    if (SHARED_EXTENSIONS.includes(extension)) return allow_additional_extensions || allow_audio_files
    return AUDIO_EXTENSIONS.includes(extension) ? allow_audio_files : allow_additional_extensions
  })
}
