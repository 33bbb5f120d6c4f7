import { listenToVideos } from '../videos/remove-files.ts'

/** Connects the floors that hear news from below; called once at start. */
export function startListening(): void {
  listenToVideos()
}
