import { paging } from '../core/paging.ts'
import { notFound, Problem } from '../core/problem.ts'
import { transaction } from '../core/transaction.ts'
import type { Viewer } from '../core/route.ts'
import { findManagedVideo } from './video-access.ts'
import { VIDEO_PRIVACY, VideoPasswordModel } from './video.model.ts'

type VideoPasswordJson = { id: number; password: string; videoId: number; createdAt: string; updatedAt: string }

/** Returns a page of the passwords of a video, newest first by default. Throws 403, 404. */
export async function listVideoPasswords(
  id: number | string,
  viewer: Viewer,
  query: { start?: number; count?: number; sort?: string }
): Promise<{ total: number; data: VideoPasswordJson[] }> {
  const { start, count } = paging(query)
  const video = await findManagedVideo(id, viewer)
  const sort = query.sort ?? '-createdAt'
  const direction = sort.startsWith('-') ? 'DESC' : 'ASC'
  const { rows, count: total } = await VideoPasswordModel.findAndCountAll({
    where: { videoId: video.id },
    order: [...(sort.endsWith('createdAt') ? [['createdAt', direction] as [string, string]] : []), ['id', direction]],
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

/** Replaces the passwords of a video; old ones are invalid at once. Throws 400, 403, 404. */
export async function replaceVideoPasswords(id: number | string, viewer: Viewer, passwords: string[]): Promise<void> {
  const video = await findPasswordProtectedVideo(id, viewer)
  await transaction(async tx => {
    await VideoPasswordModel.destroy({ where: { videoId: video.id }, transaction: tx })
    await VideoPasswordModel.bulkCreate(
      [...new Set(passwords)].map(password => ({ videoId: video.id, password })),
      { transaction: tx }
    )
  })
}

/** Removes a password of a video. Throws 400 for the last one, 403, 404. */
export async function removeVideoPassword(id: number | string, viewer: Viewer, passwordId: number): Promise<void> {
  const video = await findPasswordProtectedVideo(id, viewer)
  await transaction(async tx => {
    const passwords = await VideoPasswordModel.findAll({ where: { videoId: video.id }, transaction: tx, lock: true })
    const password = passwords.find(candidate => candidate.id === passwordId)
    if (!password) throw notFound('Video password')
    if (passwords.length === 1) throw new Problem(400, null, 'Cannot delete the last password of a protected video')
    await password.destroy({ transaction: tx })
  })
}

/** Throws 400 for a video that is not password protected, 403, 404. */
async function findPasswordProtectedVideo(id: number | string, viewer: Viewer): Promise<{ id: number }> {
  const video = await findManagedVideo(id, viewer)
  if (video.privacy !== VIDEO_PRIVACY.PASSWORD) throw new Problem(400, null, 'This video is not password protected')
  return video
}
