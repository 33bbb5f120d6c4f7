import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { ActorImage as Picture } from '../../shared/actors.ts'
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

type Kind = ActorImageModel['kind']

/**
 * Gives an actor a new avatar or banner in all sizes of `thumbnails.avatar_sizes` or `banner_sizes`, largest first in the answer.
 * Throws 400 naming `field` if the file is missing or no picture.
 */
export async function setActorImages(actorId: number, kind: Kind, file: MultipartFile | undefined, field: string): Promise<Picture[]> {
  if (!file) throw refusal(field)
  const folder = folderOf(kind)
  await mkdir(folder, { recursive: true })
  const made = await sized(file.path, folder, kind, field)
  try {
    return await transaction(async transaction => {
      await runQuery(sql`SELECT id FROM actors WHERE id = ${actorId} FOR UPDATE`, transaction)
      await removeRows(actorId, kind, transaction)
      await ActorImageModel.bulkCreate(
        made.map(({ file: filename, width, height }) => ({ actorId, kind, filename, width, height })),
        { transaction }
      )
      await touch(actorId, transaction)
      const images = kind === 'avatar' ? avatarsSql(sql`actor`) : bannersSql(sql`actor`)
      const [row] = await queryAs(
        z.object({ images: z.array(Picture) }),
        sql`SELECT ${images} AS images FROM actors actor WHERE actor.id = ${actorId}`,
        transaction
      )
      return row!.images.reverse()
    })
  } catch (error) {
    await Promise.all(made.map(one => rm(join(folder, one.file), { force: true })))
    throw error
  }
}

/** Takes an actor's avatar or banner away; nothing happens without one. */
export async function removeActorImages(actorId: number, kind: Kind): Promise<void> {
  await transaction(async transaction => {
    await removeRows(actorId, kind, transaction)
    await touch(actorId, transaction)
  })
}

async function removeRows(actorId: number, kind: Kind, transaction: Parameters<typeof runQuery>[1]): Promise<void> {
  const gone = await runQuery<{ filename: string }>(
    sql`DELETE FROM actor_images WHERE actor_id = ${actorId} AND kind = ${kind} RETURNING filename`,
    transaction
  )
  afterCommit(transaction, () => {
    for (const { filename } of gone) removeActorImageFile(kind, filename)
  })
}

async function touch(actorId: number, transaction: Transaction): Promise<void> {
  await runQuery(sql`UPDATE actors SET updated_at = now() WHERE id = ${actorId}`, transaction)
  await sendActorUpdate(actorId, transaction)
}

function folderOf(kind: Kind): string {
  return storageFolder(kind === 'avatar' ? 'avatars' : 'banners')
}

async function sized(path: string, folder: string, kind: Kind, field: string): ReturnType<typeof resizeToSizes> {
  const { avatar_sizes, banner_sizes } = config.thumbnails
  const sizes =
    kind === 'avatar' ? avatar_sizes.map(width => ({ width, height: width })) : banner_sizes.map(([width, height]) => ({ width, height }))
  try {
    return await resizeToSizes(path, folder, sizes, { maxPixels: config.upload.image_max_pixels })
  } catch (error) {
    if (error instanceof MediaError && error.code === 'bad_image') throw refusal(field)
    throw error
  }
}

function refusal(field: string): Error {
  return invalidParams([
    {
      type: 'field',
      path: field,
      location: 'body',
      msg: `This file is not supported or too large. Please, make sure it is of the following type : ${ACTOR_IMAGE_EXTENSIONS.join(', ')}`
    }
  ])
}

/** Extensions of the pictures that are taken, as clients show them; the content decides. */
export const ACTOR_IMAGE_EXTENSIONS = ['.png', '.jpeg', '.jpg', '.gif', '.webp']
