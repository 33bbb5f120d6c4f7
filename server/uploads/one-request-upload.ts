import { randomUUID } from 'node:crypto'
import type { Request } from 'express'
import type { Transaction } from 'sequelize'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import type { FilesAdmission } from '../core/multipart.ts'
import { Problem } from '../core/problem.ts'
import { runQuery, sql, sqlInterval } from '../core/sql.ts'
import { reserveSpace } from './reserve-space.ts'
import { UPLOADS } from './upload-internals.ts'
import { assertUploadSize } from './validation.ts'

const uploads = new WeakMap<Request, OneRequestUpload>()

/**
 * Reserves space for an upload in one request before its body is read. A body that is surely too large is refused at once, what may be
 * because of its images and fields when so much has arrived. Throws 400 too_many_uploads, 413 quota_reached or max_file_size_reached, 507.
 */
export async function admitUpload(request: Request, viewer: { id: number }, announced: number | null): Promise<FilesAdmission> {
  // An empty file is refused later, by what it is not.
  const least = Math.max(1, (announced ?? 0) - largestRest())
  assertUploadSize(least)
  const upload = new OneRequestUpload(viewer.id)
  await upload.reserve(Math.max(announced ?? 0, least), least)
  uploads.set(request, upload)
  return upload
}

/** Gives back the reservation of a request whose file has become a video, in the transaction that counts that. */
export async function settleUpload(request: Request, tx: Transaction): Promise<void> {
  await uploads.get(request)?.end(tx)
}

/** How much of a form's bytes may be something else than its video. */
function largestRest(): number {
  const { image_max_size } = config.upload
  return UPLOADS.formOverhead + 2 * (image_max_size < 0 ? Infinity : image_max_size)
}

/** The reservation of an upload in one request: a row that is renewed while the request is open. */
class OneRequestUpload implements FilesAdmission {
  readonly #id = randomUUID()
  readonly #userId: number
  #reserved = 0
  #received = 0
  #renewedAt = performance.now()
  #noted = 0
  #timer: NodeJS.Timeout | null = null
  #ended = false
  #reserving: Promise<unknown> = Promise.resolve()
  #renewing = false
  /** Why the reservation could not be kept. */
  #refusal: unknown = null

  constructor(userId: number) {
    this.#userId = userId
  }

  async reserve(wanted: number, least: number): Promise<void> {
    const request = { id: this.#id, userId: this.#userId, wanted, least, received: this.#received, folder: 'tmp' as const }
    const reserving = reserveSpace(request, async (granted, tx) => {
      if (this.#ended) return
      await runQuery(
        sql`INSERT INTO upload_reservations (id, user_id, size, received, expires_at)
          VALUES (${this.#id}, ${this.#userId}, ${Math.floor(granted)}, ${this.#received}, now() + ${sqlInterval(UPLOADS.reservationLease)})
          ON CONFLICT (id) DO UPDATE SET size = excluded.size, received = excluded.received, expires_at = excluded.expires_at`,
        tx
      )
    })
    this.#reserving = reserving
    this.#reserved = await reserving
    if (!this.#ended) this.#timer ??= setInterval(() => void this.#renew(), UPLOADS.renewInterval).unref()
  }

  async receive(bytes: number): Promise<void> {
    if (this.#refusal) throw this.#refusal
    const needed = this.#received + bytes
    if (needed > this.#reserved) {
      const { least, most, share } = UPLOADS.growth
      await this.reserve(needed + Math.min(most, Math.max(least, needed * share)), needed)
    }
    this.#received = needed
  }

  async release(): Promise<void> {
    // Without the database the row ends by its lease.
    await this.end().catch(error => logger.warn('The reservation of an upload is left to expire', { error }))
  }

  async end(tx?: Transaction): Promise<void> {
    this.#ended = true
    if (this.#timer) clearInterval(this.#timer)
    // A row that is being written would be missed.
    await this.#reserving.catch(() => undefined)
    await runQuery(sql`DELETE FROM upload_reservations WHERE id = ${this.#id}`, tx)
  }

  async #renew(): Promise<void> {
    const isDue = performance.now() - this.#renewedAt >= UPLOADS.reservationLease / 4
    if (this.#renewing || (this.#received === this.#noted && !isDue)) return
    this.#renewing = true
    const received = this.#received
    try {
      const renewed = await runQuery(
        sql`UPDATE upload_reservations SET received = ${received}, expires_at = now() + ${sqlInterval(UPLOADS.reservationLease)}
          WHERE id = ${this.#id} RETURNING id`
      )
      // It had expired and was removed: others may have got the space.
      if (renewed.length === 0 && !this.#ended) await this.reserve(Math.max(this.#reserved, received), received)
      this.#noted = received
      this.#renewedAt = performance.now()
    } catch (error) {
      if (error instanceof Problem) this.#refusal = error
      else logger.warn('The reservation of an upload could not be renewed', { error })
    } finally {
      this.#renewing = false
    }
  }
}
