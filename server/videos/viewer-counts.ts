/** Provides the current number of viewers of each video; call `refresh` before `of`. */
export type ViewerCountSource = { of(videoId: number): number; refresh(): Promise<void> }

let source: ViewerCountSource = { of: () => 0, refresh: async () => undefined }

/** Sets the source of viewer counts; called once at start. Without one every count is 0. */
export function setViewerCountSource(viewerCounts: ViewerCountSource): void {
  source = viewerCounts
}

/** Updates the counts that `viewerCountOf` returns. */
export async function refreshViewerCounts(): Promise<void> {
  await source.refresh()
}

/** Returns the number of viewers of a video as of the last refresh. */
export function viewerCountOf(videoId: number): number {
  return source.of(videoId)
}
