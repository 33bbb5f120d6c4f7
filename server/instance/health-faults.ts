import type { HealthFault, Health } from '../../shared/administration.ts'

type HealthFacts = Omit<Health, 'faults'>
type HealthLimits = { low_disk: number; low_memory: number; many_waiting: number; many_slow: number }

/** Returns the faults of an instance as codes, the worst first; the client has the texts. */
export function findHealthFaults(
  { disk, memory, redis, ffmpeg, jobs, encodings, incoming, rewrittenHost, outgoing, peers, slowStatements }: HealthFacts,
  limits: HealthLimits
): HealthFault[] {
  const full = disk !== null && disk.free <= disk.keepFree
  const slow = (slowStatements ?? []).reduce((sum, { count }) => sum + count, 0)
  const found: (HealthFault | false)[] = [
    full && { code: 'disk_full', bad: true, bytes: disk.free },
    redis === null && { code: 'redis_gone', bad: true },
    ffmpeg === null && { code: 'ffmpeg_missing', bad: true },
    jobs?.workers === 0 && { code: 'no_workers', bad: true },
    rewrittenHost !== null && { code: 'proxy_rewrites_host', bad: true, hosts: [rewrittenHost] },
    disk !== null && !full && disk.free < disk.total * limits.low_disk && { code: 'disk_low', bad: false, bytes: disk.free },
    memory.available < memory.total * limits.low_memory && { code: 'memory_low', bad: false, bytes: memory.available },
    jobs?.paused === true && { code: 'jobs_paused', bad: false, count: jobs.waiting },
    encodings.failedLately > 0 && { code: 'encodings_failed', bad: false, count: encodings.failedLately },
    encodings.late > 0 && { code: 'encodings_late', bad: false, count: encodings.late },
    jobs !== null && jobs.failedLately > 0 && { code: 'jobs_failed', bad: false, count: jobs.failedLately },
    incoming.waiting > limits.many_waiting && { code: 'inbox_full', bad: false, count: incoming.waiting },
    peers.open + peers.suspended > 0 && { code: 'peers_troubled', bad: false, count: peers.open + peers.suspended },
    outgoing.unsendable > 0 && { code: 'activities_unsendable', bad: false, count: outgoing.unsendable },
    slow >= limits.many_slow && { code: 'slow_statements', bad: false, count: slow },
    peers.refusing.length > 0 && { code: 'videos_refused', bad: false, count: peers.refusing.length, hosts: peers.refusing }
  ]
  return found.filter(one => one !== false)
}
