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
/** How often (ms) the server is asked until somebody could watch. */
const QUESTIONS = 50
/** How often (ms) its folders are looked at then: asking is work that the encoding would have to wait for. */
const LOOKS = 20
/** Of so many looks one is for the commands that run. */
const COLLECTING = 20

type Command = { program: string; parameters: string[] }
/** Seconds of one run: until somebody can watch, until every rung is made, the same commands alone, a run per rung. */
type Times = { playable: number; whole: number; bare: number; apart: number }
type Made = { uuid: string; playable: number; whole: number; commands: Command[] }

/**
 * Prints how soon a film can be watched after its last byte, how soon its ladder is whole, beside the same ffmpeg commands alone and one
 * run per rung; whether rungs keep to their caps and how good they look.
 */
export async function measurePipeline(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-pipeline-'))
  const bed = await createBenchEnvironment()
  try {
    console.log(`Node ${process.versions.node}, ${cpus().length} x ${cpus()[0]?.model.trim()}, ${RUNS} runs: median (all)`)
    const film = async (name: string, keyframes: number) =>
      await makeFootageFile(join(folder, name), {
        seconds: 60,
        size: '1280x720',
        rate: 30,
        video: ['-c:v', 'libx264', '-preset', 'veryfast', '-g', String(keyframes), '-keyint_min', String(keyframes), '-sc_threshold', '0']
      })
    const real = realFootagePath()
    const films: [string, string][] = [
      ['60 s 720p30, a keyframe every 2 s', await film('often.mp4', 60)],
      ['60 s 720p30, a keyframe every 10 s', await film('seldom.mp4', 300)],
      ...(real ? [['real footage', real] as [string, string]] : [])
    ]
    const settings = { transcoding: { original_file: { keep: true } } }
    loadConfig({ overrides: await bed.config(settings) })
    const server = await bed.serve(settings)
    for (const [name, path] of films) await measureFilm(bed, server, name, path, folder)
  } finally {
    await bed.remove()
    await rm(folder, { recursive: true, force: true })
  }
}

async function measureFilm(bed: BenchEnvironment, server: BenchServer, name: string, film: string, folder: string): Promise<void> {
  const plan = planTranscoding(await probeMedia(film, configuredProbeLimits()))
  const times: Times[] = []
  let made: Made | null = null
  const apart = join(folder, 'apart')
  // The first round warms up.
  for (let run = 0; run <= RUNS; run++) {
    made = await make(server, bed, film)
    const bare = await again(made.commands, bed, join(folder, 'bare'))
    const separate = await oneByOne(film, plan, apart)
    if (run > 0) times.push({ playable: made.playable, whole: made.whole, bare, apart: separate })
  }
  const limit = plan.copyVideo ? 1 : 3
  console.log(
    `\n${name} (${plan.copyVideo ? 'copied' : 'encoded'}, ${[...(plan.copyVideo ? [plan.copyVideo] : []), ...plan.encode].map(({ resolution }) => `${resolution}p`).join(' ')})`
  )
  report(
    'from the last byte to watchable',
    times.map(one => one.playable),
    's',
    limit
  )
  report(
    'from the last byte to the whole ladder',
    times.map(one => one.whole),
    's'
  )
  report(
    '  the same ffmpeg commands alone',
    times.map(one => one.bare),
    's'
  )
  report(
    '  one run per rung',
    times.map(one => one.apart),
    's'
  )
  report(
    'whole ladder / the same commands',
    times.map(one => one.whole / one.bare),
    '',
    1.1
  )
  report(
    'whole ladder / one run per rung',
    times.map(one => one.whole / one.apart),
    '',
    0.5
  )
  await judge(bed, made!, plan, film, apart)
}

/** Uploads a film and watches the server at work. */
async function make(server: BenchServer, { folder }: BenchEnvironment, film: string): Promise<Made> {
  const { uuid, last } = await send(server.url, film)
  const since = (): number => (performance.now() - last) / 1000
  const commands: Command[] = []
  const ask = async (): Promise<{ segmentsSha256Url: string | null } | undefined> => {
    const answer = await fetch(`${server.url}/api/v1/videos/${uuid}`)
    return answer.ok
      ? ((await answer.json()) as { streamingPlaylists: { segmentsSha256Url: string | null }[] }).streamingPlaylists[0]
      : undefined
  }
  for (; !(await ask()); await sleep(QUESTIONS)) collect(commands, uuid)
  const playable = since()
  for (let look = 0; !readdirSync(placeOf(folder, uuid)).some(name => name.endsWith('-segments-sha256.json')); look++) {
    if (look % COLLECTING === 0) collect(commands, uuid)
    await sleep(LOOKS)
  }
  while (!(await ask())?.segmentsSha256Url) await sleep(LOOKS)
  return { uuid, playable, whole: since(), commands }
}

function placeOf(folder: string, uuid: string): string {
  return join(folder, 'streaming-playlists/hls', uuid)
}

async function send(url: string, film: string): Promise<{ uuid: string; last: number }> {
  const headers = await logInAsRoot(url)
  const { videoChannels } = await fetchBenchJson<{ videoChannels: { id: number }[] }>(`${url}/api/v1/users/me`, { headers })
  const form = new FormData()
  for (const [name, value] of Object.entries({ channelId: videoChannels[0]!.id, name: 'A measured film', privacy: 1 }))
    form.set(name, String(value))
  form.set('videofile', new Blob([(await readFile(film)) as Buffer<ArrayBuffer>], { type: 'video/mp4' }), 'film.mp4')
  const packed = new Response(form)
  const body = Buffer.from(await packed.arrayBuffer())
  return await new Promise((resolve, reject) => {
    let last = 0
    const asking = request(
      `${url}/api/v1/videos/upload`,
      { method: 'POST', headers: { ...headers, 'content-type': packed.headers.get('content-type')!, 'content-length': body.length } },
      answer => {
        let text = ''
        answer.on('data', chunk => {
          text += String(chunk)
        })
        answer.on('end', () => {
          if (answer.statusCode === 200) resolve({ uuid: (JSON.parse(text) as { video: { uuid: string } }).video.uuid, last })
          else reject(new Error(text))
        })
      }
    )
    asking.on('error', reject)
    asking.end(body, () => {
      last = performance.now()
    })
  })
}

/** Notes the commands that make renditions of a video, as they run. */
function collect(commands: Command[], uuid: string): void {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    let words: string[]
    try {
      words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
    } catch {
      continue
    }
    const [program = '', ...parameters] = words
    if (!/(^|\/)ffmpeg$/.test(program) || !parameters.includes('hls') || !parameters.some(word => word.includes(uuid))) continue
    if (!commands.some(known => known.parameters.join('\0') === parameters.join('\0'))) commands.push({ program, parameters })
  }
}

/** Runs the commands again, one after the other as the server does, into another folder; seconds. */
async function again(commands: Command[], { folder }: BenchEnvironment, target: string): Promise<number> {
  await rm(target, { recursive: true, force: true })
  await mkdir(target)
  const hls = new RegExp(`${folder}/streaming-playlists/hls/[^/]+`)
  const began = performance.now()
  for (const { program, parameters } of commands)
    await ended(
      program,
      parameters.map(word => word.replace(hls, target))
    )
  return (performance.now() - began) / 1000
}

/** What a server without the shared decode does: every rung from the source, with its own sound; seconds. */
async function oneByOne(film: string, plan: TranscodingPlan, target: string): Promise<number> {
  await rm(target, { recursive: true, force: true })
  await mkdir(target)
  const began = performance.now()
  for (const rung of [...(plan.copyVideo ? [plan.copyVideo] : []), ...plan.encode]) {
    await ended('ffmpeg', [
      '-nostdin',
      '-v',
      'error',
      '-y',
      '-i',
      film,
      '-map',
      '0:v:0',
      '-map',
      '0:a:0?',
      '-vf',
      `scale=${rung.width}:${rung.height}`,
      '-c:v',
      'libx264',
      '-preset',
      plan.settings.preset,
      '-crf',
      String(plan.settings.crf),
      '-maxrate',
      String(rung.maxrate),
      '-bufsize',
      String(rung.maxrate * 2),
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
      join(target, `${rung.resolution}.mp4`),
      join(target, `${rung.resolution}.m3u8`)
    ])
  }
  return (performance.now() - began) / 1000
}

/** Compares the encoded rungs with their caps, and their likeness to the source with that of the separate runs. */
async function judge({ folder }: BenchEnvironment, { uuid }: Made, plan: TranscodingPlan, film: string, apart: string): Promise<void> {
  const place = placeOf(folder, uuid)
  const files = readdirSync(place).filter(name => name.endsWith('-fragmented.mp4'))
  const sounds = files.filter(name => name.endsWith('-0-fragmented.mp4')).length
  const { video } = await probeMedia(film, configuredProbeLimits())
  for (const rung of plan.encode) {
    const cap = renditionBitrateCap(video!, rung.resolution)
    const file = join(
      place,
      files.find(name => name.endsWith(`-${rung.resolution}-fragmented.mp4`))!
    )
    const { duration } = await probeMedia(file, configuredProbeLimits())
    const rate = ((await stat(file)).size * 8) / duration
    const [ours, theirs] = [await likeness(file, film, rung), await likeness(join(apart, `${rung.resolution}.mp4`), film, rung)]
    console.log(
      `  ${`${rung.resolution}p`.padEnd(6)}${(rate / 1000).toFixed(0).padStart(6)} kbit/s, cap ${(cap / 1000).toFixed(0).padStart(6)} ${rate <= cap ? 'kept' : 'ABOVE'}   SSIM ${ours.toFixed(5)}, one run per rung ${theirs.toFixed(5)} ${ours >= theirs - 0.0005 ? 'kept' : 'BELOW'}`
    )
  }
  console.log(`  sound stored ${sounds === 1 ? 'once' : `${sounds} times`}`)
}

async function likeness(file: string, film: string, { width, height }: PlannedRendition): Promise<number> {
  const { stderr } = await exec(
    'ffmpeg',
    [
      '-nostdin',
      '-hide_banner',
      '-i',
      file,
      '-i',
      film,
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

async function ended(program: string, parameters: string[]): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const child = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'ignore'] })
    child.once('error', reject)
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`${program} ended with ${code}`))))
  })
}

function report(name: string, values: number[], unit: string, limit?: number): void {
  const middle = median(values)
  console.log(
    `  ${name.padEnd(42)}${middle.toFixed(2).padStart(8)} ${unit.padEnd(2)}${limit === undefined ? '              ' : ` <= ${limit} ${middle <= limit ? 'kept' : 'MISSED'}`.padEnd(14)} (${values.map(value => value.toFixed(2)).join(', ')})`
  )
}
