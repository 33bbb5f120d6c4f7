import { execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { loadConfig } from '../../server/core/config.ts'
import { planTranscoding, configuredProbeLimits } from '../../server/transcoding/transcoding-settings.ts'
import { renditionBitrateCap, type TranscodingPlan, type PlannedRendition } from '../../server/media/ladder.ts'
import { probeMedia } from '../../server/media/probe.ts'
import { makeFootageFile, realFootagePath } from '../../server/test/footage.ts'
import { createBenchEnvironment, type BenchEnvironment, type BenchServer } from './bench-environment.ts'
import { median } from './metrics.ts'
import { fetchBenchJson, logInAsRoot } from './seed-tiny-videos.ts'

const exec = promisify(execFile)
const RUNS = 5
/** The interval (ms) at which the API is polled until the video is playable. */
const API_POLL_MS = 50
/** The interval (ms) at which its folder is polled after that: requests would take time from the transcoding. */
const FOLDER_POLL_MS = 20
/** One of so many polls collects the running ffmpeg commands. */
const POLLS_PER_COLLECTION = 20

type Command = { program: string; parameters: string[] }
/**
 * Seconds of one run: until the video is playable, until all renditions are complete, the same commands alone, and one run per rendition.
 */
type RunTimes = { playable: number; whole: number; commandsAlone: number; separateRuns: number }
type TranscodedVideo = { uuid: string; playable: number; whole: number; commands: Command[] }

/**
 * Prints how soon a video is playable after its last byte, how soon all renditions are complete, beside the same ffmpeg commands alone and
 * one run per rendition; whether renditions keep to their bitrate caps, and their quality (SSIM).
 */
export async function measurePipeline(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-pipeline-'))
  const bench = await createBenchEnvironment()
  try {
    console.log(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${RUNS} runs: median (all)`)
    const videoFile = async (name: string, keyframes: number) =>
      await makeFootageFile(join(folder, name), {
        seconds: 60,
        size: '1280x720',
        rate: 30,
        video: ['-c:v', 'libx264', '-preset', 'veryfast', '-g', String(keyframes), '-keyint_min', String(keyframes), '-sc_threshold', '0']
      })
    const real = realFootagePath()
    const videoFiles: [string, string][] = [
      ['60 s 720p30, a keyframe every 2 s', await videoFile('often.mp4', 60)],
      ['60 s 720p30, a keyframe every 10 s', await videoFile('seldom.mp4', 300)],
      ...(real ? [['real footage', real] as [string, string]] : [])
    ]
    const settings = { transcoding: { original_file: { keep: true } } }
    loadConfig({ overrides: await bench.config(settings) })
    const server = await bench.serve(settings)
    for (const [name, path] of videoFiles) await measureVideo(bench, server, name, path, folder)
  } finally {
    await bench.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureVideo(bench: BenchEnvironment, server: BenchServer, name: string, videoFile: string, folder: string): Promise<void> {
  const plan = planTranscoding(await probeMedia(videoFile, configuredProbeLimits()))
  const times: RunTimes[] = []
  let transcoded: TranscodedVideo | null = null
  const separateFolder = join(folder, 'apart')
  // The first run warms up.
  for (let run = 0; run <= RUNS; run++) {
    transcoded = await uploadAndTrack(server, bench, videoFile)
    const bare = await runCommands(transcoded.commands, bench, join(folder, 'bare'))
    const separate = await encodeSeparately(videoFile, plan, separateFolder)
    if (run > 0) times.push({ playable: transcoded.playable, whole: transcoded.whole, commandsAlone: bare, separateRuns: separate })
  }
  const limit = plan.copyVideo ? 1 : 3
  console.log(
    `\n${name} (${plan.copyVideo ? 'copied' : 'encoded'}, ${[...(plan.copyVideo ? [plan.copyVideo] : []), ...plan.encode].map(({ resolution }) => `${resolution}p`).join(' ')})`
  )
  printMetric(
    'from the last byte to playable',
    times.map(one => one.playable),
    's',
    limit
  )
  printMetric(
    'from the last byte to all renditions',
    times.map(one => one.whole),
    's'
  )
  printMetric(
    '  the same ffmpeg commands alone',
    times.map(one => one.commandsAlone),
    's'
  )
  printMetric(
    '  one run per rendition',
    times.map(one => one.separateRuns),
    's'
  )
  printMetric(
    'all renditions / the same commands',
    times.map(one => one.whole / one.commandsAlone),
    '',
    1.1
  )
  printMetric(
    'all renditions / one run per rendition',
    times.map(one => one.whole / one.separateRuns),
    '',
    0.5
  )
  await compareQuality(bench, transcoded!, plan, videoFile, separateFolder)
}

/** Uploads a video and follows its transcoding. */
async function uploadAndTrack(server: BenchServer, { folder }: BenchEnvironment, videoFile: string): Promise<TranscodedVideo> {
  const { uuid, last: lastByteAt } = await uploadVideo(server.url, videoFile)
  const secondsSinceUpload = (): number => (performance.now() - lastByteAt) / 1000
  const commands: Command[] = []
  const fetchPlaylist = async (): Promise<{ segmentsSha256Url: string | null } | undefined> => {
    const response = await fetch(`${server.url}/api/v1/videos/${uuid}`)
    return response.ok
      ? ((await response.json()) as { streamingPlaylists: { segmentsSha256Url: string | null }[] }).streamingPlaylists[0]
      : undefined
  }
  for (; !(await fetchPlaylist()); await sleep(API_POLL_MS)) collectCommands(commands, uuid)
  const playable = secondsSinceUpload()
  for (let poll = 0; !readdirSync(hlsFolderOf(folder, uuid)).some(name => name.endsWith('-segments-sha256.json')); poll++) {
    if (poll % POLLS_PER_COLLECTION === 0) collectCommands(commands, uuid)
    await sleep(FOLDER_POLL_MS)
  }
  while (!(await fetchPlaylist())?.segmentsSha256Url) await sleep(FOLDER_POLL_MS)
  return { uuid, playable, whole: secondsSinceUpload(), commands }
}

function hlsFolderOf(folder: string, uuid: string): string {
  return join(folder, 'streaming-playlists/hls', uuid)
}

async function uploadVideo(url: string, videoFile: string): Promise<{ uuid: string; last: number }> {
  const headers = await logInAsRoot(url)
  const { videoChannels } = await fetchBenchJson<{ videoChannels: { id: number }[] }>(`${url}/api/v1/users/me`, { headers })
  const form = new FormData()
  for (const [name, value] of Object.entries({ channelId: videoChannels[0]!.id, name: 'A measured video', privacy: 1 }))
    form.set(name, String(value))
  form.set('videofile', new Blob([(await readFile(videoFile)) as Buffer<ArrayBuffer>], { type: 'video/mp4' }), 'film.mp4')
  const packed = new Response(form)
  const body = Buffer.from(await packed.arrayBuffer())
  return await new Promise((resolve, reject) => {
    let lastByteAt = 0
    const upload = request(
      `${url}/api/v1/videos/upload`,
      { method: 'POST', headers: { ...headers, 'content-type': packed.headers.get('content-type')!, 'content-length': body.length } },
      response => {
        let text = ''
        response.on('data', chunk => {
          text += String(chunk)
        })
        response.on('end', () => {
          if (response.statusCode === 200) resolve({ uuid: (JSON.parse(text) as { video: { uuid: string } }).video.uuid, last: lastByteAt })
          else reject(new Error(text))
        })
      }
    )
    upload.on('error', reject)
    upload.end(body, () => {
      lastByteAt = performance.now()
    })
  })
}

/** Collects the running ffmpeg commands that make renditions of a video. */
function collectCommands(commands: Command[], uuid: string): void {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    let argv: string[]
    try {
      argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    } catch {
      continue
    }
    const [program = '', ...parameters] = argv
    if (!/(^|\/)ffmpeg$/.test(program) || !parameters.includes('hls') || !parameters.some(word => word.includes(uuid))) continue
    if (!commands.some(known => known.parameters.join('\0') === parameters.join('\0'))) commands.push({ program, parameters })
  }
}

/** Runs the commands again, one after the other as the server does, into another folder; returns seconds. */
async function runCommands(commands: Command[], { folder }: BenchEnvironment, target: string): Promise<number> {
  await rm(target, { recursive: true, force: true })
  await mkdir(target)
  const hls = new RegExp(`${folder}/streaming-playlists/hls/[^/]+`)
  const began = performance.now()
  for (const { program, parameters } of commands)
    await runProgram(
      program,
      parameters.map(word => word.replace(hls, target))
    )
  return (performance.now() - began) / 1000
}

/** Encodes without the shared decode: every rendition from the source, with its own audio; returns seconds. */
async function encodeSeparately(videoFile: string, plan: TranscodingPlan, target: string): Promise<number> {
  await rm(target, { recursive: true, force: true })
  await mkdir(target)
  const began = performance.now()
  for (const rendition of [...(plan.copyVideo ? [plan.copyVideo] : []), ...plan.encode]) {
    await runProgram('ffmpeg', [
      '-nostdin',
      '-v',
      'error',
      '-y',
      '-i',
      videoFile,
      '-map',
      '0:v:0',
      '-map',
      '0:a:0?',
      '-vf',
      `scale=${rendition.width}:${rendition.height}`,
      '-c:v',
      'libx264',
      '-preset',
      plan.settings.preset,
      '-crf',
      String(plan.settings.crf),
      '-maxrate',
      String(rendition.maxrate),
      '-bufsize',
      String(rendition.maxrate * 2),
      '-force_key_frames',
      `expr:gte(t,n_forced*${plan.settings.segmentSeconds})`,
      '-sc_threshold',
      '0',
      '-threads',
      String(plan.settings.threadsPerRung),
      '-c:a',
      'aac',
      '-b:a',
      String(plan.settings.audioBitrate),
      '-f',
      'hls',
      '-hls_segment_type',
      'fmp4',
      '-hls_list_size',
      '0',
      '-hls_time',
      String(plan.settings.segmentSeconds),
      '-hls_flags',
      'single_file',
      '-hls_segment_filename',
      join(target, `${rendition.resolution}.mp4`),
      join(target, `${rendition.resolution}.m3u8`)
    ])
  }
  return (performance.now() - began) / 1000
}

/** Compares the bitrates of the encoded renditions with their caps, and their SSIM with that of the separate runs. */
async function compareQuality(
  { folder }: BenchEnvironment,
  { uuid }: TranscodedVideo,
  plan: TranscodingPlan,
  videoFile: string,
  separateFolder: string
): Promise<void> {
  const hlsFolder = hlsFolderOf(folder, uuid)
  const files = readdirSync(hlsFolder).filter(name => name.endsWith('-fragmented.mp4'))
  const audioFileCount = files.filter(name => name.endsWith('-0-fragmented.mp4')).length
  const { video } = await probeMedia(videoFile, configuredProbeLimits())
  for (const rendition of plan.encode) {
    const cap = renditionBitrateCap(video!, rendition.resolution)
    const file = join(
      hlsFolder,
      files.find(name => name.endsWith(`-${rendition.resolution}-fragmented.mp4`))!
    )
    const { duration } = await probeMedia(file, configuredProbeLimits())
    const rate = ((await stat(file)).size * 8) / duration
    const [ssim, separateSsim] = [
      await measureSsim(file, videoFile, rendition),
      await measureSsim(join(separateFolder, `${rendition.resolution}.mp4`), videoFile, rendition)
    ]
    console.log(
      `  ${`${rendition.resolution}p`.padEnd(6)}${(rate / 1000).toFixed(0).padStart(6)} kbit/s, cap ${(cap / 1000).toFixed(0).padStart(6)} ${rate <= cap ? 'kept' : 'ABOVE'}   SSIM ${ssim.toFixed(5)}, one run per rendition ${separateSsim.toFixed(5)} ${ssim >= separateSsim - 0.0005 ? 'kept' : 'BELOW'}`
    )
  }
  console.log(`  audio stored ${audioFileCount === 1 ? 'once' : `${audioFileCount} times`}`)
}

async function measureSsim(file: string, videoFile: string, { width, height }: PlannedRendition): Promise<number> {
  const { stderr } = await exec(
    'ffmpeg',
    [
      '-nostdin',
      '-hide_banner',
      '-i',
      file,
      '-i',
      videoFile,
      '-lavfi',
      `[1:v]scale=${width}:${height},setpts=PTS-STARTPTS[a];[0:v]setpts=PTS-STARTPTS[b];[b][a]ssim`,
      '-f',
      'null',
      '-'
    ],
    { maxBuffer: 1 << 24 }
  )
  return Number(/SSIM .*All:([\d.]+)/.exec(stderr)![1])
}

async function runProgram(program: string, parameters: string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'ignore'] })
    child.once('error', reject)
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))))
  })
}

function printMetric(name: string, values: number[], unit: string, limit?: number): void {
  const medianValue = median(values)
  console.log(
    `  ${name.padEnd(42)}${medianValue.toFixed(2).padStart(8)} ${unit.padEnd(2)}${limit === undefined ? '              ' : ` <= ${limit} ${medianValue <= limit ? 'kept' : 'MISSED'}`.padEnd(14)} (${values.map(value => value.toFixed(2)).join(', ')})`
  )
}
