import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { runQuery, sql, type Sql } from '../core/sql.ts'
import type { NoteAttachment } from './comment.codec.ts'

/** Endings of the names of pictures in our cache. */
const IMAGE_EXTENSIONS: Record<string, string> = { 'image/jpeg': 'jpg', 'image/png': 'png', 'image/webp': 'webp', 'image/gif': 'png' }

/** SQL of what is attached to `comments comment`: a JSON array of CommentAttachment (shared/comments.ts). */
export const ATTACHMENTS_SQL: Sql = sql`(SELECT coalesce(json_agg(json_build_object('url', attached.url, 'mediaType', attached.media_type,
    'name', attached.name, 'thumbnailPath', '/lazy-static/comment-attachments/' || attached.filename) ORDER BY attached.position), '[]'::json)
  FROM comment_attachments attached WHERE attached.comment_id = comment.id)`

/** Whether just that is attached to a comment. */
export async function hasAttachments(commentId: number, attachments: NoteAttachment[], tx: Transaction): Promise<boolean> {
  const stored = await runQuery<NoteAttachment>(
    sql`SELECT url, media_type AS "mediaType", name FROM comment_attachments WHERE comment_id = ${commentId} ORDER BY position`,
    tx
  )
  return JSON.stringify(stored) === JSON.stringify(attachments)
}

/** Replaces what is attached to a comment. */
export async function storeAttachments(commentId: number, attachments: NoteAttachment[], tx: Transaction): Promise<void> {
  if (await hasAttachments(commentId, attachments, tx)) return
  await removeAttachments(commentId, tx)
  const rows = attachments.map(({ url, mediaType, name }, position) => {
    const extension = IMAGE_EXTENSIONS[mediaType ?? '']
    return { position, url, media_type: mediaType, name, filename: extension ? `${randomUUID()}.${extension}` : null }
  })
  await runQuery(
    sql`
    INSERT INTO comment_attachments (comment_id, position, url, media_type, name, filename)
    SELECT ${commentId}::int, position, url, media_type, name, filename
    FROM json_to_recordset(${JSON.stringify(rows)}::json)
      AS given (position smallint, url text, media_type text, name text, filename text)`,
    tx
  )
}

/** Removes what is attached to a comment. */
export async function removeAttachments(commentId: number, tx: Transaction): Promise<void> {
  await runQuery(sql`DELETE FROM comment_attachments WHERE comment_id = ${commentId}`, tx)
}
