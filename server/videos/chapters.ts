import { z } from 'zod'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { type FetchBudget, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { cleanLine } from '../fediverse/text-limits.ts'
import { listOf } from '../fediverse/vocabulary.ts'

const MAX = { chapters: 500, title: 100 }
/** An element of `hasPart`; `startOffset` in seconds. */
const ChapterPart = z.object({
  name: z.string(),
  startOffset: z
    .number()
    .min(0)
    .max(2 ** 31 - 1)
})

/** A chapter; `timecode` in seconds. */
export type VideoChapter = { timecode: number; title: string }

/** Returns the chapters of a video in order. */
export async function listChapters(videoId: number): Promise<VideoChapter[]> {
  return await runQuery<VideoChapter>(sql`SELECT timecode, title FROM video_chapters WHERE video_id = ${videoId} ORDER BY timecode`)
}

/** Fetches and stores the chapters of a remote video. Throws FetchError. */
export async function fetchChapters(videoId: number, url: string, budget: FetchBudget): Promise<void> {
  const { document } = await fetchRemoteDocument(url, { budget })
  const titles = new Map<number, string>()
  for (const entry of listOf(document.hasPart).slice(0, MAX.chapters)) {
    const part = ChapterPart.safeParse(entry).data
    const title = part && cleanLine(part.name, MAX.title)
    if (part && title) titles.set(Math.floor(part.startOffset), title)
  }
  await setChapters(
    videoId,
    [...titles].map(([timecode, title]) => ({ timecode, title }))
  )
}

/** Replaces the chapters of a video; titles are truncated, and of two chapters in the same second the first one is stored. */
export async function setChapters(videoId: number, chapters: VideoChapter[]): Promise<void> {
  const rows = chapters.slice(0, MAX.chapters).map(({ timecode, title }) => ({ timecode, title: cleanLine(title, MAX.title) }))
  await transaction(async tx => {
    await runQuery(sql`DELETE FROM video_chapters WHERE video_id = ${videoId}`, tx)
    await runQuery(
      sql`
      INSERT INTO video_chapters (video_id, timecode, title) SELECT ${videoId}::int, timecode, title
        FROM json_to_recordset(${JSON.stringify(rows)}::json) AS part (timecode integer, title text) WHERE title <> ''
      ON CONFLICT DO NOTHING`,
      tx
    )
  })
}
