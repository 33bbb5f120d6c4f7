import { z } from 'zod'
import { transaction } from '../core/transaction.ts'
import { runQuery, sql } from '../core/sql.ts'
import { type Budget, fetchRemoteDocument } from '../fediverse/remote-fetch.ts'
import { cleanLine } from '../fediverse/text-limits.ts'
import { listOf } from '../fediverse/vocabulary.ts'

const MAX = { chapters: 500, title: 100 }
const Part = z.object({
  name: z.string(),
  startOffset: z
    .number()
    .min(0)
    .max(2 ** 31 - 1)
})

/** A part of a video; `timecode` in seconds. */
export type VideoChapter = { timecode: number; title: string }

/** The chapters of a video, first to last. */
export async function listChapters(videoId: number): Promise<VideoChapter[]> {
  return await runQuery<VideoChapter>(sql`SELECT timecode, title FROM video_chapters WHERE video_id = ${videoId} ORDER BY timecode`)
}

/** Fetches the chapters of a remote video. Throws FetchError. */
export async function fetchChapters(videoId: number, url: string, budget: Budget): Promise<void> {
  const { document } = await fetchRemoteDocument(url, { budget })
  const found = new Map<number, string>()
  for (const one of listOf(document.hasPart).slice(0, MAX.chapters)) {
    const part = Part.safeParse(one).data
    const title = part && cleanLine(part.name, MAX.title)
    if (part && title) found.set(Math.floor(part.startOffset), title)
  }
  await setChapters(
    videoId,
    [...found].map(([timecode, title]) => ({ timecode, title }))
  )
}

/** Gives a video these chapters instead of those it has; titles are cut, of two in one second the first stays. */
export async function setChapters(videoId: number, chapters: VideoChapter[]): Promise<void> {
  const rows = chapters.slice(0, MAX.chapters).map(({ timecode, title }) => ({ timecode, title: cleanLine(title, MAX.title) }))
  await transaction(async inside => {
    await runQuery(sql`DELETE FROM video_chapters WHERE video_id = ${videoId}`, inside)
    await runQuery(
      sql`
      INSERT INTO video_chapters (video_id, timecode, title) SELECT ${videoId}::int, timecode, title FROM json_to_recordset(${JSON.stringify(rows)}::json) AS part (timecode integer, title text) WHERE title <> ''
      ON CONFLICT DO NOTHING`,
      inside
    )
  })
}
