import { setTimeout as sleep } from 'node:timers/promises'
import { config } from '../core/config.ts'
import { logger } from '../core/logger.ts'
import {
  claimIncomingActivities,
  finishIncomingActivities,
  releaseIncomingActivities,
  renewIncomingLeases,
  type IncomingActivityRow
} from './incoming.query.ts'
import { INBOX } from './inbox-internals.ts'
import { finishIneffectiveActivities, isIneffective } from './ineffective-activities.ts'

/** Processes the waiting activities of a queue; `wake` signals that there are new ones. */
export type InboxWorker = { wake(): void; stop(): Promise<void> }

type InboxWorkerOptions = {
  /** The value of `incoming.lane`. */
  queue: number
  /** Whether activities with one subject are processed one after the other. */
  inOrder: boolean
  /** How long (ms) arrivals are collected before a batch is claimed. */
  collectFor: number
  batch?: number
  concurrency?: number
  processOne: (row: IncomingActivityRow) => Promise<string | null>
  processBatch?: (rows: IncomingActivityRow[]) => Promise<Map<string, string>>
}

/**
 * Starts a worker that claims activities of a queue batch by batch and passes each to `processOne`, which returns its outcome, or null if
 * it was postponed. At most `concurrency` run at once, not counting those that take longer than `INBOX.slowAfter`.
 * `processBatch` first gets the oldest activity of each subject, and returns the outcomes of those it processed by row id.
 */
export function startInboxWorker({
  queue,
  inOrder,
  collectFor,
  batch = INBOX.batch,
  concurrency = config.federation.inbox.concurrency,
  processOne,
  processBatch
}: InboxWorkerOptions): InboxWorker {
  const { slowAfter, checkInterval, lease } = INBOX
  const maxSlow = Math.max(INBOX.maxSlow, concurrency)
  const leased = new Set<string>()
  const inFlight = new Set<Promise<void>>()
  let usedSlots = 0
  let stopping = false
  let woken = true
  let wasBatchFull = false
  let endWait: () => void = () => undefined
  const stopSignal = new AbortController()
  const wake = () => {
    woken = true
    endWait()
  }
  const waitForChange = async (ms?: number) =>
    await new Promise<void>(resolve => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      endWait = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const outcomeWriter = createBatchWriter<{ id: string; outcome: string }>(
    async rows => {
      const ineffective = rows.filter(({ outcome }) => isIneffective(outcome))
      if (ineffective.length > 0) await finishIneffectiveActivities(ineffective)
      if (ineffective.length < rows.length) await finishIncomingActivities(rows.filter(({ outcome }) => !isIneffective(outcome)))
      for (const { id } of rows) leased.delete(id)
      // Later activities about the same subjects may be claimed now.
      if (inOrder) wake()
    },
    () => stopping
  )

  const processGroup = async (rows: IncomingActivityRow[]) => {
    usedSlots++
    let holdsSlot = true
    const releaseSlot = () => {
      if (holdsSlot) usedSlots--
      holdsSlot = false
      endWait()
    }
    const slotTimer = setTimeout(releaseSlot, slowAfter)
    let remaining = rows
    try {
      while (remaining.length > 0 && !stopping) {
        const [row, ...rest] = remaining as [IncomingActivityRow, ...IncomingActivityRow[]]
        remaining = rest
        const outcome = await processOne(row).catch(error => {
          // Not even the postponement could be written: the activity is claimed again when its lease expires.
          logger.warn('A received activity could not be processed now', { error })
          return null
        })
        if (outcome !== null) {
          outcomeWriter.add({ id: row.id, outcome })
          continue
        }
        leased.delete(row.id)
        break
      }
    } finally {
      clearTimeout(slotTimer)
      await releaseRows(remaining)
      releaseSlot()
    }
  }

  let renewal = Promise.resolve()
  const releaseRows = async (rows: IncomingActivityRow[]) => {
    if (rows.length === 0) return
    for (const { id } of rows) leased.delete(id)
    // A renewal in progress would renew their leases after the release.
    await renewal
    await releaseIncomingActivities(rows.map(row => row.id)).catch(() => undefined)
  }

  /** Processes the first activity of each group together, where possible; returns the groups that are left. */
  const processInBatch = async (groups: IncomingActivityRow[][]) => {
    if (!processBatch || groups.length < 2) return groups
    const outcomes = await processBatch(groups.map(group => group[0]!)).catch(error => {
      logger.warn('Received activities could not be processed together', { error })
      return new Map<string, string>()
    })
    for (const [id, outcome] of outcomes) outcomeWriter.add({ id, outcome })
    return groups.map(group => (outcomes.has(group[0]!.id) ? group.slice(1) : group)).filter(group => group.length > 0)
  }

  const run = async () => {
    while (!stopping) {
      if (!woken) await waitForChange(checkInterval)
      // What is left after a full batch has already waited.
      if (collectFor > 0 && !wasBatchFull) await sleep(collectFor, undefined, { signal: stopSignal.signal }).catch(() => undefined)
      woken = false
      const rows = await claimIncomingActivities(queue, batch, inOrder).catch(error => {
        logger.warn('Received activities cannot be read', { error })
        return [] as IncomingActivityRow[]
      })
      wasBatchFull = rows.length === batch
      if (wasBatchFull) woken = true
      for (const { id } of rows) leased.add(id)
      const groups = await processInBatch(inOrder ? groupBySubject(rows) : rows.map(row => [row]))
      while (groups.length > 0 && !stopping) {
        if (usedSlots >= concurrency || inFlight.size >= maxSlow) {
          await waitForChange()
          continue
        }
        const running: Promise<void> = processGroup(groups.shift()!).finally(() => inFlight.delete(running))
        inFlight.add(running)
      }
      await releaseRows(groups.flat())
    }
  }

  const running = run()
  const renewalTimer = setInterval(() => {
    if (leased.size > 0) renewal = renewIncomingLeases([...leased]).catch(() => undefined)
  }, lease / 3)
  return {
    wake,
    stop: async () => {
      stopping = true
      stopSignal.abort()
      wake()
      await waitAtMostShutdownTimeout(Promise.all([running, ...inFlight]))
      await waitAtMostShutdownTimeout(outcomeWriter.flushed())
      clearInterval(renewalTimer)
    }
  }
}

/** Writes added items in batches, one after the other; retries failed writes until stopped. */
function createBatchWriter<T>(
  write: (items: T[]) => Promise<void>,
  isStopping: () => boolean
): { add(item: T): void; flushed(): Promise<void> } {
  let items: T[] = []
  let writing: Promise<void> | null = null
  const flush = async () => {
    await new Promise(resolve => setImmediate(resolve))
    while (items.length > 0) {
      const batch = items
      items = []
      try {
        await write(batch)
      } catch (error) {
        items = [...batch, ...items]
        if (isStopping()) return
        logger.warn('What became of received activities cannot be written', { error })
        await sleep(INBOX.checkInterval)
      }
    }
  }
  const add = (item: T) => {
    items.push(item)
    writing ??= flush().finally(() => {
      writing = null
      if (items.length > 0 && !isStopping()) writing = flush()
    })
  }
  return {
    add,
    flushed: async () => {
      await writing
      await flush()
    }
  }
}

function groupBySubject(rows: IncomingActivityRow[]): IncomingActivityRow[][] {
  const groups = new Map<string, IncomingActivityRow[]>()
  for (const row of rows) {
    const group = groups.get(row.subject)
    if (group) group.push(row)
    else groups.set(row.subject, [row])
  }
  return [...groups.values()]
}

async function waitAtMostShutdownTimeout(work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    work.catch(() => undefined),
    new Promise(resolve => {
      timer = setTimeout(resolve, config.http.shutdown_timeout)
    })
  ])
  clearTimeout(timer)
}
