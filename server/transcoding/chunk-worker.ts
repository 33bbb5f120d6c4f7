import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'
import { readFromQueue } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { encodeLeasedChunk } from './leased-chunk.ts'
import { leaseNextChunk } from './chunks.query.ts'
import { isTranscodingIdle } from './scheduler.ts'

let wakeUp: () => void = () => undefined
let wakePending = false
let listening = false

/**
 * Starts a loop that encodes chunks of videos claimed by other workers while this process has no encoding of its own. It is driven by the
 * rows and woken by `chunks.waiting` (ARCHITECTURE.md, rule 1).
 */
export function startChunkWorker(): { stop(): Promise<void> } {
  if (!listening)
    onEvent('chunks.waiting', () => {
      wakePending = true
      wakeUp()
    })
  listening = true
  const stopController = new AbortController()
  const loop = (async () => {
    while (!stopController.signal.aborted) {
      const hasEncoded = await encodeOneChunk(stopController.signal).catch(error => {
        logger.warn('Chunks cannot be helped with now', { error })
        return false
      })
      if (!hasEncoded) await waitForChunks(stopController.signal)
    }
  })()
  return {
    stop: async () => {
      stopController.abort()
      wakeUp()
      await loop
    }
  }
}

/** Encodes one chunk; false if there is none for this process. */
async function encodeOneChunk(signal: AbortSignal): Promise<boolean> {
  // While all jobs are paused, no chunk may be started either.
  if (
    !config.transcoding.chunks.enabled ||
    !isTranscodingIdle() ||
    (await readFromQueue('transcoding', async queue => await queue.isPaused(), false))
  )
    return false
  const leased = await leaseNextChunk()
  return leased !== undefined && (await encodeLeasedChunk(leased, { signal, helping: true }))
}

async function waitForChunks(signal: AbortSignal): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, config.transcoding.chunks.check_interval)
    wakeUp = () => {
      clearTimeout(timer)
      resolve()
    }
    if (signal.aborted || wakePending) wakeUp()
  })
  wakePending = false
}
