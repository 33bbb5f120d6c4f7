/** Knows how many watch each video at this moment; `refresh` before asking. */
export type ViewerCountSource = { of(videoId: number): number; refresh(): Promise<void> }

let source: ViewerCountSource = { of: () => 0, refresh: async () => undefined }

/** Sets who knows how many watch a video; called once at start. */
export function setViewerCountSource(viewers: ViewerCountSource): void {
  source = viewers
}

/** Brings `viewersOf` up to date. */
export async function refreshViewerCounts(): Promise<void> {
  await source.refresh()
}

/** How many watch a video at this moment. */
export function viewerCountOf(videoId: number): number {
  return source.of(videoId)
}
