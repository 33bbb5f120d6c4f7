import { expect, test } from 'vitest'
import type { Health } from '../../shared/administration.ts'
import { findHealthFaults } from './health-faults.ts'

const LIMITS = { low_disk: 0.1, low_memory: 0.1, many_waiting: 100, many_slow: 10 }
const HEALTHY: Omit<Health, 'faults'> = {
  version: '1',
  node: 'v20',
  ffmpeg: '5.1',
  uptime: 5,
  now: '2026-01-01T00:00:00.000Z',
  disk: { total: 1000, free: 500, keepFree: 50 },
  stored: { renditions: 0, originals: 0, uploads: 0 },
  memory: { total: 1000, available: 500, process: 10 },
  load: { average: 9, processors: 1 },
  postgres: { version: '15', bytes: 1 },
  redis: { version: '7', bytes: 1 },
  slowStatements: [{ statement: 'SELECT ?', count: 9, longest: 1500 }],
  refusals: [],
  jobs: { workers: 1, paused: false, waiting: 5, active: 1, failed: 7, failedLately: 0 },
  encodings: { waiting: 3, running: 1, failed: 4, failedLately: 0, late: 0 },
  incoming: { waiting: 100 },
  rewrittenHost: null,
  outgoing: { waiting: 9, held: 0, unsendable: 0 },
  peers: { total: 5, failing: 2, open: 0, suspended: 0, refusing: [] }
}

test('a healthy instance has no faults, whatever failed long ago', () => {
  expect(findHealthFaults(HEALTHY, LIMITS)).toEqual([])
  expect(findHealthFaults({ ...HEALTHY, disk: null }, LIMITS)).toEqual([])
})

test.each<[string, Partial<Omit<Health, 'faults'>>, object[]]>([
  ['a full disk', { disk: { total: 1000, free: 50, keepFree: 50 } }, [{ code: 'disk_full', bad: true, bytes: 50 }]],
  ['a disk that fills up', { disk: { total: 1000, free: 99, keepFree: 50 } }, [{ code: 'disk_low', bad: false, bytes: 99 }]],
  [
    'a proxy that rewrites the host name',
    { rewrittenHost: 'localhost:9000' },
    [{ code: 'proxy_rewrites_host', bad: true, hosts: ['localhost:9000'] }]
  ],
  ['little memory', { memory: { total: 1000, available: 99, process: 10 } }, [{ code: 'memory_low', bad: false, bytes: 99 }]],
  ['no Redis, so that jobs are unknown', { redis: null, jobs: null }, [{ code: 'redis_gone', bad: true }]],
  [
    'statements that are slow again and again',
    {
      slowStatements: [
        { statement: 'SELECT ?', count: 9, longest: 1500 },
        { statement: 'DELETE FROM videos', count: 1, longest: 1200 }
      ]
    },
    [{ code: 'slow_statements', bad: false, count: 10 }]
  ],
  ['no ffmpeg', { ffmpeg: null }, [{ code: 'ffmpeg_missing', bad: true }]],
  ['no worker', { jobs: { ...HEALTHY.jobs!, workers: 0 } }, [{ code: 'no_workers', bad: true }]],
  ['paused jobs', { jobs: { ...HEALTHY.jobs!, paused: true } }, [{ code: 'jobs_paused', bad: false, count: 5 }]],
  [
    'jobs and encodings that failed lately',
    { jobs: { ...HEALTHY.jobs!, failedLately: 2 }, encodings: { ...HEALTHY.encodings, failedLately: 3 } },
    [
      { code: 'encodings_failed', bad: false, count: 3 },
      { code: 'jobs_failed', bad: false, count: 2 }
    ]
  ],
  ['encodings that wait too long', { encodings: { ...HEALTHY.encodings, late: 2 } }, [{ code: 'encodings_late', bad: false, count: 2 }]],
  ['a full inbox', { incoming: { waiting: 101 } }, [{ code: 'inbox_full', bad: false, count: 101 }]],
  [
    'servers that cannot be reached',
    { peers: { total: 9, failing: 1, open: 2, suspended: 3, refusing: [] } },
    [{ code: 'peers_troubled', bad: false, count: 5 }]
  ],
  [
    'activities that cannot be signed',
    { outgoing: { ...HEALTHY.outgoing, unsendable: 2 } },
    [{ code: 'activities_unsendable', bad: false, count: 2 }]
  ],
  [
    'servers that refuse to show their videos',
    { peers: { ...HEALTHY.peers, refusing: ['a.example', 'b.example'] } },
    [{ code: 'videos_refused', bad: false, count: 2, hosts: ['a.example', 'b.example'] }]
  ],
  [
    'several faults, the worst first',
    { redis: null, jobs: null, disk: { total: 1000, free: 99, keepFree: 50 }, ffmpeg: null },
    [
      { code: 'redis_gone', bad: true },
      { code: 'ffmpeg_missing', bad: true },
      { code: 'disk_low', bad: false, bytes: 99 }
    ]
  ]
])('%s', (_what, facts, faults) => {
  expect(findHealthFaults({ ...HEALTHY, ...facts }, LIMITS)).toEqual(faults)
})
