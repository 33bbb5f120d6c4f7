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

/** Locks an encoding until the end of the transaction; false if another worker has the lock. */
export async function tryLockTranscoding(videoId: number, tx: Transaction): Promise<boolean> {
  return await tryClassLock('TRANSCODING', videoId, tx)
}

/** The encodings started by this process. The first `transcoding.concurrency` of them in the queue run; the others are paused. */
const startedEncodings = new Map<number, PauseControl>()

let lastSchedulingStep: Promise<unknown> = Promise.resolve()

/** Runs scheduling steps of this process one at a time. */
async function runExclusively<T>(step: () => Promise<T>): Promise<T> {
  const current = lastSchedulingStep.then(step)
  lastSchedulingStep = current.catch(() => undefined)
  return await current
}

/**
 * Claims and locks the first open encoding of the queue until the end of the transaction; null if there is none, or if those that are
 * started come before it. Call `releaseTranscoding` when it has ended.
 */
export async function claimNextTranscoding(tx: Transaction): Promise<{ videoId: number; pauseControl: PauseControl } | null> {
  return await runExclusively(async () => {
    const queue = await listOpenEncodings()
    const started = queue.filter(({ videoId }) => startedEncodings.has(videoId))
    for (const candidate of queue) {
      if (startedEncodings.has(candidate.videoId) || !candidate.due) continue
      if (!mayStart(queue, started, candidate) || !(await hasMemoryFor(candidate.videoId))) return null
      if (!(await tryLockTranscoding(candidate.videoId, tx))) continue
      const pauseControl = new PauseControl()
      startedEncodings.set(candidate.videoId, pauseControl)
      pauseBeyondConcurrency(queue)
      return { videoId: candidate.videoId, pauseControl }
    }
    return null
  })
}

/** Whether this process has no started encoding. */
export function isTranscodingIdle(): boolean {
  return startedEncodings.size === 0
}

/** Releases an encoding that has ended in this process. */
export async function releaseTranscoding(videoId: number): Promise<void> {
  startedEncodings.delete(videoId)
  await applyTranscodingPriorities()
}

/** Pauses and resumes encodings by the current queue: called when a video becomes playable, and when priorities have changed. */
export async function applyTranscodingPriorities(): Promise<void> {
  await runExclusively(async () =>
    pauseBeyondConcurrency(startedEncodings.size > config.transcoding.concurrency ? await listOpenEncodings() : [])
  ).catch(error => logger.warn('The encodings could not be put in order; they go on as they are', { error }))
}

/** Applies priorities changed by an administrator, in this or another process. */
export function listenForTranscodingPriorities(): void {
  onEvent('encodings.ordered', applyTranscodingPriorities)
}

function mayStart(queue: OpenEncoding[], started: OpenEncoding[], candidate: OpenEncoding): boolean {
  const ahead = started.filter(encoding => queue.indexOf(encoding) < queue.indexOf(candidate)).length
  return ahead < config.transcoding.concurrency && startedEncodings.size < config.transcoding.max_begun
}

/** Whether there is memory for one more encoding; the only one is always tried. */
async function hasMemoryFor(videoId: number): Promise<boolean> {
  if (startedEncodings.size === 0) return true
  const source = await VideoSourceModel.findByPk(videoId)
  return !source?.probe || hasMemoryForEncoding(planTranscoding(source.probe as Probe))
}

/** Whether encoding by a plan leaves `transcoding.spare_memory` free. */
export function hasMemoryForEncoding(plan: TranscodingPlan): boolean {
  return spareMemoryAfterEncoding(plan) >= 0
}

/** Bytes that encoding by a plan leaves free beyond `transcoding.spare_memory`; negative if it needs more. */
export function spareMemoryAfterEncoding(plan: TranscodingPlan): number {
  return process.availableMemory() - encodingMemory(plan) - config.transcoding.spare_memory
}

function pauseBeyondConcurrency(queue: OpenEncoding[]): void {
  const ranks = new Map(queue.map(({ videoId }, rank) => [videoId, rank]))
  const sorted = [...startedEncodings].sort(([a], [b]) => (ranks.get(a) ?? -1) - (ranks.get(b) ?? -1))
  sorted.forEach(([, pauseControl], index) => pauseControl.setPaused(index >= config.transcoding.concurrency))
}
