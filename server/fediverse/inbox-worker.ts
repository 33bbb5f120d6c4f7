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

/** Works through the waiting activities of a lane; `wake` says that there are some. */
export type InboxWorker = { wake(): void; stop(): Promise<void> }

type Opening = {
  lane: number
  inOrder: boolean
  pause: number
  batch?: number
  concurrency?: number
  work: (row: IncomingActivityRow) => Promise<string | null>
  together?: (rows: IncomingActivityRow[]) => Promise<Map<string, string>>
}

/**
 * Takes activities of a lane in hand, batch by batch, and gives each to `work`, which says what became of it, or null where it waits for
 * another try. Those of one subject go one after the other where `inOrder`; `concurrency` at once, not counting those that wait for other
 * servers for long. `pause`: how long arrivals are collected first. `together` gets the first of each subject before, and says by id
 * what became of those that it is through with.
 */
export function startInboxWorker({
  lane,
  inOrder,
  pause,
  batch = config.federation.inbox.batch,
  concurrency = config.federation.inbox.concurrency,
  work,
  together
}: Opening): InboxWorker {
  const { slow_after, check_interval, lease } = config.federation.inbox
  const max_slow = Math.max(config.federation.inbox.max_slow, concurrency)
  const inHand = new Set<string>()
  const flying = new Set<Promise<void>>()
  let busy = 0
  let stopping = false
  let woken = true
  let full = false
  let ring: () => void = () => undefined
  const halt = new AbortController()
  const wake = () => {
    woken = true
    ring()
  }
  const change = async (ms?: number) =>
    await new Promise<void>(resolve => {
      const timer = ms === undefined ? undefined : setTimeout(resolve, ms)
      ring = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  const finished = collector<{ id: string; outcome: string }>(
    async rows => {
      await finishIncomingActivities(rows)
      for (const { id } of rows) inHand.delete(id)
      // What came meanwhile about the same subjects is free now.
      if (inOrder) wake()
    },
    () => stopping
  )

  const follow = async (rows: IncomingActivityRow[]) => {
    busy++
    let counted = true
    const letGo = () => {
      if (counted) busy--
      counted = false
      ring()
    }
    const timer = setTimeout(letGo, slow_after)
    let left = rows
    try {
      while (left.length > 0 && !stopping) {
        const [row, ...rest] = left as [IncomingActivityRow, ...IncomingActivityRow[]]
        left = rest
        const outcome = await work(row).catch(error => {
          // Not even a postponement could be written: the lease ends by itself.
          logger.warn('A received activity could not be processed now', { error })
          return null
        })
        if (outcome !== null) {
          finished.add({ id: row.id, outcome })
          continue
        }
        inHand.delete(row.id)
        break
      }
    } finally {
      clearTimeout(timer)
      await giveBack(left)
      letGo()
    }
  }

  let renewal = Promise.resolve()
  const giveBack = async (rows: IncomingActivityRow[]) => {
    if (rows.length === 0) return
    for (const { id } of rows) inHand.delete(id)
    // One on its way would take them in hand again.
    await renewal
    await releaseIncomingActivities(rows.map(row => row.id)).catch(() => undefined)
  }

  /** Does at once what can be done at once; gives what is left. */
  const withoutDone = async (groups: IncomingActivityRow[][]) => {
    if (!together || groups.length < 2) return groups
    const done = await together(groups.map(group => group[0]!)).catch(error => {
      logger.warn('Received activities could not be processed together', { error })
      return new Map<string, string>()
    })
    for (const [id, outcome] of done) finished.add({ id, outcome })
    return groups.map(group => (done.has(group[0]!.id) ? group.slice(1) : group)).filter(group => group.length > 0)
  }

  const run = async () => {
    while (!stopping) {
      if (!woken) await change(check_interval)
      // Those that are left from a full batch have been collected already.
      if (pause > 0 && !full) await sleep(pause, undefined, { signal: halt.signal }).catch(() => undefined)
      woken = false
      const rows = await claimIncomingActivities(lane, batch, inOrder).catch(error => {
        logger.warn('Received activities cannot be read', { reason: (error as Error).message })
        return [] as IncomingActivityRow[]
      })
      full = rows.length === batch
      if (full) woken = true
      for (const { id } of rows) inHand.add(id)
      const groups = await withoutDone(inOrder ? bySubject(rows) : rows.map(row => [row]))
      while (groups.length > 0 && !stopping) {
        if (busy >= concurrency || flying.size >= max_slow) {
          await change()
          continue
        }
        const flight: Promise<void> = follow(groups.shift()!).finally(() => flying.delete(flight))
        flying.add(flight)
      }
      await giveBack(groups.flat())
    }
  }

  const running = run()
  const renewing = setInterval(() => {
    if (inHand.size > 0) renewal = renewIncomingLeases([...inHand]).catch(() => undefined)
  }, lease / 3)
  return {
    wake,
    stop: async () => {
      stopping = true
      halt.abort()
      wake()
      await within(Promise.all([running, ...flying]))
      await within(finished.flushed())
      clearInterval(renewing)
    }
  }
}

/** Writes what was added meanwhile, one batch after the other; goes on trying until it can, or is told to stop. */
function collector<T>(write: (items: T[]) => Promise<void>, isStopping: () => boolean): { add(item: T): void; flushed(): Promise<void> } {
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
        logger.warn('What became of received activities cannot be written', { reason: (error as Error).message })
        await sleep(config.federation.inbox.check_interval)
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

function bySubject(rows: IncomingActivityRow[]): IncomingActivityRow[][] {
  const groups = new Map<string, IncomingActivityRow[]>()
  for (const row of rows) {
    const group = groups.get(row.subject)
    if (group) group.push(row)
    else groups.set(row.subject, [row])
  }
  return [...groups.values()]
}

async function within(ending: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    ending.catch(() => undefined),
    new Promise(resolve => {
      timer = setTimeout(resolve, config.http.shutdown_timeout)
    })
  ])
  clearTimeout(timer)
}
