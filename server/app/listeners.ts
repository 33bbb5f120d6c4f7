import { listenToVideos } from '../videos/remove-files.ts'
import { listenToUploads } from '../transcoding/start.ts'

/** Connects the floors that hear news from below; called once at start. */
export function startListening(): void {
  listenToVideos()
  listenToUploads()
}
