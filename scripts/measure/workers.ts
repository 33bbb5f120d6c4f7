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
import { findFreePort } from '../launch/free-port.ts'
import { createBenchEnvironment, type BenchEnvironment, type BenchServer } from './bench-environment.ts'
import { fetchBenchJson, logInAsRoot } from './seed-tiny-videos.ts'

const SECONDS = 600
/** Small, so that the measurement takes minutes; with larger frames the fixed cost per chunk matters less. */
const SIZE = '426x240'
const WORKER_COUNTS = [1, 2, 4]
const MIN_EFFICIENCY = 0.85
/** Clock ticks per second in /proc (proc(5); 100 on all common Linux machines). */
const TICKS_PER_SECOND = 100
/** One core per worker: its encoders have one thread each. */
const ONE_CORE = { threads: 1, nice: 0, resolutions: { '144p': true } }

type EncodingCosts = { whole: number; audio: number; chunks: number[]; join: number }

/**
 * Prints the cost of transcoding a video of ten minutes with 1, 2 and 4 workers of one core each: CPU seconds of each, the critical path,
 * and the efficiency of the split.
 */
export async function measureWorkers(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-workers-'))
  const bench = await createBenchEnvironment()
  try {
    loadConfig({ overrides: { ...(await bench.config()), transcoding: ONE_CORE } })
    // Keyframes so sparse that nothing is copied.
    const videoFile = await makeFootageFile(join(folder, 'film.mp4'), {
      seconds: SECONDS,
      size: SIZE,
      rate: 30,
      video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '250']
    })
    const probe = await probeMedia(videoFile, configuredProbeLimits())
    const plan = planTranscoding(probe)
    const reason = reasonNotToSplit(probe, plan)
    if (reason !== null) throw new Error(`The video is not split: ${reason}`)
    console.log(
      `Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}; ${SECONDS} s, ${SIZE}, 30 frames per second, ${plan.encode.map(({ resolution }) => `${resolution}p`).join(' ')}, one core per worker`
    )
    const costs = await measureCosts(videoFile, probe, plan, folder)
    console.log(
      `\nCPU seconds, each run alone: one pass ${costs.whole.toFixed(1)} (audio ${costs.audio.toFixed(1)}); ${costs.chunks.length} chunks ${sum(costs.chunks).toFixed(1)}; joining ${costs.join.toFixed(2)}`
    )
    for (const number of WORKER_COUNTS) printResult(number, calculateWorkerSeconds(costs, number), costs.whole, 'calculated')
    console.log('\nWith worker processes, thumbnails and storyboard included')
    let whole = 0
    // The origin of an instance must not change.
    const port = await findFreePort()
    for (const number of WORKER_COUNTS) {
      const { seconds, wall } = await encodeWithWorkers(bench, videoFile, { number, port })
      if (number === 1) whole = seconds[0]!
      printResult(number, seconds, whole, number <= cpus().length ? 'measured' : 'more than cores')
      console.log(`    ${wall.toFixed(1)} s from the upload to the end`)
    }
  } finally {
    await bench.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Measures every part by itself, so that only its own work counts. */
async function measureCosts(videoFile: string, probe: Probe, plan: TranscodingPlan, parentFolder: string): Promise<EncodingCosts> {
  const folder = join(parentFolder, 'alone')
  await mkdir(folder)
  const whole = await measureCpuSeconds(async () => {
    await encodeToHls(videoFile, folder, plan, probe, {}).done
  })
  const audio = await measureCpuSeconds(async () => {
    await audioToHls(videoFile, folder, plan, probe, {}).done
  })
  const chunkRanges = splitIntoChunks(probe.duration, config.transcoding.chunks.length / 1000, plan.settings.segmentSeconds)
  const chunks: number[] = []
  for (const [number, range] of chunkRanges.entries())
    chunks.push(
      await measureCpuSeconds(async () => {
        await encodeChunk(videoFile, folder, { stem: String(number), ...range }, plan, probe, {}).done
      })
    )
  const joinSeconds = await measureCpuSeconds(async () => {
    for (const { resolution } of plan.encode) {
      const output: HlsOutput = { kind: 'video', resolution, ...newHlsFilenames(resolution) }
      const joiner = new ChunkJoiner(folder, output, { segmentSeconds: plan.settings.segmentSeconds, fps: probe.video!.fps })
      for (const number of chunkRanges.keys()) await joiner.append(join(folder, chunkFilename(String(number), resolution)))
      await joiner.finish()
    }
  })
  return { whole, audio, chunks, join: joinSeconds }
}

/** CPU seconds of each worker: an idle worker takes the next chunk; the first one also has the audio and the joining. */
function calculateWorkerSeconds({ whole, audio, chunks, join: joinSeconds }: EncodingCosts, number: number): number[] {
  if (number === 1) return [whole]
  const busy = [audio + joinSeconds, ...Array.from({ length: number - 1 }, () => 0)]
  for (const chunk of chunks) busy[busy.indexOf(Math.min(...busy))]! += chunk
  return busy
}

/** Transcodes the video with `number` worker processes; returns the CPU seconds of each, and the seconds from the upload to the end. */
async function encodeWithWorkers(
  bench: BenchEnvironment,
  videoFile: string,
  { number, port }: { number: number; port: number }
): Promise<{ seconds: number[]; wall: number }> {
  const settings = { listen: { port }, webserver: { https: false, hostname: '127.0.0.1', port }, transcoding: ONE_CORE }
  const web = await bench.serve(settings, { args: ['--roles', 'web'] })
  const workers: BenchServer[] = []
  try {
    for (let index = 0; index < number; index++) workers.push(await bench.serve(settings, { args: ['--roles', 'worker'] }))
    const before = workers.map(({ pid }) => readCpuSeconds(pid))
    const began = performance.now()
    await uploadAndWait(web.url, videoFile)
    const wall = (performance.now() - began) / 1000
    // The last child is counted once it has been waited for.
    await sleep(500)
    return { seconds: workers.map(({ pid }, index) => readCpuSeconds(pid) - before[index]!), wall }
  } finally {
    for (const worker of workers) await worker.stop()
    await web.stop()
  }
}

async function uploadAndWait(url: string, videoFile: string): Promise<void> {
  const headers = await logInAsRoot(url)
  const { videoChannels } = await fetchBenchJson<{ videoChannels: { id: number }[] }>(`${url}/api/v1/users/me`, { headers })
  const form = new FormData()
  for (const [name, value] of Object.entries({ channelId: videoChannels[0]!.id, name: 'A long film', privacy: 1 }))
    form.set(name, String(value))
  form.set('videofile', new Blob([(await readFile(videoFile)) as Buffer<ArrayBuffer>], { type: 'video/mp4' }), 'film.mp4')
  const response = await fetch(`${url}/api/v1/videos/upload`, { method: 'POST', headers, body: form })
  if (!response.ok) throw new Error(await response.text())
  const {
    video: { uuid }
  } = (await response.json()) as { video: { uuid: string } }
  for (;;) {
    const { state, error } = await fetchBenchJson<{ state: string; error: string | null }>(`${url}/api/v1/videos/${uuid}/transcoding`, {
      headers
    })
    if (state === 'done') return
    if (state === 'failed') throw new Error(error ?? 'The video could not be transcoded')
    await sleep(200)
  }
}

/** CPU seconds of `action`: of this process and of its children that have ended. */
async function measureCpuSeconds(action: () => Promise<void>): Promise<number> {
  const before = readCpuSeconds(process.pid)
  await action()
  return readCpuSeconds(process.pid) - before
}

/** CPU seconds of a process and of its children that have ended (proc(5): utime, stime, cutime, cstime). */
function readCpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return sum(fields.slice(11, 15).map(Number)) / TICKS_PER_SECOND
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function printResult(number: number, seconds: number[], whole: number, label: string): void {
  const criticalPath = Math.max(...seconds)
  const efficiency = whole / (number * criticalPath)
  console.log(
    `  ${number} ${number === 1 ? 'worker ' : 'workers'} (${label})`.padEnd(30) +
      `critical path ${criticalPath.toFixed(1).padStart(7)} s   efficiency ${efficiency.toFixed(3)}${number === 1 ? '' : ` >= ${MIN_EFFICIENCY} ${efficiency >= MIN_EFFICIENCY ? 'kept' : 'MISSED'}`}   (${seconds.map(value => value.toFixed(1)).join(', ')})`
  )
}
