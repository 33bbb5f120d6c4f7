/** A part of a video; `timecode` in seconds. */
export type Chapter = { timecode: number; title: string }

/** The chapter a place belongs to; null before the first. */
export function chapterAt(chapters: Chapter[], seconds: number): Chapter | null {
  return chapters.findLast(({ timecode }) => timecode <= seconds) ?? null
}
