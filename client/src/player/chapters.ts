/** A part of a video; `timecode` in seconds. */
export type PlayerChapter = { timecode: number; title: string }

/** The chapter a place belongs to; null before the first. */
export function chapterAt(chapters: PlayerChapter[], seconds: number): PlayerChapter | null {
  return chapters.findLast(({ timecode }) => timecode <= seconds) ?? null
}
