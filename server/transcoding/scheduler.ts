import { config } from '../core/config.ts'
import { on } from '../core/events.ts'
import { logger } from '../core/logger.ts'
import { tryClassLock } from '../core/locks.ts'
import type { Transaction } from 'sequelize'
import { Brake } from '../media/pause-control.ts'
import { memoryOf } from '../media/encoding-cost.ts'
import type { Plan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { VideoSource } from '../videos/video-file.model.ts'
import { openEncodings, type Open } from './queue-order.query.ts'
import { planFor } from './transcoding-settings.ts'

/** Has the lock on an encoding for as long as the transaction lasts; false where another worker has it. */
export async function tryLock(videoId: number, transaction: Transaction): Promise<boolean> {
  return await tryClassLock('TRANSCODING', videoId, transaction)
}

/** The encodings this process has begun. Those with the best claims go on, `transcoding.concurrency` of them; the others are held. */
const begun = new Map<number, Brake>()

let turn: Promise<unknown> = Promise.resolve()

/** Only one of this process looks and chooses at a time. */
async function alone<T>(act: () => Promise<T>): Promise<T> {
  const mine = turn.then(act)
  turn = mine.catch(() => undefined)
  return await mine
}

/**
 * Takes the open encoding with the best claim, for as long as the transaction lasts; null where there is none, or those that were begun go
 * before it. Call `leave` when it is over.
 */
export async function take(lock: Transaction): Promise<{ videoId: number; brake: Brake } | null> {
  return await alone(async () => {
    const order = await openEncodings()
    const mine = order.filter(({ videoId }) => begun.has(videoId))
    for (const one of order) {
      if (begun.has(one.videoId) || !one.due) continue
      if (!mayBegin(order, mine, one) || !(await fits(one.videoId))) return null
      if (!(await tryLock(one.videoId, lock))) continue
      const brake = new Brake()
      begun.set(one.videoId, brake)
      arrange(order)
      return { videoId: one.videoId, brake }
    }
    return null
  })
}

/** Whether this process encodes nothing. */
export function isIdle(): boolean {
  return begun.size === 0
}

/** Says that an encoding is over here. */
export async function leave(videoId: number): Promise<void> {
  begun.delete(videoId)
  await rearrange()
}

/** Looks at the claims anew: when somebody can watch a video, and when an administrator has changed them. */
export async function rearrange(): Promise<void> {
  await alone(async () => arrange(begun.size > config.transcoding.concurrency ? await openEncodings() : [])).catch(error =>
    logger.warn('The encodings could not be put in order; they go on as they are', { error })
  )
}

/** Hears when an administrator has changed the claims, here or in another process. */
export function listenForOrder(): void {
  on('encodings.ordered', rearrange)
}

function mayBegin(order: Open[], mine: Open[], one: Open): boolean {
  const before = mine.filter(other => order.indexOf(other) < order.indexOf(one)).length
  return before < config.transcoding.concurrency && begun.size < config.transcoding.max_begun
}

/** Whether there is memory for one more; the only one has to be tried. */
async function fits(videoId: number): Promise<boolean> {
  if (begun.size === 0) return true
  const source = await VideoSource.findByPk(videoId)
  return !source?.probe || hasRoomFor(planFor(source.probe as Probe))
}

/** Whether encoding by a plan leaves as much memory free as `transcoding.spare_memory` asks for. */
export function hasRoomFor(plan: Plan): boolean {
  return spareMemory(plan) >= 0
}

/** Bytes that encoding by a plan leaves free beyond `transcoding.spare_memory`; below 0 where it takes of them. */
export function spareMemory(plan: Plan): number {
  return process.availableMemory() - memoryOf(plan) - config.transcoding.spare_memory
}

function arrange(order: Open[]): void {
  const places = new Map(order.map(({ videoId }, place) => [videoId, place]))
  const sorted = [...begun].sort(([a], [b]) => (places.get(a) ?? -1) - (places.get(b) ?? -1))
  sorted.forEach(([, brake], index) => brake.set(index >= config.transcoding.concurrency))
}
