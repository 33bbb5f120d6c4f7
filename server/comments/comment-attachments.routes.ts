import { Router } from 'express'
import { notBlockedSql } from '../actors/blocks.ts'
import { config } from '../core/config.ts'
import { keepLastKnown } from '../core/last-known.ts'
import { notFound } from '../core/problem.ts'
import { runQuery, sql } from '../core/sql.ts'
import { sendRemoteFile } from '../fediverse/send-remote-file.ts'
import { publicCache } from '../videos/cache-control.ts'

/** Route of the pictures in comments; CORS and the limit of requests are those of all below /lazy-static (server/videos/files.routes.ts). */
export const commentAttachmentsRouter = Router()
commentAttachmentsRouter.get('/lazy-static/comment-attachments/:name', async (request, response) => {
  const { name } = request.params
  const url = await findAttachmentUrl(name)
  if (url === null) throw notFound('File')
  await sendRemoteFile(request, response, { name, url, kind: 'picture' }, publicCache(config.cache.static.images))
})

const OPEN_ATTACHMENTS = sql`
  FROM comment_attachments attached JOIN comments ON comments.id = comment_id
    JOIN accounts ON accounts.id = comments.account_id JOIN actors ON actors.id = accounts.actor_id
  WHERE NOT held AND deleted_at IS NULL AND ${notBlockedSql({ actorId: sql`actors.id`, host: sql`actors.host` }, null)}`
/** They may be hidden again: by moderators, and with their authors. */
const findAttachmentUrl = keepLastKnown(
  async (name: string) => {
    const [found] = await runQuery<{ url: string | null }>(sql`SELECT attached.url ${OPEN_ATTACHMENTS} AND filename = ${name}`)
    return found?.url ?? null
  },
  name => name,
  url => url !== null,
  async names => {
    const open = await runQuery<{ filename: string }>(sql`SELECT filename ${OPEN_ATTACHMENTS} AND filename = ANY(${names})`)
    return open.map(({ filename }) => filename)
  }
)
