import { paging } from '../core/paging.ts'
import { notFound, Problem } from '../core/problem.ts'
import { transaction } from '../core/transaction.ts'
import type { Viewer } from '../core/route.ts'
import { findManagedVideo } from './video-access.ts'
import { VIDEO_PRIVACY, VideoPasswordModel } from './video.model.ts'

type Item = { id: number; password: string; videoId: number; createdAt: string; updatedAt: string }

/** The passwords of an own video, newest first. */
export async function listVideoPasswords(
  id: number | string,
  viewer: Viewer,
  query: { start?: number; count?: number }
): Promise<{ total: number; data: Item[] }> {
  const { start, count } = paging(query)
  const video = await findManagedVideo(id, viewer)
  const { rows, count: total } = await VideoPasswordModel.findAndCountAll({
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
export async function replaceVideoPasswords(id: number | string, viewer: Viewer, passwords: string[]): Promise<void> {
  const video = await protectedVideo(id, viewer)
  await transaction(async transaction => {
    await VideoPasswordModel.destroy({ where: { videoId: video.id }, transaction })
    await VideoPasswordModel.bulkCreate(
      [...new Set(passwords)].map(password => ({ videoId: video.id, password })),
      { transaction }
    )
  })
}

/** Removes one password; the last one stays. */
export async function removeVideoPassword(id: number | string, viewer: Viewer, passwordId: number): Promise<void> {
  const video = await protectedVideo(id, viewer)
  await transaction(async transaction => {
    const passwords = await VideoPasswordModel.findAll({ where: { videoId: video.id }, transaction, lock: true })
    const password = passwords.find(one => one.id === passwordId)
    if (!password) throw notFound('Video password')
    if (passwords.length === 1) throw new Problem(400, null, 'Cannot delete the last password of a protected video')
    await password.destroy({ transaction })
  })
}

async function protectedVideo(id: number | string, viewer: Viewer): Promise<{ id: number }> {
  const video = await findManagedVideo(id, viewer)
  if (video.privacy !== VIDEO_PRIVACY.PASSWORD) throw new Problem(400, null, 'This video is not password protected')
  return video
}
