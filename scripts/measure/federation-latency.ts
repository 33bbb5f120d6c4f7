import { setTimeout as sleep } from 'node:timers/promises'
import { createBenchEnvironment } from './bench-environment.ts'
import { fetchBenchJson, logInAsRoot, seedTinyVideos } from './seed-tiny-videos.ts'
import { median } from './metrics.ts'

const ROUNDS = 10
const CONFIG = { federation: { prevent_ssrf: false } }

/** The number of videos of the crawled channel. */
const VIDEOS = 30
const PAGE_SIZE = 10

/**
 * Prints the latency (ms) between two instances: until the first page of an unknown channel is complete; then, with a follow, of a
 * publication and of comments.
 */
export async function measureFederationLatency(): Promise<void> {
  const [environmentA, environmentB] = [await createBenchEnvironment(), await createBenchEnvironment()]
  try {
    const [serverA, serverB] = [await environmentA.serve(CONFIG), await environmentB.serve(CONFIG)]
    const uuid = await seedTinyVideos(serverA.url, VIDEOS)
    const [tokenA, tokenB] = [await logInAsRoot(serverA.url), await logInAsRoot(serverB.url)]
    const channel = `root_channel@${new URL(serverA.url).host}`
    printTimes('unknown channel: from the search to a complete first page', [
      await timeUntil(
        async () => {
          await fetchBenchJson(`${serverB.url}/api/v1/search/video-channels?search=${channel}`, { headers: tokenB })
        },
        `${serverB.url}/api/v1/video-channels/${channel}/videos?count=${PAGE_SIZE}`,
        response => (response as { data: unknown[] } | null)?.data.length === PAGE_SIZE
      )
    ])
    await fetchBenchJson(`${serverB.url}/api/v1/server/following`, {
      method: 'POST',
      headers: { ...tokenB, 'content-type': 'application/json' },
      body: JSON.stringify({ hosts: [new URL(serverA.url).host] })
    }).catch(() => undefined)
    await waitUntil(`${serverB.url}/api/v1/videos/${uuid}`, () => true)
    const [publicationTimes, ownCommentTimes, remoteCommentTimes]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < ROUNDS; round++) {
      await editVideo(serverA.url, uuid, tokenA, { privacy: 3 })
      await waitUntil(`${serverB.url}/api/v1/videos/${uuid}`, response => !response)
      publicationTimes.push(
        await timeUntil(
          async () => {
            await editVideo(serverA.url, uuid, tokenA, { privacy: 1 })
          },
          `${serverB.url}/api/v1/videos/${uuid}`,
          response => response !== null
        )
      )
      await sleep(300)
      for (const [from, to, token, times] of [
        [serverA.url, serverB.url, tokenA, ownCommentTimes],
        [serverB.url, serverA.url, tokenB, remoteCommentTimes]
      ] as const) {
        const text = `Comment ${round} from ${from === serverA.url ? 'A' : 'B'}`
        times.push(
          await timeUntil(
            async () => {
              await postComment(from, uuid, token, text)
            },
            `${to}/api/v1/videos/${uuid}/comment-threads?count=1`,
            response => JSON.stringify(response).includes(text)
          )
        )
      }
    }
    printTimes('publication on A to visible on B', publicationTimes)
    printTimes('comment on A, below its own video, to visible on B', ownCommentTimes)
    printTimes('comment on B to visible on A', remoteCommentTimes)
  } finally {
    await environmentA.remove()
    await environmentB.remove()
  }
}

async function timeUntil(action: () => Promise<void>, url: string, isExpected: (response: unknown) => boolean): Promise<number> {
  const began = performance.now()
  await action()
  await waitUntil(url, isExpected)
  return performance.now() - began
}

/** Waits until the response of a URL is as expected; null stands for an error response. */
async function waitUntil(url: string, isExpected: (response: unknown) => boolean): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(5)) {
    const response = await fetch(url)
    if (isExpected(response.ok ? await response.json() : (await response.arrayBuffer(), null))) return
  }
  throw new Error(`${url} does not become as expected`)
}

async function editVideo(url: string, uuid: string, token: { authorization: string }, change: object): Promise<void> {
  const response = await fetch(`${url}/api/v1/videos/${uuid}`, {
    method: 'PUT',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify(change)
  })
  if (!response.ok) throw new Error(await response.text())
}

async function postComment(url: string, uuid: string, token: { authorization: string }, text: string): Promise<void> {
  await fetchBenchJson(`${url}/api/v1/videos/${uuid}/comment-threads`, {
    method: 'POST',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify({ text })
  })
}

function printTimes(name: string, values: number[]): void {
  console.log(`${name.padEnd(58)}${median(values).toFixed(0).padStart(7)} ms (${values.map(value => value.toFixed(0)).join(', ')})`)
}
