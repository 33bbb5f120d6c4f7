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
  | 'undecodable'
  | 'forbidden_container'
  | 'too_long'
  | 'too_large'
  | 'too_many_streams'
  | 'broken_times'
  | 'nothing_decoded'
  | 'bad_image'
  | 'ffmpeg_failed'
  | 'ffmpeg_missing'
  | 'disk_full'
  | 'timeout'
  | 'aborted'

/** An error about a media file or its processing; `code` is stable and meant for callers, `message` for the log. */
export class MediaError extends Error {
  readonly code: MediaErrorCode

  constructor(code: MediaErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'MediaError'
    this.code = code
  }
}

/** The containers an untrusted file may use (names of ffmpeg demuxers); playlists, concat lists, scripts and images are not among them. */
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
  'gif',
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

/** Options required before every input: only plain local files are opened, and only by the allowed demuxers. */
export const safeInputOptions = ['-protocol_whitelist', 'file,pipe', '-format_whitelist', allowedContainers.join(',')]

/** Progress of a run: seconds of the source done, percent of its length, speed as a multiple of real time, seconds remaining. */
export type FfmpegProgress = { seconds: number; percent: number; speed: number; secondsLeft: number | null }

export type FfmpegJob = {
  /** Path of the source; any characters, taken literally. */
  input: string
  /** Options before the input. */
  inputOptions?: string[]
  /** Options after the input, one argument each. */
  options: string[]
  /** File name of the output, in the folder `cwd`; '-' is standard output. */
  output: string
  cwd: string
  nice?: number
  signal?: AbortSignal | undefined
  timeoutMs?: number
  /** Ends a run that makes no progress for this long. */
  stallMs?: number
  /** Pauses the run; paused time counts towards no limit. */
  pauseControl?: PauseControl | undefined
  /** Length of the source in seconds, to compute the progress. */
  duration?: number
  onProgress?: ((progress: FfmpegProgress) => void) | undefined
}

export type FfmpegRun = {
  /**
   * Resolves when ffmpeg has exited with 0, with its last output, how much it encoded or copied (with a full disk nothing of that need
   * have been written) and whether any packet failed to decode; otherwise rejects with a MediaError once the process has exited.
   */
  done: Promise<{ log: string; frames: number; seconds: number; decodeErrors: boolean }>
  kill(): void
}

/** Messages of ffmpeg (4 to 8) about a packet that cannot be decoded, or only in part, whatever the codec. */
const DECODE_ERROR_PATTERN = /corrupt decoded frame|Error while decoding stream|Error submitting packet to decoder/

/**
 * Starts one ffmpeg process; it ends with this process, when `signal` aborts, after `timeoutMs`, when it makes no progress for `stallMs`,
 * or on `kill()`.
 */
export function runFfmpeg(job: FfmpegJob): FfmpegRun {
  const ffmpeg = loadFluentFfmpeg()
  // Not started in `cwd`: fluent-ffmpeg throws an uncaught error if that folder does not exist.
  const command = ffmpeg({ niceness: job.nice ?? 0, stdoutLines: 200 })
  let stopError: MediaError | null = null
  const stop = (error: MediaError) => {
    stopError ??= error
    // Closing the guard's standard input makes it kill ffmpeg and wait for it: `done` settles when the process has exited.
    childProcessOf(command)?.stdin?.destroy()
  }
  const onAbort = () => stop(new MediaError('aborted', 'ffmpeg was stopped'))

  const done = new Promise<Awaited<FfmpegRun['done']>>((resolve, reject) => {
    const log: string[] = []
    let decodeErrors = false
    const progress = createProgressParser(job)
    const isPaused = (): boolean => job.pauseControl?.paused ?? false
    const timeLimitTimer = job.timeoutMs
      ? startTimeLimit(isPaused, job.timeoutMs, () => stop(new MediaError('timeout', `ffmpeg took more than ${job.timeoutMs} ms`)))
      : null
    const stallTimer = job.stallMs
      ? startStallTimer(
          () => (isPaused() ? null : progress.position()),
          job.stallMs,
          () => stop(new MediaError('timeout', `ffmpeg did not get any further for ${job.stallMs} ms`))
        )
      : null
    let unsubscribe: (() => void) | undefined
    // The guard handles signals only after ffmpeg has printed something.
    const subscribeToPauses = (): void => {
      unsubscribe ??= job.pauseControl?.subscribe(paused => {
        childProcessOf(command)?.kill(paused ? 'SIGUSR1' : 'SIGUSR2')
      })
    }
    const cleanUp = () => {
      unsubscribe?.()
      if (timeLimitTimer) clearInterval(timeLimitTimer)
      if (stallTimer) clearInterval(stallTimer)
      job.signal?.removeEventListener('abort', onAbort)
    }
    if (job.signal?.aborted) onAbort()
    job.signal?.addEventListener('abort', onAbort, { once: true })

    command
      .input(`file:${job.input}`)
      .inputOptions(
        ...['-nostdin', '-hide_banner', '-y', '-loglevel', 'warning', '-nostats', '-progress', 'pipe:2'],
        // What can be decoded is kept, however little it is: `decodeErrors` tells of the rest.
        ...['-max_error_rate', '1'],
        ...(job.inputOptions ?? []),
        ...safeInputOptions
      )
      .outputOptions(...['-max_muxing_queue_size', '4096'], ...job.options)
      .output(job.output === '-' ? '-' : join(job.cwd, job.output))
      .on('start', () => {
        const child = childProcessOf(command)
        child?.stdin?.on('error', () => {})
        if (stopError) child?.stdin?.destroy()
      })
      .on('stderr', (line: string) => {
        subscribeToPauses()
        if (progress.parseLine(line)) return
        decodeErrors ||= DECODE_ERROR_PATTERN.test(line)
        log.push(line)
        if (log.length > 100) log.shift()
      })
      .on('end', () => {
        cleanUp()
        if (stopError) reject(stopError)
        else resolve({ log: log.join('\n'), frames: progress.frames(), seconds: progress.seconds(), decodeErrors })
      })
      .on('error', (error: Error) => {
        cleanUp()
        reject(stopError ?? toMediaError(error, log))
      })
      .run()
  })
  return { done, kill: onAbort }
}

/** Whether any packet of a file fails to decode. Throws a MediaError if the check itself was stopped. */
export async function hasDecodeErrors(
  file: string,
  options: Pick<FfmpegJob, 'signal' | 'nice' | 'pauseControl' | 'stallMs'>
): Promise<boolean> {
  try {
    return (await runFfmpeg({ ...options, input: file, cwd: dirname(file), options: ['-f', 'null'], output: '-' }).done).decodeErrors
  } catch (error) {
    if (error instanceof MediaError && error.code === 'ffmpeg_failed') return true
    throw error
  }
}

/** Returns what ffprobe prints, at most `maxBytes` of it; the process ends after `timeoutMs`, or with this process. Throws a MediaError. */
export function runFfprobe(args: string[], limits: { timeoutMs: number; maxBytes?: number }): Promise<string> {
  return new Promise((resolve, reject) => {
    let timedOut = false
    const child = execFile(
      ffmpegGuardPath(),
      ['--ffprobe', ...args],
      { maxBuffer: limits.maxBytes ?? 16 * 1024 * 1024, encoding: 'utf8' },
      (error, stdout, stderr) => {
        clearTimeout(timer)
        if (timedOut) reject(new MediaError('timeout', `ffprobe took more than ${limits.timeoutMs} ms`))
        else if (error) reject(toMediaError(error, stderr.split('\n')))
        else resolve(stdout)
      }
    )
    child.stdin?.on('error', () => {})
    const timer = setTimeout(() => {
      timedOut = true
      child.stdin?.destroy()
    }, limits.timeoutMs)
  })
}

let availableFilters: Promise<Set<string>> | null = null

/** Whether the installed ffmpeg has a filter with this name. */
export async function hasFfmpegFilter(name: string): Promise<boolean> {
  const ffmpeg = loadFluentFfmpeg()
  availableFilters ??= new Promise((resolve, reject) => {
    ffmpeg.getAvailableFilters((error, available) => (error ? reject(toMediaError(error, [])) : resolve(new Set(Object.keys(available)))))
  })
  return (await availableFilters).has(name)
}

/** Makes fluent-ffmpeg query formats and encoders now, so that the first run does not wait for that. */
export async function warmUpFfmpeg(): Promise<void> {
  const ffmpeg = loadFluentFfmpeg()()
  await new Promise<void>(resolve => {
    ffmpeg.getAvailableFormats(() => {
      ffmpeg.getAvailableEncoders(() => resolve())
    })
  })
}

let guardPath: string | null = null

/** The path of the guard script: next to this file, or next to the bundle it was built into. */
export function ffmpegGuardPath(): string {
  if (guardPath) return guardPath
  const candidates = ['./ffmpeg-guard.sh', './media/ffmpeg-guard.sh'].map(path => fileURLToPath(new URL(path, import.meta.url)))
  const found = candidates.find(path => existsSync(path))
  if (!found) throw new MediaError('ffmpeg_missing', `ffmpeg-guard.sh is missing (looked for ${candidates.join(', ')})`)
  try {
    accessSync(found, constants.X_OK)
  } catch {
    chmodSync(found, 0o755)
  }
  return (guardPath = found)
}

let fluentFfmpeg: typeof Fluent | null = null

/** fluent-ffmpeg with the guard script as its ffmpeg; loaded with the first run, not at server start. */
function loadFluentFfmpeg(): typeof Fluent {
  if (fluentFfmpeg) return fluentFfmpeg
  fluentFfmpeg = createRequire(import.meta.url)('fluent-ffmpeg') as typeof Fluent
  fluentFfmpeg.setFfmpegPath(ffmpegGuardPath())
  return fluentFfmpeg
}

function childProcessOf(command: object): ChildProcess | undefined {
  return (command as { ffmpegProc?: ChildProcess }).ffmpegProc
}

function toMediaError(error: Error, log: string[]): MediaError {
  // execFile repeats the whole command line in its message.
  const first = error.message.startsWith('Command failed') ? 'ffprobe failed' : error.message.split('\n')[0]
  const text = [first, ...log.filter(line => line.trim()).slice(-12)].join('\n')
  if (/code 127\b/.test(error.message) || (error as { code?: unknown }).code === 127) {
    return new MediaError('ffmpeg_missing', 'ffmpeg and ffprobe must be installed', { cause: error })
  }
  return new MediaError(/No space left on device|Disk quota exceeded/.test(text) ? 'disk_full' : 'ffmpeg_failed', text, { cause: error })
}

/**
 * Calls `onStall` when `position` stays the same for `stallMs`. It is checked several times in that period, so that a machine that was
 * suspended meanwhile does not count as a stall; nor does a paused process, whose position is null.
 */
function startStallTimer(position: () => string | null, stallMs: number, onStall: () => void): NodeJS.Timeout {
  let [previous, unchangedChecks] = [position(), 0]
  return setInterval(() => {
    const current = position()
    unchangedChecks = current !== null && current === previous ? unchangedChecks + 1 : 0
    previous = current
    if (unchangedChecks >= CHECKS_PER_TIMEOUT) onStall()
  }, stallMs / CHECKS_PER_TIMEOUT)
}

/** Calls `onTimeout` after `timeoutMs`, not counting paused time. */
function startTimeLimit(isPaused: () => boolean, timeoutMs: number, onTimeout: () => void): NodeJS.Timeout {
  let checksLeft = CHECKS_PER_TIMEOUT
  return setInterval(() => {
    if (!isPaused() && --checksLeft === 0) onTimeout()
  }, timeoutMs / CHECKS_PER_TIMEOUT)
}

const CHECKS_PER_TIMEOUT = 8

function createProgressParser({ duration = 0, onProgress: report, pauseControl }: FfmpegJob) {
  const startedAt = performance.now()
  const pausedMsBefore = pauseControl?.pausedMs ?? 0
  let frames = 0
  let seconds = 0
  return {
    frames: () => frames,
    seconds: () => seconds,
    position: () => `${frames} ${seconds}`,
    parseLine(line: string): boolean {
      const fields = /^([a-z0-9_]+)=\s*(\S*)\s*$/.exec(line)
      if (!fields) return false
      const [, key, value] = fields as unknown as [string, string, string]
      if (key === 'frame') frames = Number(value) || frames
      if (key === 'out_time_us') seconds = Math.max(seconds, (Number(value) || 0) / 1e6)
      if (key === 'progress' && report) {
        const elapsed = (performance.now() - startedAt - ((pauseControl?.pausedMs ?? 0) - pausedMsBefore)) / 1000
        const speed = elapsed > 0 ? seconds / elapsed : 0
        const ended = value === 'end'
        const percent = ended ? 100 : duration > 0 ? Math.min(99, (seconds / duration) * 100) : 0
        const secondsLeft = ended ? 0 : speed > 0 && duration > 0 ? Math.max(0, (duration - seconds) / speed) : null
        report({ seconds, percent, speed, secondsLeft })
      }
      return true
    }
  }
}
