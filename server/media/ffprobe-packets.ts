import { spawn } from 'node:child_process'
import { ffmpegGuardPath, safeInputOptions, MediaError } from './ffmpeg.ts'
import { PacketTimeline, type StreamTimes } from './packet-timeline.ts'

const SAMPLED_INTERVALS = 8
const INTERVAL_SECONDS = 20
/** Shorter files (seconds) are read whole: sampling would read as much. */
const MIN_SAMPLED_SECONDS = 400

/**
 * Reads the packets of one stream in eight intervals of 20 s. Null if the file is shorter than that is worth, or if there are no packets where
 * its end should be: its stated `duration` (seconds) is not to be trusted then. Counts are those of the intervals. Throws a MediaError.
 */
export async function samplePackets(
  file: string,
  stream: number,
  { start, duration, timeoutMs }: { start: number; duration: number; timeoutMs: number }
): Promise<StreamTimes | null> {
  if (duration <= MIN_SAMPLED_SECONDS) return null
  const scans: StreamTimes[] = []
  for (let i = 0; i < SAMPLED_INTERVALS; i++) {
    const from = start + (i * (duration - INTERVAL_SECONDS)) / (SAMPLED_INTERVALS - 1)
    const timeline = await readPackets(file, { stream, from, timeoutMs })
    const times = timeline.timesOf(stream, { start, correctJumps: false })
    if (times) scans.push(times)
    else if (i === SAMPLED_INTERVALS - 1) return null
  }
  const [first] = scans
  if (!first) return null
  const seconds = scans.reduce((sum, { rate, packets }) => sum + (rate > 0 ? (packets - 1) / rate : 0), 0)
  return {
    ...first,
    packets: scans.reduce((sum, { packets }) => sum + packets, 0),
    end: Math.max(...scans.map(({ end }) => end)),
    last: Math.max(...scans.map(({ last }) => last)),
    keyframeGap: maxOrNull(scans.map(({ keyframeGap }) => keyframeGap)),
    longestInterval: Math.max(...scans.map(({ longestInterval }) => longestInterval)),
    longestGap: Math.max(...scans.map(({ longestGap }) => longestGap)),
    rate: seconds > 0 ? scans.reduce((sum, { packets }) => sum + packets - 1, 0) / seconds : 0,
    peakRate: Math.max(...scans.map(({ peakRate }) => peakRate)),
    hidesPackets: scans.some(({ hidesPackets }) => hidesPackets),
    changesParameters: scans.some(({ changesParameters }) => changesParameters),
    jumps: scans.some(({ jumps }) => jumps),
    encrypted: scans.some(({ encrypted }) => encrypted)
  }
}

function maxOrNull(values: (number | null)[]): number | null {
  const numbers = values.filter(value => value !== null)
  return numbers.length > 0 ? Math.max(...numbers) : null
}

/**
 * Reads the packets of a file without decoding them: all of them, or those of one `stream` in 20 s beginning at second `from`. Throws a
 * MediaError.
 */
export function readPackets(
  file: string,
  { stream, from, timeoutMs, signal }: { stream?: number; from?: number; timeoutMs: number; signal?: AbortSignal }
): Promise<PacketTimeline> {
  return new Promise((resolve, reject) => {
    const args = [
      '--ffprobe',
      '-v',
      'error',
      ...(stream === undefined ? [] : ['-select_streams', String(stream)]),
      '-show_entries',
      'packet=codec_type,stream_index,pts_time,dts_time,duration_time,flags:packet_side_data=side_data_type',
      '-of',
      'csv=p=0',
      ...(from === undefined ? [] : ['-read_intervals', `${from.toFixed(3)}%+${INTERVAL_SECONDS}`]),
      ...safeInputOptions,
      `file:${file}`
    ]
    const child = spawn(ffmpegGuardPath(), args, { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.on('error', () => {})
    let timedOut = false
    const stopProcess = (): void => {
      child.stdin.destroy()
    }
    const timer = setTimeout(() => {
      timedOut = true
      stopProcess()
    }, timeoutMs)
    signal?.addEventListener('abort', stopProcess, { once: true })

    const timeline = new PacketTimeline()
    // Several times as fast as readline: a film has a million lines.
    let rest = ''
    child.stdout.setEncoding('latin1').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) addLine(timeline, line)
    })
    const cleanUp = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stopProcess)
    }
    child.on('error', error => {
      cleanUp()
      reject(new MediaError('ffmpeg_failed', error.message, { cause: error }))
    })
    // A damaged tail makes ffprobe fail after it has printed everything that can be read.
    child.on('close', () => {
      cleanUp()
      if (timedOut) return reject(new MediaError('timeout', `reading the packets took more than ${timeoutMs} ms`))
      if (signal?.aborted) return reject(new MediaError('aborted', 'the packets are not asked for any more'))
      resolve(timeline)
    })
  })
}

/** Adds the packet of a line of ffprobe's output. */
function addLine(timeline: PacketTimeline, line: string): void {
  const [type, index, pts, dts, duration, flags, ...sideData] = line.split(',')
  // Some side data are printed on lines of their own.
  if (!flags || !/^[K_]/.test(flags)) return
  timeline.add(Number(index), {
    pts: parseTime(pts),
    dts: parseTime(dts),
    duration: parseTime(duration) ?? 0,
    keyframe: flags.startsWith('K'),
    hidden: flags.includes('D'),
    newParameters: sideData.includes('New Extradata'),
    encrypted: sideData.includes('Encryption info'),
    continuous: type === 'video' || type === 'audio'
  })
}

/** Seconds, null for "N/A". */
function parseTime(text: string | undefined): number | null {
  const seconds = Number.parseFloat(text ?? '')
  return Number.isFinite(seconds) ? seconds : null
}
