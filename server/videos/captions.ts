import { runQuery, sql } from '../core/sql.ts'
import { imagePath } from './video-urls.ts'
import { languageLabel } from './labels.ts'

type CaptionJson = { language: { id: string; label: string }; automaticallyGenerated: boolean; captionPath: string; updatedAt: string }

/** Returns the captions of a video, ordered by language, as the API answers them. */
export async function listCaptions(videoId: number): Promise<{ total: number; data: CaptionJson[] }> {
  const rows = await runQuery<{ language: string; automatic: boolean; filename: string; updated_at: Date }>(
    sql`SELECT language, automatic, filename, updated_at FROM video_captions WHERE video_id = ${videoId} ORDER BY language`
  )
  const data = rows.map(({ language, automatic, filename, updated_at }) => ({
    language: { id: language, label: languageLabel(language) },
    automaticallyGenerated: automatic,
    captionPath: imagePath('video-captions', filename),
    updatedAt: updated_at.toISOString()
  }))
  return { total: data.length, data }
}
