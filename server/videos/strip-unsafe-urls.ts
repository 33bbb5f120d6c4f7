import { instanceOrigin } from '../core/config.ts'
import { assertUrlAllowed } from '../fediverse/remote-fetch.ts'
import type { FileLink, VideoObject } from './video-object.ts'

/**
 * Returns a remote video without the URLs that browsers must not be sent to: private hosts, unusual ports, http from an https page
 * (docs/federation.md#remote-media).
 */
export function stripUnsafeUrls(object: VideoObject): VideoObject {
  const { playlist, icons, captions, storyboard } = object
  const playableFiles = (files: FileLink[]) =>
    files
      .filter(file => isPlayable(file.url))
      .map(file => ({ ...file, metadataUrl: nullIfUnsafe(file.metadataUrl), torrentUrl: nullIfUnsafe(file.torrentUrl) }))
  return {
    ...object,
    files: playableFiles(object.files),
    icons: icons.filter(icon => isAllowed(icon.url)),
    captions: captions.filter(caption => isAllowed(caption.url)),
    storyboard: storyboard && isAllowed(storyboard.url) ? storyboard : null,
    playlist:
      playlist && isPlayable(playlist.url)
        ? { ...playlist, segmentsSha256Url: nullIfUnsafe(playlist.segmentsSha256Url), files: playableFiles(playlist.files) }
        : null
  }
}

const nullIfUnsafe = (url: string | null) => (url !== null && isPlayable(url) ? url : null)
const isPlayable = (url: string) => isAllowed(url) && (url.startsWith('https:') || instanceOrigin().startsWith('http:'))

function isAllowed(url: string): boolean {
  try {
    assertUrlAllowed(new URL(url))
    return true
  } catch {
    return false
  }
}
