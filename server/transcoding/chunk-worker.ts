import { config } from '../core/config.ts'
import { onEvent } from '../core/events.ts'
import { readFromQueue } from '../core/job.ts'
import { logger } from '../core/logger.ts'
import { encodeLeasedChunk } from './leased-chunk.ts'
import { leaseNextChunk } from './chunks.query.ts'
import { isTranscodingIdle } from './scheduler.ts'

let ring: () => void = () => undefined
let woken = false
let listening = false

/**
 * Encodes chunks of films that other workers encode, while this one has nothing of its own to do: driven by the rows, woken by news of new
 * ones (law 1).
 */
export function startChunkWorker(): { stop(): Promise<void> } {
  if (!listening)
    onEvent('chunks.waiting', () => {
      woken = true
      ring()
    })
  listening = true
  const ending = new AbortController()
  const over = (async () => {
    while (!ending.signal.aborted) {
      if (!(await help(ending.signal).catch(error => logger.warn('Chunks cannot be helped with now', { error })))) await news(ending.signal)
    }
  })()
  return {
    stop: async () => {
      ending.abort()
      ring()
      await over
    }
  }
}

/** Encodes one chunk; false where there is none for this process. */
async function help(signal: AbortSignal): Promise<boolean> {
  // Whoever halts all jobs wants nothing to begin.
  if (
    !config.transcoding.chunks.enabled ||
    !isTranscodingIdle() ||
    (await readFromQueue('transcoding', async opened => await opened.isPaused(), false))
  )
    return false
  const leased = await leaseNextChunk()
  return leased !== undefined && (await encodeLeasedChunk(leased, { signal, helping: true }))
}

async function news(signal: AbortSignal): Promise<void> {
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, config.transcoding.chunks.check_interval)
    ring = () => {
      clearTimeout(timer)
      resolve()
    }
    if (signal.aborted || woken) ring()
  })
  woken = false
}
