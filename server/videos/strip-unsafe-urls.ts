import { instanceOrigin } from '../core/config.ts'
import { assertAllowed } from '../fediverse/remote-fetch.ts'
import type { FileLink, VideoObject } from './video-object.ts'

/**
 * A remote video without addresses that no viewer may be sent to: private hosts, odd ports, http from an https page
 * (docs/federation.md#remote-media).
 */
export function stripUnsafeUrls(object: VideoObject): VideoObject {
  const { playlist, icons, captions, storyboard } = object
  const files = (list: FileLink[]) =>
    list
      .filter(file => isPlayable(file.url))
      .map(file => ({ ...file, metadataUrl: safe(file.metadataUrl), torrentUrl: safe(file.torrentUrl) }))
  return {
    ...object,
    files: files(object.files),
    icons: icons.filter(icon => isAllowed(icon.url)),
    captions: captions.filter(caption => isAllowed(caption.url)),
    storyboard: storyboard && isAllowed(storyboard.url) ? storyboard : null,
    playlist:
      playlist && isPlayable(playlist.url)
        ? { ...playlist, segmentsSha256Url: safe(playlist.segmentsSha256Url), files: files(playlist.files) }
        : null
  }
}

const safe = (url: string | null) => (url !== null && isPlayable(url) ? url : null)
const isPlayable = (url: string) => isAllowed(url) && (url.startsWith('https:') || instanceOrigin().startsWith('http:'))

function isAllowed(url: string): boolean {
  try {
    assertAllowed(new URL(url))
    return true
  } catch {
    return false
  }
}
