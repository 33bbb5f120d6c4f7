import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { config, loadConfig } from '../../server/core/config.ts'
import { chunkFilename, splitIntoChunks, encodeChunk, reasonNotToSplit } from '../../server/media/chunk-encoder.ts'
import { encodeToHls, newHlsFilenames, audioToHls, type HlsOutput } from '../../server/media/hls.ts'
import { ChunkJoiner } from '../../server/media/chunk-joiner.ts'
import type { TranscodingPlan } from '../../server/media/ladder.ts'
import { probeMedia, type Probe } from '../../server/media/probe.ts'
import { makeFootageFile } from '../../server/test/footage.ts'
import { planTranscoding, configuredProbeLimits } from '../../server/transcoding/transcoding-settings.ts'
import { findFreePort } from '../launch/launcher-run.ts'
import { createBenchEnvironment, type BenchEnvironment, type BenchServer } from './bench-environment.ts'
import { fetchBenchJson, logInAsRoot } from './seed-tiny-videos.ts'

const SECONDS = 600
/** Small, so that it is measured within minutes; in a larger picture what each chunk costs beside its pictures counts for less. */
const SIZE = '426x240'
const NUMBERS = [1, 2, 4]
const EFFICIENT = 0.85
/** Clock ticks a second in /proc (proc(5); 100 on all of Linux's usual machines). */
const TICKS = 100
/** One core's worth for each worker: its encoders have a thread each and take turns. */
const ONE_CORE = { threads: 1, nice: 0, resolutions: { '144p': true } }

type Costs = { whole: number; sound: number; chunks: number[]; join: number }

/**
 * Prints what it costs to encode a film of ten minutes with 1, 2 and 4 workers of one core each: CPU seconds of each, the critical path,
 * and how efficient the split is.
 */
export async function measureWorkers(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-workers-'))
  const bed = await createBenchEnvironment()
  try {
    loadConfig({ overrides: { ...(await bed.config()), transcoding: ONE_CORE } })
    // Keyframes so sparse that nothing is copied.
    const film = await makeFootageFile(join(folder, 'film.mp4'), {
      seconds: SECONDS,
      size: SIZE,
      rate: 30,
      video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '250']
    })
    const found = await probeMedia(film, configuredProbeLimits())
    const plan = planTranscoding(found)
    const why = reasonNotToSplit(found, plan)
    if (why !== null) throw new Error(`The film is not cut: ${why}`)
    console.log(
      `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}; ${SECONDS} s, ${SIZE}, 30 pictures a second, ${plan.encode.map(({ resolution }) => `${resolution}p`).join(' ')}, one core a worker`
    )
    const costs = await alone(film, found, plan, folder)
    console.log(
      `\nCPU seconds, each run alone: one pass ${costs.whole.toFixed(1)} (sound ${costs.sound.toFixed(1)}); ${costs.chunks.length} chunks ${sum(costs.chunks).toFixed(1)}; joining ${costs.join.toFixed(2)}`
    )
    for (const number of NUMBERS) report(number, simulated(costs, number), costs.whole, 'calculated')
    console.log('\nWith worker processes, pictures and storyboard included')
    let whole = 0
    // The address of an instance stays.
    const port = await findFreePort()
    for (const number of NUMBERS) {
      const { seconds, wall } = await together(bed, film, { number, port })
      if (number === 1) whole = seconds[0]!
      report(number, seconds, whole, number <= cpus().length ? 'measured' : 'more than cores')
      console.log(`    ${wall.toFixed(1)} s from the upload to the end`)
    }
  } finally {
    await bed.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Runs every part by itself, so that nothing but its own work counts. */
async function alone(film: string, found: Probe, plan: TranscodingPlan, place: string): Promise<Costs> {
  const folder = join(place, 'alone')
  await mkdir(folder)
  const whole = await cost(async () => {
    await encodeToHls(film, folder, plan, found, {}).done
  })
  const sound = await cost(async () => {
    await audioToHls(film, folder, plan, found, {}).done
  })
  const pieces = splitIntoChunks(found.duration, config.transcoding.chunks.length / 1000, plan.settings.segmentSeconds)
  const chunks: number[] = []
  for (const [number, piece] of pieces.entries())
    chunks.push(
      await cost(async () => {
        await encodeChunk(film, folder, { stem: String(number), ...piece }, plan, found, {}).done
      })
    )
  const joining = await cost(async () => {
    for (const { resolution } of plan.encode) {
      const output: HlsOutput = { kind: 'video', resolution, ...newHlsFilenames(resolution) }
      const joint = new ChunkJoiner(folder, output, { segmentSeconds: plan.settings.segmentSeconds, fps: found.video!.fps })
      for (const number of pieces.keys()) await joint.append(join(folder, chunkFilename(String(number), resolution)))
      await joint.finish()
    }
  })
  return { whole, sound, chunks, join: joining }
}

/** CPU seconds of each worker: whoever is free takes the next chunk; the first one has the sound and the joining, too. */
function simulated({ whole, sound, chunks, join: joining }: Costs, number: number): number[] {
  if (number === 1) return [whole]
  const busy = [sound + joining, ...Array.from({ length: number - 1 }, () => 0)]
  for (const chunk of chunks) busy[busy.indexOf(Math.min(...busy))]! += chunk
  return busy
}

/** Encodes the film with so many worker processes; CPU seconds of each, and seconds from the upload to the end. */
async function together(
  bed: BenchEnvironment,
  film: string,
  { number, port }: { number: number; port: number }
): Promise<{ seconds: number[]; wall: number }> {
  const more = { listen: { port }, webserver: { https: false, hostname: '127.0.0.1', port }, transcoding: ONE_CORE }
  const web = await bed.serve(more, { args: ['--roles', 'web'] })
  const workers: BenchServer[] = []
  try {
    for (let index = 0; index < number; index++) workers.push(await bed.serve(more, { args: ['--roles', 'worker'] }))
    const before = workers.map(({ pid }) => spent(pid))
    const began = performance.now()
    await encoded(web.url, film)
    const wall = (performance.now() - began) / 1000
    // What was the last to end is counted when it has been waited for.
    await sleep(500)
    return { seconds: workers.map(({ pid }, index) => spent(pid) - before[index]!), wall }
  } finally {
    for (const worker of workers) await worker.stop()
    await web.stop()
  }
}

async function encoded(url: string, film: string): Promise<void> {
  const headers = await logInAsRoot(url)
  const { videoChannels } = await fetchBenchJson<{ videoChannels: { id: number }[] }>(`${url}/api/v1/users/me`, { headers })
  const form = new FormData()
  for (const [name, value] of Object.entries({ channelId: videoChannels[0]!.id, name: 'A long film', privacy: 1 }))
    form.set(name, String(value))
  form.set('videofile', new Blob([(await readFile(film)) as Buffer<ArrayBuffer>], { type: 'video/mp4' }), 'film.mp4')
  const answer = await fetch(`${url}/api/v1/videos/upload`, { method: 'POST', headers, body: form })
  if (!answer.ok) throw new Error(await answer.text())
  const {
    video: { uuid }
  } = (await answer.json()) as { video: { uuid: string } }
  for (;;) {
    const { state, error } = await fetchBenchJson<{ state: string; error: string | null }>(`${url}/api/v1/videos/${uuid}/transcoding`, {
      headers
    })
    if (state === 'done') return
    if (state === 'failed') throw new Error(error ?? 'The film could not be encoded')
    await sleep(200)
  }
}

/** CPU seconds of `act`: of this process and of those it started and saw end. */
async function cost(act: () => Promise<void>): Promise<number> {
  const before = spent(process.pid)
  await act()
  return spent(process.pid) - before
}

/** CPU seconds of a process and of its children that have ended (proc(5): utime, stime, cutime, cstime). */
function spent(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return sum(fields.slice(11, 15).map(Number)) / TICKS
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function report(number: number, seconds: number[], whole: number, how: string): void {
  const path = Math.max(...seconds)
  const efficiency = whole / (number * path)
  console.log(
    `  ${number} ${number === 1 ? 'worker ' : 'workers'} (${how})`.padEnd(30) +
      `critical path ${path.toFixed(1).padStart(7)} s   efficiency ${efficiency.toFixed(3)}${number === 1 ? '' : ` >= ${EFFICIENT} ${efficiency >= EFFICIENT ? 'kept' : 'MISSED'}`}   (${seconds.map(value => value.toFixed(1)).join(', ')})`
  )
}
