import { paging } from '../core/paging.ts'
import { notFound, Problem } from '../core/problem.ts'
import { transaction } from '../core/transaction.ts'
import type { Viewer } from '../core/route.ts'
import { managedVideo } from './video-access.ts'
import { PRIVACY, VideoPassword } from './video.model.ts'

type Item = { id: number; password: string; videoId: number; createdAt: string; updatedAt: string }

/** The passwords of an own video, newest first. */
export async function listPasswords(
  id: number | string,
  viewer: Viewer,
  query: { start?: number; count?: number }
): Promise<{ total: number; data: Item[] }> {
  const { start, count } = paging(query)
  const video = await managedVideo(id, viewer)
  const { rows, count: total } = await VideoPassword.findAndCountAll({
    where: { videoId: video.id },
    order: [['id', 'DESC']],
    offset: start,
    limit: count
  })
  return {
    total,
    data: rows.map(row => ({
      id: row.id,
      password: row.password,
      videoId: row.videoId,
      createdAt: row.createdAt.toISOString(),
      updatedAt: row.updatedAt.toISOString()
    }))
  }
}

/** Replaces the passwords: who has an old one is out at once. */
export async function replacePasswords(id: number | string, viewer: Viewer, passwords: string[]): Promise<void> {
  const video = await protectedVideo(id, viewer)
  await transaction(async transaction => {
    await VideoPassword.destroy({ where: { videoId: video.id }, transaction })
    await VideoPassword.bulkCreate(
      [...new Set(passwords)].map(password => ({ videoId: video.id, password })),
      { transaction }
    )
  })
}

/** Removes one password; the last one stays. */
export async function removePassword(id: number | string, viewer: Viewer, passwordId: number): Promise<void> {
  const video = await protectedVideo(id, viewer)
  await transaction(async transaction => {
    const passwords = await VideoPassword.findAll({ where: { videoId: video.id }, transaction, lock: true })
    const password = passwords.find(one => one.id === passwordId)
    if (!password) throw notFound('Video password')
    if (passwords.length === 1) throw new Problem(400, null, 'Cannot delete the last password of a protected video')
    await password.destroy({ transaction })
  })
}

async function protectedVideo(id: number | string, viewer: Viewer): Promise<{ id: number }> {
  const video = await managedVideo(id, viewer)
  if (video.privacy !== PRIVACY.PASSWORD) throw new Problem(400, null, 'This video is not password protected')
  return video
}
