/** A chapter of a video; `timecode` is its start in seconds. */
export type PlayerChapter = { timecode: number; title: string }

/** Returns the chapter at a time in seconds; null before the first chapter. */
export function chapterAt(chapters: PlayerChapter[], seconds: number): PlayerChapter | null {
  return chapters.findLast(({ timecode }) => timecode <= seconds) ?? null
}
