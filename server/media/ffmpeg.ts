import { execFile, type ChildProcess } from 'node:child_process'
import { accessSync, chmodSync, constants, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type Fluent from 'fluent-ffmpeg'
import type { PauseControl } from './pause-control.ts'

export type MediaErrorCode =
  | 'missing'
  | 'unreadable'
  | 'no_streams'
  | 'forbidden_container'
  | 'too_long'
  | 'too_large'
  | 'too_many_streams'
  | 'nothing_decoded'
  | 'bad_image'
  | 'ffmpeg_failed'
  | 'ffmpeg_missing'
  | 'disk_full'
  | 'timeout'
  | 'aborted'

/** What went wrong with a piece of media; `code` is stable and meant for callers, `message` for the log. */
export class MediaError extends Error {
  readonly code: MediaErrorCode

  constructor(code: MediaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MediaError'
    this.code = code
  }
}

/** The containers a stranger's file may be in (names of ffmpeg demuxers); playlists, lists, scripts and pictures are not among them. */
export const allowedContainers = [
  'mov',
  'mp4',
  'm4a',
  '3gp',
  '3g2',
  'matroska',
  'webm',
  'avi',
  'flv',
  'live_flv',
  'mpegts',
  'mpeg',
  'mpegvideo',
  'm4v',
  'h264',
  'hevc',
  'ivf',
  'obu',
  'ogg',
  'asf',
  'mxf',
  'nut',
  'rm',
  'dv',
  'yuv4mpegpipe',
  'mp3',
  'aac',
  'ac3',
  'eac3',
  'dts',
  'flac',
  'wav',
  'w64',
  'aiff',
  'au',
  'caf',
  'amr',
  'wv',
  'ape',
  'tta',
  'tak',
  'mpc',
  'mpc8'
]

/** Options that must stand before every input: nothing but plain local files is opened, only by the allowed demuxers. */
export const safeInputOptions = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', allowedContainers.join(',')]

/** How far a run is: seconds of the source done, percent of its length, speed as a multiple of real time, seconds still to wait. */
export type FfmpegProgress = { seconds: number; percent: number; speed: number; secondsLeft: number | null }

export type FfmpegJob = {
  /** The source; any characters, taken literally. */
  input: string
  /** Options before the input. */
  before?: string[]
  /** Options after the input, one argument each. */
  options: string[]
  /** Output name, in the folder `cwd`; '-' is standard output. */
  output: string
  cwd: string
  nice?: number
  signal?: AbortSignal | undefined
  timeoutMs?: number
  /** Ends a run that has not got any further for so long. */
  stallMs?: number
  /** Holds it; the time it is held counts for nothing. */
  brake?: PauseControl | undefined
  /** Length of the source in seconds, for the progress. */
  duration?: number
  onProgress?: ((progress: FfmpegProgress) => void) | undefined
}

export type FfmpegRun = {
  /**
   * Resolves when ffmpeg has exited with 0, with what it printed last, how much it encoded or copied (of which a full disk need not have
   * taken anything) and whether anything could not be decoded as it should; rejects with a MediaError once it is gone.
   */
  done: Promise<{ log: string; frames: number; seconds: number; broken: boolean }>
  kill(): void
}

/** What ffmpeg (4 to 8) says of a packet that cannot be decoded, or only in part, whatever the codec. */
const BROKEN = /corrupt decoded frame|Error while decoding stream|Error submitting packet to decoder/

/**
 * Starts one ffmpeg; it dies with this process, when `signal` aborts, after `timeoutMs`, when it stands still for `stallMs`, or on
 * `kill()`.
 */
export function runFfmpeg(job: FfmpegJob): FfmpegRun {
  const ffmpeg = guarded()
  // Not started in `cwd`: fluent-ffmpeg throws past every handler where that folder is gone.
  const command = ffmpeg({ niceness: job.nice ?? 0, stdoutLines: 200 })
  let stopped: MediaError | null = null
  const stop = (error: MediaError) => {
    stopped ??= error
    // Closing the guard's standard input makes it kill ffmpeg and wait for it: `done` settles when the process is gone.
    childOf(command)?.stdin?.destroy()
  }
  const onAbort = () => stop(new MediaError('aborted', 'ffmpeg was stopped'))

  const done = new Promise<Awaited<FfmpegRun['done']>>((resolve, reject) => {
    const log: string[] = []
    let broken = false
    const progress = progressReader(job)
    const held = (): boolean => job.brake?.held ?? false
    const timer = job.timeoutMs
      ? countdown(held, job.timeoutMs, () => stop(new MediaError('timeout', `ffmpeg took more than ${job.timeoutMs} ms`)))
      : null
    const watchdog = job.stallMs
      ? watchProgress(
          () => (held() ? null : progress.place()),
          job.stallMs,
          () => stop(new MediaError('timeout', `ffmpeg did not get any further for ${job.stallMs} ms`))
        )
      : null
    let leave: (() => void) | undefined
    // The guard listens to signals once ffmpeg has said something.
    const follow = (): void => {
      leave ??= job.brake?.follow(on => {
        childOf(command)?.kill(on ? 'SIGUSR1' : 'SIGUSR2')
      })
    }
    const settle = () => {
      leave?.()
      if (timer) clearInterval(timer)
      if (watchdog) clearInterval(watchdog)
      job.signal?.removeEventListener('abort', onAbort)
    }
    if (job.signal?.aborted) onAbort()
    job.signal?.addEventListener('abort', onAbort, { once: true })

    command
      .input(`file:${job.input}`)
      .inputOptions(
        ...['-nostdin', '-hide_banner', '-y', '-loglevel', 'warning', '-nostats', '-progress', 'pipe:2'],
        ...(job.before ?? []),
        ...safeInputOptions
      )
      .outputOptions(...['-max_muxing_queue_size', '4096'], ...job.options)
      .output(job.output === '-' ? '-' : join(job.cwd, job.output))
      .on('start', () => {
        const child = childOf(command)
        child?.stdin?.on('error', () => {})
        if (stopped) child?.stdin?.destroy()
      })
      .on('stderr', (line: string) => {
        follow()
        if (progress.read(line)) return
        broken ||= BROKEN.test(line)
        log.push(line)
        if (log.length > 100) log.shift()
      })
      .on('end', () => {
        settle()
        if (stopped) reject(stopped)
        else resolve({ log: log.join('\n'), frames: progress.frames(), seconds: progress.seconds(), broken })
      })
      .on('error', (error: Error) => {
        settle()
        reject(stopped ?? failure(error, log))
      })
      .run()
  })
  return { done, kill: onAbort }
}

/** Whether anything in a file cannot be decoded as it should. Throws a MediaError where it was stopped. */
export async function hasDecodeErrors(file: string, options: Pick<FfmpegJob, 'signal' | 'nice' | 'brake' | 'stallMs'>): Promise<boolean> {
  try {
    return (await runFfmpeg({ ...options, input: file, cwd: dirname(file), options: ['-f', 'null'], output: '-' }).done).broken
  } catch (error) {
    if (error instanceof MediaError && error.code === 'ffmpeg_failed') return true
    throw error
  }
}

/** What ffprobe prints for these arguments; at most `maxBytes` are kept, and it lives no longer than `timeoutMs` or this process. */
export function runFfprobe(args: string[], limits: { timeoutMs: number; maxBytes?: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    let late = false
    const child = execFile(
      ffmpegGuardPath(),
      ['--ffprobe', ...args],
      { maxBuffer: limits.maxBytes ?? 16 * 1024 * 1024, encoding: 'utf8' },
      (error, stdout, stderr) => {
        clearTimeout(timer)
        if (late) reject(new MediaError('timeout', `ffprobe took more than ${limits.timeoutMs} ms`))
        else if (error) reject(failure(error, stderr.split('\n')))
        else resolve(stdout)
      }
    )
    child.stdin?.on('error', () => {})
    const timer = setTimeout(() => {
      late = true
      child.stdin?.destroy()
    }, limits.timeoutMs)
  })
}

let filters: Promise<Set<string>> | null = null

/** Whether the installed ffmpeg has a filter of this name. */
export async function hasFfmpegFilter(name: string): Promise<boolean> {
  const ffmpeg = guarded()
  filters ??= new Promise((resolve, reject) => {
    ffmpeg.getAvailableFilters((error, found) => (error ? reject(failure(error, [])) : resolve(new Set(Object.keys(found)))))
  })
  return (await filters).has(name)
}

/** Has the library ask ffmpeg now what it would ask before the first film, which then need not wait for it. */
export async function warmUpFfmpeg(): Promise<void> {
  const ffmpeg = guarded()()
  await new Promise<void>(resolve => {
    ffmpeg.getAvailableFormats(() => {
      ffmpeg.getAvailableEncoders(() => resolve())
    })
  })
}

let guard: string | null = null

/** Where the guard script is: beside this file, or beside the bundle it was built into. */
export function ffmpegGuardPath(): string {
  if (guard) return guard
  const places = ['./ffmpeg-guard.sh', './media/ffmpeg-guard.sh'].map(place => fileURLToPath(new URL(place, import.meta.url)))
  const found = places.find(place => existsSync(place))
  if (!found) throw new MediaError('ffmpeg_missing', `ffmpeg-guard.sh is missing (looked for ${places.join(', ')})`)
  try {
    accessSync(found, constants.X_OK)
  } catch {
    chmodSync(found, 0o755)
  }
  return (guard = found)
}

let loaded: typeof Fluent | null = null

/** The library with the guard as its ffmpeg; it comes in with the first film, not with the server. */
function guarded(): typeof Fluent {
  if (loaded) return loaded
  loaded = createRequire(import.meta.url)('fluent-ffmpeg') as typeof Fluent
  loaded.setFfmpegPath(ffmpegGuardPath())
  return loaded
}

function childOf(command: object): ChildProcess | undefined {
  return (command as { ffmpegProc?: ChildProcess }).ffmpegProc
}

function failure(error: Error, log: string[]): MediaError {
  // execFile repeats the whole command line, which helps nobody.
  const first = error.message.startsWith('Command failed') ? 'ffprobe failed' : error.message.split('\n')[0]
  const text = [first, ...log.filter(line => line.trim()).slice(-12)].join('\n')
  if (/code 127\b/.test(error.message) || (error as { code?: unknown }).code === 127) {
    return new MediaError('ffmpeg_missing', 'ffmpeg and ffprobe must be installed', { cause: error })
  }
  return new MediaError(/No space left on device|Disk quota exceeded/.test(text) ? 'disk_full' : 'ffmpeg_failed', text, { cause: error })
}

/**
 * Looks several times in the given time (ms), so that a machine that slept meanwhile does not count as an ffmpeg that hangs; nor does one
 * that is held, which is in no place.
 */
function watchProgress(place: () => string | null, stallMs: number, stalled: () => void): NodeJS.Timeout {
  let [last, still] = [place(), 0]
  return setInterval(() => {
    const now = place()
    still = now !== null && now === last ? still + 1 : 0
    last = now
    if (still >= LOOKS) stalled()
  }, stallMs / LOOKS)
}

/** Ends after the given time (ms), without the time it is held. */
function countdown(held: () => boolean, timeoutMs: number, over: () => void): NodeJS.Timeout {
  let left = LOOKS
  return setInterval(() => {
    if (!held() && --left === 0) over()
  }, timeoutMs / LOOKS)
}

const LOOKS = 8

function progressReader({ duration = 0, onProgress: report, brake }: FfmpegJob) {
  const started = performance.now()
  const heldBefore = brake?.heldFor ?? 0
  let frames = 0
  let seconds = 0
  return {
    frames: () => frames,
    seconds: () => seconds,
    place: () => `${frames} ${seconds}`,
    read(line: string): boolean {
      const match = /^([a-z0-9_]+)=\s*(\S*)\s*$/.exec(line)
      if (!match) return false
      const [, key, value] = match as unknown as [string, string, string]
      if (key === 'frame') frames = Number(value) || frames
      if (key === 'out_time_us') seconds = Math.max(seconds, (Number(value) || 0) / 1e6)
      if (key === 'progress' && report) {
        const elapsed = (performance.now() - started - ((brake?.heldFor ?? 0) - heldBefore)) / 1000
        const speed = elapsed > 0 ? seconds / elapsed : 0
        const last = value === 'end'
        const percent = last ? 100 : duration > 0 ? Math.min(99, (seconds / duration) * 100) : 0
        const secondsLeft = last ? 0 : speed > 0 && duration > 0 ? Math.max(0, (duration - seconds) / speed) : null
        report({ seconds, percent, speed, secondsLeft })
      }
      return true
    }
  }
}
