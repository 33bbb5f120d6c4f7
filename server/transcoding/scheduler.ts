import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'
import { logger } from '../core/logger.ts'
import { tryClassLock } from '../core/locks.ts'
import type { Transaction } from 'sequelize'
import { PauseControl } from '../media/pause-control.ts'
import { encodingMemory } from '../media/encoding-cost.ts'
import type { TranscodingPlan } from '../media/ladder.ts'
import type { Probe } from '../media/probe.ts'
import { VideoSourceModel } from '../videos/video-file.model.ts'
import { listOpenEncodings, type OpenEncoding } from './queue-order.query.ts'
import { planTranscoding } from './transcoding-settings.ts'

/** Has the lock on an encoding for as long as the transaction lasts; false where another worker has it. */
export async function tryLockTranscoding(videoId: number, transaction: Transaction): Promise<boolean> {
  return await tryClassLock('TRANSCODING', videoId, transaction)
}

/** The encodings this process has begun. Those with the best claims go on, `transcoding.concurrency` of them; the others are held. */
const begun = new Map<number, PauseControl>()

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
export async function claimNextTranscoding(lock: Transaction): Promise<{ videoId: number; brake: PauseControl } | null> {
  return await alone(async () => {
    const order = await listOpenEncodings()
    const mine = order.filter(({ videoId }) => begun.has(videoId))
    for (const one of order) {
      if (begun.has(one.videoId) || !one.due) continue
      if (!mayBegin(order, mine, one) || !(await fits(one.videoId))) return null
      if (!(await tryLockTranscoding(one.videoId, lock))) continue
      const brake = new PauseControl()
      begun.set(one.videoId, brake)
      arrange(order)
      return { videoId: one.videoId, brake }
    }
    return null
  })
}

/** Whether this process encodes nothing. */
export function isTranscodingIdle(): boolean {
  return begun.size === 0
}

/** Says that an encoding is over here. */
export async function releaseTranscoding(videoId: number): Promise<void> {
  begun.delete(videoId)
  await applyTranscodingPriorities()
}

/** Looks at the claims anew: when somebody can watch a video, and when an administrator has changed them. */
export async function applyTranscodingPriorities(): Promise<void> {
  await alone(async () => arrange(begun.size > config.transcoding.concurrency ? await listOpenEncodings() : [])).catch(error =>
    logger.warn('The encodings could not be put in order; they go on as they are', { error })
  )
}

/** Hears when an administrator has changed the claims, here or in another process. */
export function listenForTranscodingPriorities(): void {
  onEvent('encodings.ordered', applyTranscodingPriorities)
}

function mayBegin(order: OpenEncoding[], mine: OpenEncoding[], one: OpenEncoding): boolean {
  const before = mine.filter(other => order.indexOf(other) < order.indexOf(one)).length
  return before < config.transcoding.concurrency && begun.size < config.transcoding.max_begun
}

/** Whether there is memory for one more; the only one has to be tried. */
async function fits(videoId: number): Promise<boolean> {
  if (begun.size === 0) return true
  const source = await VideoSourceModel.findByPk(videoId)
  return !source?.probe || hasMemoryForEncoding(planTranscoding(source.probe as Probe))
}

/** Whether encoding by a plan leaves as much memory free as `transcoding.spare_memory` asks for. */
export function hasMemoryForEncoding(plan: TranscodingPlan): boolean {
  return spareMemoryAfterEncoding(plan) >= 0
}

/** Bytes that encoding by a plan leaves free beyond `transcoding.spare_memory`; below 0 where it takes of them. */
export function spareMemoryAfterEncoding(plan: TranscodingPlan): number {
  return process.availableMemory() - encodingMemory(plan) - config.transcoding.spare_memory
}

function arrange(order: OpenEncoding[]): void {
  const places = new Map(order.map(({ videoId }, place) => [videoId, place]))
  const sorted = [...begun].sort(([a], [b]) => (places.get(a) ?? -1) - (places.get(b) ?? -1))
  sorted.forEach(([, brake], index) => brake.set(index >= config.transcoding.concurrency))
}
