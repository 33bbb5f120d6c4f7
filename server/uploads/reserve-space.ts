import type { Transaction } from 'sequelize'
import { z } from 'zod'
import { quotaReached, remainingQuota } from '../accounts/quota.ts'
import { config } from '../core/config.ts'
import { areOnOneDisk, insufficientStorage, usableDiskSpace } from '../core/disk-space.ts'
import { acquireLock } from '../core/locks.ts'
import { Problem } from '../core/problem.ts'
import { recordRefusal } from '../core/rate-limit-refusals.ts'
import { requestIp } from '../core/request-context.ts'
import { queryAs, sql } from '../core/sql.ts'
import { transaction } from '../core/transaction.ts'

/** What an upload asks for, in bytes. */
export type SpaceRequest = {
  /** Of the upload itself, whose reservation of before does not count. */
  id: string
  userId: number
  /** As much as this, or what is left of the quota. */
  wanted: number
  /** Less than this is of no use. */
  least: number
  /** What of it is on the disk already. */
  received: number
  /** Where the bytes arrive. */
  folder: 'tmp' | 'uploads'
}

/**
 * Gives an upload its share of the user's quota and of the disk: `write` stores the reservation of so many bytes in the same transaction.
 * What other uploads have reserved counts, of the user against the quota, of all that go to the same disk against its room, as far as they
 * have not arrived. Throws 400 too_many_uploads, 413 quota_reached, 507 insufficient_storage.
 */
export async function reserveSpace(request: SpaceRequest, write: (granted: number, tx: Transaction) => Promise<unknown>): Promise<number> {
  return await inTurn(
    async () =>
      await transaction(async tx => {
        await acquireLock('RESERVE_UPLOAD', tx)
        const granted = await measureSpace(request, tx)
        await write(granted, tx)
        return granted
      })
  )
}

const ReservedRow = z.object({ count: z.coerce.number(), size: z.coerce.number(), missing: z.coerce.number() })

async function measureSpace({ id, userId, wanted, least, received, folder }: SpaceRequest, tx: Transaction): Promise<number> {
  const oneDisk = await areOnOneDisk('tmp', 'uploads')
  const [reserved] = await queryAs(
    ReservedRow,
    sql`
    SELECT count(*) FILTER (WHERE user_id = ${userId}) AS count, coalesce(sum(size) FILTER (WHERE user_id = ${userId}), 0) AS size,
      coalesce(sum(greatest(size - received, 0)) FILTER (WHERE ${oneDisk} OR folder = ${folder}), 0) AS missing
    FROM (
      SELECT id, user_id, size, received, 'uploads' AS folder FROM uploads WHERE video_id IS NULL AND expires_at > now()
      UNION ALL SELECT id::text, user_id, size, received, 'tmp' FROM upload_reservations WHERE expires_at > now()
    ) others WHERE id <> ${id}`,
    tx
  )
  if (reserved!.count >= config.upload.max_per_user) {
    recordRefusal({ limiter: 'unfinished_uploads', ip: requestIp() })
    throw new Problem(400, 'too_many_uploads', `You have ${config.upload.max_per_user} unfinished uploads: finish or cancel one first.`)
  }
  const left = (await remainingQuota(userId, tx)) - reserved!.size
  if (least > left) throw quotaReached()
  const granted = Math.min(wanted, left)
  if ((await usableDiskSpace(folder)) - reserved!.missing < granted - received) throw insufficientStorage()
  return granted
}

let last: Promise<unknown> = Promise.resolve()

/** One after the other within this process too: all those who wait for the lock would take its connections to the database. */
async function inTurn<T>(act: () => Promise<T>): Promise<T> {
  const turn = last.then(act)
  last = turn.catch(() => undefined)
  return await turn
}
