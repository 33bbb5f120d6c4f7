import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { ffmpegGuardPath, safeInputOptions, MediaError } from './ffmpeg.ts'

export type PacketScan = {
  packets: number
  /** Seconds from the start of the file to the end of the last packet. */
  end: number
  /** Longest interval between two keyframes (or the last one and the end), in seconds; null if there is none. */
  keyframeGap: number | null
  /** Seconds from the start of the file to the first keyframe. */
  firstKeyframe: number
  /** Packets per second, measured; 0 for a single one. */
  rate: number
  sampled: boolean
}

type ScanOptions = { duration: number; start: number; timeoutMs: number; sample: boolean }

/** Result for one interval of one stream (its index; null if it has no packet there); times in seconds as the file has them. */
export type PacketIntervalScan = {
  stream: number | null
  packets: number
  end: number
  keyframeGap: number | null
  firstKeyframe: number | null
  span: number
}

/**
 * Reads the packets of one stream without decoding: all of them, or with `sample` those of eight intervals of 20 s. `earlyScan`, a complete
 * scan that was started before, is used if it is of the same stream.
 */
export async function scanPackets(
  file: string,
  stream: number,
  options: ScanOptions,
  earlyScan: Promise<PacketIntervalScan> | null = null
): Promise<PacketScan> {
  const sampled = options.sample && options.duration > 400
  const windows = sampled ? Array.from({ length: 8 }, (_, i) => options.start + (i * (options.duration - 20)) / 7) : [null]
  const result: PacketScan = { packets: 0, end: 0, keyframeGap: null, firstKeyframe: 0, rate: 0, sampled }
  let intervalCount = 0
  let coveredSeconds = 0
  for (const [index, start] of windows.entries()) {
    const earlyResult = start === null ? await earlyScan : null
    const interval =
      earlyResult?.stream === stream
        ? earlyResult
        : await scanPacketInterval(file, String(stream), { from: start, timeoutMs: options.timeoutMs })
    if (index === 0) result.firstKeyframe = Math.max(0, (interval.firstKeyframe ?? options.start) - options.start)
    result.packets += interval.packets
    intervalCount += Math.max(0, interval.packets - 1)
    coveredSeconds += Math.max(0, interval.span)
    result.end = Math.max(result.end, interval.end - options.start)
    if (interval.keyframeGap !== null) result.keyframeGap = Math.max(result.keyframeGap ?? 0, interval.keyframeGap)
  }
  if (coveredSeconds > 0) result.rate = intervalCount / coveredSeconds
  return result
}

/** Reads the packets of one stream (an ffmpeg stream specifier), all of them or 20 s beginning at second `from`. Throws a MediaError. */
export function scanPacketInterval(
  file: string,
  stream: string,
  { from = null, timeoutMs, signal }: { from?: number | null; timeoutMs: number; signal?: AbortSignal }
): Promise<PacketIntervalScan> {
  return new Promise((resolve, reject) => {
    const interval = from === null ? [] : ['-read_intervals', `${from.toFixed(3)}%+20`]
    const args = [
      '--ffprobe',
      '-v',
      'error',
      '-select_streams',
      stream,
      '-show_entries',
      'packet=stream_index,pts_time,dts_time,duration_time,flags',
      '-of',
      'csv=p=0',
      ...interval,
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

    const result: PacketIntervalScan = { stream: null, packets: 0, end: 0, keyframeGap: null, firstKeyframe: null, span: 0 }
    let lastKeyframe: number | null = null
    let earliest = Infinity
    let latest = -Infinity
    createInterface({ input: child.stdout }).on('line', line => {
      const [index, pts, dts, duration, flags] = line.split(',')
      // Side data are printed on separate lines.
      if (!flags || !/^[K_]/.test(flags)) return
      result.stream = Number(index)
      result.packets++
      const time = pts === 'N/A' ? Number(dts) : Number(pts)
      if (!Number.isFinite(time)) return
      result.end = Math.max(result.end, time + (Number(duration) || 0))
      earliest = Math.min(earliest, time)
      latest = Math.max(latest, time)
      if (!flags.startsWith('K')) return
      result.firstKeyframe ??= time
      if (lastKeyframe !== null) result.keyframeGap = Math.max(result.keyframeGap ?? 0, time - lastKeyframe)
      lastKeyframe = time
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
      if (lastKeyframe !== null) result.keyframeGap = Math.max(result.keyframeGap ?? 0, result.end - lastKeyframe)
      if (result.packets > 1) result.span = latest - earliest
      resolve(result)
    })
  })
}
