/** Knows how many watch each video at this moment; `refresh` before asking. */
export type Viewers = { of(videoId: number): number; refresh(): Promise<void> }

let source: Viewers = { of: () => 0, refresh: async () => undefined }

/** Sets who knows how many watch a video; called once at start. */
export function setViewers(viewers: Viewers): void {
  source = viewers
}

/** Brings `viewersOf` up to date. */
export async function refreshViewers(): Promise<void> {
  await source.refresh()
}

/** How many watch a video at this moment. */
export function viewersOf(videoId: number): number {
  return source.of(videoId)
}
