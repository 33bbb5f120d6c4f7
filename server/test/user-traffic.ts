import { setTimeout as sleep } from 'node:timers/promises'
import type { TestInstance } from './instance.ts'

/** What the users of one kind saw during a phase: how many requests had which result, and the slowest answer in ms. */
export type TrafficSummary = { requests: number; statuses: Record<string, number>; slowest: number }
/** A request of a user: its kind, when it was sent (ms since 1970), its status (`failed` without an answer) and duration in ms. */
type SentRequest = { kind: string; at: number; status: string; took: number }

/** Users that use an instance until `stop`. */
export type UserTraffic = {
  /** Returns what was seen of the requests sent since the last call, by kind. */
  takeSummary(): Record<string, TrafficSummary>
  stop(): Promise<void>
}

const PAUSE = 100

/**
 * Starts ten users of an instance: three read lists, two open pages, two write comments, three watch segments of a video. `files` are paths of
 * media files, `writer` the token of the comments' author, `video` the id of the video.
 */
export function startUserTraffic(site: Pick<TestInstance, 'url'>, video: string, writer: string, files: string[]): UserTraffic {
  const sent: SentRequest[] = []
  const stopped = new AbortController()
  const ask = async (kind: string, path: string, init: RequestInit = {}) => {
    const at = Date.now()
    const status = await fetch(site.url + path, { ...init, signal: AbortSignal.timeout(60_000) }).then(
      async response => {
        await response.arrayBuffer()
        return String(response.status)
      },
      () => 'failed'
    )
    sent.push({ kind, at, status, took: Date.now() - at })
  }
  const repeat = async (act: (round: number) => Promise<void>) => {
    for (let round = 0; !stopped.signal.aborted; round++) {
      await act(round)
      await sleep(PAUSE)
    }
  }
  const html = { headers: { accept: 'text/html', 'accept-language': 'en' } }
  const headers = { authorization: `Bearer ${writer}`, 'content-type': 'application/json' }
  const users = [
    repeat(async round => await ask('lists', `/api/v1/videos?count=${(round % 5) + 1}`)),
    repeat(async () => await ask('lists', `/api/v1/videos/${video}`)),
    repeat(async round => await ask('lists', `/api/v1/search/videos?search=film%20${round}`)),
    repeat(async () => await ask('pages', '/', html)),
    repeat(async () => await ask('pages', `/w/${video}`, html)),
    ...[1, 2].map(
      async user =>
        await repeat(async round => {
          const body = JSON.stringify({ text: `Comment ${round} of ${user}` })
          await ask('comments', `/api/v1/videos/${video}/comment-threads`, { method: 'POST', headers, body })
        })
    ),
    ...[0, 1, 2].map(async user => await repeat(async round => await ask('segments', files[(round + user) % files.length]!)))
  ]
  return {
    takeSummary: () => {
      const summary: Record<string, TrafficSummary> = {}
      for (const { kind, status, took } of sent.splice(0)) {
        const of = (summary[kind] ??= { requests: 0, statuses: {}, slowest: 0 })
        of.requests++
        of.statuses[status] = (of.statuses[status] ?? 0) + 1
        of.slowest = Math.max(of.slowest, took)
      }
      return summary
    },
    stop: async () => {
      stopped.abort()
      await Promise.all(users)
    }
  }
}

/** Returns a summary as rows of a Markdown table. */
export function formatTraffic(phase: string, summary: Record<string, TrafficSummary>): string {
  return Object.entries(summary)
    .map(([kind, { requests, statuses, slowest }]) => {
      const seen = Object.entries(statuses).map(([status, count]) => `${status}: ${count}`)
      return `| ${phase} | ${kind} | ${requests} | ${seen.join(', ')} | ${slowest} |`
    })
    .join('\n')
}
