import { statfs } from 'node:fs/promises'
import { availableParallelism, loadavg, totalmem } from 'node:os'
import { dirname } from 'node:path'
import type { Health } from '../../shared/administration.ts'
import { config, storageFolder } from '../core/config.ts'
import { openQueue, QUEUE_NAMES } from '../core/job.ts'
import { listRefusals } from '../core/rate-limit-refusals.ts'
import { redis } from '../core/redis.ts'
import { listSlowStatements } from '../core/slow-statements.ts'
import { findRewrittenHost } from '../fediverse/rewritten-host.ts'
import { countPeers, countPendingActivities } from '../fediverse/federation-counts.query.ts'
import { ffmpegVersion } from '../media/ffmpeg-version.ts'
import { findHealthFaults } from './health-faults.ts'
import { countStorageAndEncodings, listHostsRefusingVideos } from './health.query.ts'
import { SOFTWARE_VERSION } from './version.ts'

/** Returns the health of the instance, as seen from this process, with its faults. */
export async function checkHealth(): Promise<Health> {
  const { timeout, late_after, lately } = config.webadmin.health
  const [stored, waiting, peers, refusing, disk, ffmpeg, memory, jobs, rewrittenHost, slowStatements, refusals] = await Promise.all([
    countStorageAndEncodings(late_after, lately),
    countPendingActivities(),
    countPeers(),
    listHostsRefusingVideos(),
    diskSpaceOf(storageFolder('streaming_playlists')),
    ffmpegVersion(timeout),
    withTimeout(redisFacts(), timeout),
    withTimeout(jobFacts(), timeout),
    withTimeout(findRewrittenHost(), timeout),
    withTimeout(listSlowStatements(), timeout),
    listRefusals()
  ])
  const { version, bytes, renditions, originals, uploads, ...encodings } = stored
  const facts = {
    version: SOFTWARE_VERSION,
    node: process.version,
    ffmpeg,
    uptime: process.uptime(),
    now: new Date().toISOString(),
    disk,
    stored: { renditions, originals, uploads },
    memory: {
      total: Math.min(totalmem(), process.constrainedMemory() || Infinity),
      available: process.availableMemory(),
      process: process.memoryUsage.rss()
    },
    load: { average: loadavg()[0]!, processors: availableParallelism() },
    postgres: { version, bytes },
    redis: memory,
    slowStatements,
    refusals,
    jobs,
    encodings,
    ...waiting,
    rewrittenHost,
    peers: { ...peers, refusing }
  }
  return { ...facts, faults: findHealthFaults(facts, config.webadmin.health) }
}

/** Returns size and free space (bytes) of the disk that holds a folder, or its parent if it does not exist; null if unknown. */
async function diskSpaceOf(folder: string): Promise<Health['disk']> {
  const found = await statfs(folder)
    .catch(async () => await statfs(dirname(folder)))
    .catch(() => null)
  return found && { total: found.blocks * found.bsize, free: found.bavail * found.bsize, keepFree: Math.max(0, config.upload.keep_free) }
}

async function redisFacts(): Promise<Health['redis']> {
  const text = await redis.info()
  const read = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(text)?.[1] ?? ''
  return { version: read('redis_version'), bytes: Number(read('used_memory')) }
}

async function jobFacts(): Promise<Health['jobs']> {
  const queues = await Promise.all(
    QUEUE_NAMES.map(async name => {
      const opened = await openQueue(name)
      const [counts, workers, paused, failedLately] = await Promise.all([
        opened.getJobCounts('waiting', 'prioritized', 'active', 'failed'),
        opened.getWorkersCount(),
        opened.isPaused(),
        redis.zcount(opened.toKey('failed'), Date.now() - config.webadmin.health.lately, '+inf')
      ])
      const { waiting = 0, prioritized = 0, active = 0, failed = 0 } = counts
      return { waiting: waiting + prioritized, active, failed, failedLately, workers, paused }
    })
  )
  const sum = (key: 'waiting' | 'active' | 'failed' | 'failedLately') => queues.reduce((total, one) => total + one[key], 0)
  // Every worker process serves every queue.
  return {
    workers: Math.min(...queues.map(one => one.workers)),
    paused: queues.some(one => one.paused),
    waiting: sum('waiting'),
    active: sum('active'),
    failed: sum('failed'),
    failedLately: sum('failedLately')
  }
}

/** Resolves with the result, or null if it fails or takes longer than `timeout` ms. */
async function withTimeout<T>(result: Promise<T>, timeout: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const timedOut = new Promise<null>(resolve => {
    timer = setTimeout(resolve, timeout, null)
  })
  try {
    return await Promise.race([result.catch(() => null), timedOut])
  } finally {
    clearTimeout(timer)
  }
}
