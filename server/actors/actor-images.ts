import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { ActorImage } from '../../shared/actors.ts'
import { config, storageFolder } from '../core/config.ts'
import { afterCommit, transaction } from '../core/transaction.ts'
import type { MultipartFile } from '../core/multipart.ts'
import { invalidParams } from '../core/problem.ts'
import { queryAs, runQuery, sql } from '../core/sql.ts'
import { MediaError } from '../media/ffmpeg.ts'
import { resizeToSizes } from '../media/images.ts'
import { ActorImageModel } from './actor.model.ts'
import { avatarsSql, bannersSql } from './actor.shape.ts'
import { removeActorImageFile } from './local-actors.ts'
import { sendActorUpdate } from './actor.outbox.ts'

type ActorImageKind = ActorImageModel['kind']

/**
 * Replaces the avatar or banner of an actor, in all sizes of `thumbnails.avatar_sizes` or `banner_sizes`; returns them largest first.
 * Throws 400 that names `field` if the file is missing or no supported image.
 */
export async function setActorImages(
  actorId: number,
  kind: ActorImageKind,
  file: MultipartFile | undefined,
  field: string
): Promise<ActorImage[]> {
  if (!file) throw unsupportedImage(field)
  const folder = folderOf(kind)
  await mkdir(folder, { recursive: true })
  const resized = await resizeImage(file.path, folder, kind, field)
  try {
    return await transaction(async tx => {
      await runQuery(sql`SELECT id FROM actors WHERE id = ${actorId} FOR UPDATE`, tx)
      await removeImageRows(actorId, kind, tx)
      await ActorImageModel.bulkCreate(
        resized.map(({ file: filename, width, height }) => ({ actorId, kind, filename, width, height })),
        { transaction: tx }
      )
      await markActorUpdated(actorId, tx)
      const images = kind === 'avatar' ? avatarsSql(sql`actor`) : bannersSql(sql`actor`)
      const [row] = await queryAs(
        z.object({ images: z.array(ActorImage) }),
        sql`SELECT ${images} AS images FROM actors actor WHERE actor.id = ${actorId}`,
        tx
      )
      return row!.images.reverse()
    })
  } catch (error) {
    await Promise.all(resized.map(one => rm(join(folder, one.file), { force: true })))
    throw error
  }
}

/** Removes the avatar or banner of an actor, if it has one. */
export async function removeActorImages(actorId: number, kind: ActorImageKind): Promise<void> {
  await transaction(async tx => {
    await removeImageRows(actorId, kind, tx)
    await markActorUpdated(actorId, tx)
  })
}

async function removeImageRows(actorId: number, kind: ActorImageKind, tx: Parameters<typeof runQuery>[1]): Promise<void> {
  const removed = await runQuery<{ filename: string }>(
    sql`DELETE FROM actor_images WHERE actor_id = ${actorId} AND kind = ${kind} RETURNING filename`,
    tx
  )
  afterCommit(tx, () => {
    for (const { filename } of removed) removeActorImageFile(kind, filename)
  })
}

async function markActorUpdated(actorId: number, tx: Transaction): Promise<void> {
  await runQuery(sql`UPDATE actors SET updated_at = now() WHERE id = ${actorId}`, tx)
  await sendActorUpdate(actorId, tx)
}

function folderOf(kind: ActorImageKind): string {
  return storageFolder(kind === 'avatar' ? 'avatars' : 'banners')
}

async function resizeImage(path: string, folder: string, kind: ActorImageKind, field: string): ReturnType<typeof resizeToSizes> {
  const { avatar_sizes, banner_sizes } = config.thumbnails
  const sizes =
    kind === 'avatar' ? avatar_sizes.map(width => ({ width, height: width })) : banner_sizes.map(([width, height]) => ({ width, height }))
  try {
    return await resizeToSizes(path, folder, sizes, { maxPixels: config.upload.image_max_pixels })
  } catch (error) {
    if (error instanceof MediaError && error.code === 'bad_image') throw unsupportedImage(field)
    throw error
  }
}

function unsupportedImage(field: string): Error {
  return invalidParams([
    {
      type: 'field',
      path: field,
      location: 'body',
      msg: `This file is not supported or too large. Please, make sure it is of the following type : ${ACTOR_IMAGE_EXTENSIONS.join(', ')}`
    }
  ])
}

/** Extensions of supported images, as clients show them; images are recognized by their content. */
export const ACTOR_IMAGE_EXTENSIONS = ['.png', '.jpeg', '.jpg', '.gif', '.webp']
