import { setTimeout as sleep } from 'node:timers/promises'
import { createBenchEnvironment } from './bench-environment.ts'
import { fetchBenchJson, logInAsRoot, seedTinyVideos } from './seed-tiny-videos.ts'
import { median } from './metrics.ts'

const ROUNDS = 10
const CONFIG = { federation: { prevent_ssrf: false } }

/** So many videos has the channel whose page fills. */
const FILMS = 30
const PAGE = 10

/**
 * Prints how long (ms) it takes from one instance to another: until the page of a channel fills that nobody there knew; once it follows, a
 * publication and comments.
 */
export async function measureFederationLatency(): Promise<void> {
  const [here, there] = [await createBenchEnvironment(), await createBenchEnvironment()]
  try {
    const [a, b] = [await here.serve(CONFIG), await there.serve(CONFIG)]
    const uuid = await seedTinyVideos(a.url, FILMS)
    const [tokenA, tokenB] = [await logInAsRoot(a.url), await logInAsRoot(b.url)]
    const channel = `root_channel@${new URL(a.url).host}`
    report('an unknown channel asked for to its first page filled', [
      await timed(
        async () => {
          await fetchBenchJson(`${b.url}/api/v1/search/video-channels?search=${channel}`, { headers: tokenB })
        },
        `${b.url}/api/v1/video-channels/${channel}/videos?count=${PAGE}`,
        answer => (answer as { data: unknown[] } | null)?.data.length === PAGE
      )
    ])
    await fetchBenchJson(`${b.url}/api/v1/server/following`, {
      method: 'POST',
      headers: { ...tokenB, 'content-type': 'application/json' },
      body: JSON.stringify({ hosts: [new URL(a.url).host] })
    }).catch(() => undefined)
    await shown(`${b.url}/api/v1/videos/${uuid}`, () => true)
    const [published, down, up]: [number[], number[], number[]] = [[], [], []]
    for (let round = 0; round < ROUNDS; round++) {
      await edit(a.url, uuid, tokenA, { privacy: 3 })
      await shown(`${b.url}/api/v1/videos/${uuid}`, answer => !answer)
      published.push(
        await timed(
          async () => {
            await edit(a.url, uuid, tokenA, { privacy: 1 })
          },
          `${b.url}/api/v1/videos/${uuid}`,
          answer => answer !== null
        )
      )
      await sleep(300)
      for (const [from, to, token, times] of [
        [a.url, b.url, tokenA, down],
        [b.url, a.url, tokenB, up]
      ] as const) {
        const text = `Word ${round} from ${from === a.url ? 'here' : 'there'}`
        times.push(
          await timed(
            async () => {
              await comment(from, uuid, token, text)
            },
            `${to}/api/v1/videos/${uuid}/comment-threads?count=1`,
            answer => JSON.stringify(answer).includes(text)
          )
        )
      }
    }
    report('publication on A to visible on B', published)
    report('comment on A, below its own video, to visible on B', down)
    report('comment on B to visible on A', up)
  } finally {
    await here.remove()
    await there.remove()
  }
}

async function timed(act: () => Promise<void>, url: string, ready: (answer: unknown) => boolean): Promise<number> {
  const began = performance.now()
  await act()
  await shown(url, ready)
  return performance.now() - began
}

/** Waits until the answer of an address is as it should be; null stands for a refusal. */
async function shown(url: string, ready: (answer: unknown) => boolean): Promise<void> {
  for (const until = Date.now() + 60_000; Date.now() < until; await sleep(5)) {
    const answer = await fetch(url)
    if (ready(answer.ok ? await answer.json() : (await answer.arrayBuffer(), null))) return
  }
  throw new Error(`${url} does not change`)
}

async function edit(url: string, uuid: string, token: { authorization: string }, change: object): Promise<void> {
  const answer = await fetch(`${url}/api/v1/videos/${uuid}`, {
    method: 'PUT',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify(change)
  })
  if (!answer.ok) throw new Error(await answer.text())
}

async function comment(url: string, uuid: string, token: { authorization: string }, text: string): Promise<void> {
  await fetchBenchJson(`${url}/api/v1/videos/${uuid}/comment-threads`, {
    method: 'POST',
    headers: { ...token, 'content-type': 'application/json' },
    body: JSON.stringify({ text })
  })
}

function report(name: string, values: number[]): void {
  console.log(`${name.padEnd(58)}${median(values).toFixed(0).padStart(7)} ms (${values.map(value => value.toFixed(0)).join(', ')})`)
}
