import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { ffmpegGuardPath, safeInputOptions, MediaError } from './ffmpeg.ts'

export type PacketScan = {
  packets: number
  /** Seconds from the file's first instant to the end of the last packet. */
  end: number
  /** Longest stretch between two keyframes (or the last one and the end), in seconds; null if there is none. */
  keyframeGap: number | null
  /** Seconds from the file's first instant to the first keyframe. */
  firstKeyframe: number
  /** Packets per second, measured; 0 for a single one. */
  rate: number
  sampled: boolean
}

type ScanOptions = { duration: number; start: number; timeoutMs: number; sample: boolean }

/** What was found in one stretch of one stream (its number; null where there is nothing of it), in seconds as the file has them. */
export type PacketIntervalScan = {
  stream: number | null
  packets: number
  end: number
  gap: number | null
  first: number | null
  span: number
}

/**
 * Walks over the packets of one stream without decoding: all of them, or with `sample` those of eight stretches of 20 s. `ahead`, the whole
 * of some stream, is used where it is this one.
 */
export async function scanPackets(
  file: string,
  stream: number,
  options: ScanOptions,
  ahead: Promise<PacketIntervalScan> | null = null
): Promise<PacketScan> {
  const sampled = options.sample && options.duration > 400
  const windows = sampled ? Array.from({ length: 8 }, (_, i) => options.start + (i * (options.duration - 20)) / 7) : [null]
  const result: PacketScan = { packets: 0, end: 0, keyframeGap: null, firstKeyframe: 0, rate: 0, sampled }
  let counted = 0
  let covered = 0
  for (const [index, from] of windows.entries()) {
    const known = from === null ? await ahead : null
    const part = known?.stream === stream ? known : await scanPacketInterval(file, String(stream), { from, timeoutMs: options.timeoutMs })
    if (index === 0) result.firstKeyframe = Math.max(0, (part.first ?? options.start) - options.start)
    result.packets += part.packets
    counted += Math.max(0, part.packets - 1)
    covered += Math.max(0, part.span)
    result.end = Math.max(result.end, part.end - options.start)
    if (part.gap !== null) result.keyframeGap = Math.max(result.keyframeGap ?? 0, part.gap)
  }
  if (covered > 0) result.rate = counted / covered
  return result
}

/** Walks over the packets of one stream (an ffmpeg stream specifier), all of them or 20 s `from` a second on; throws a MediaError. */
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
    let late = false
    const stop = (): void => {
      child.stdin.destroy()
    }
    const timer = setTimeout(() => {
      late = true
      stop()
    }, timeoutMs)
    signal?.addEventListener('abort', stop, { once: true })

    const found: PacketIntervalScan = { stream: null, packets: 0, end: 0, gap: null, first: null, span: 0 }
    let last: number | null = null
    let earliest = Infinity
    let latest = -Infinity
    createInterface({ input: child.stdout }).on('line', line => {
      const [index, pts, dts, duration, flags] = line.split(',')
      // Side data have lines of their own.
      if (!flags || !/^[K_]/.test(flags)) return
      found.stream = Number(index)
      found.packets++
      const time = pts === 'N/A' ? Number(dts) : Number(pts)
      if (!Number.isFinite(time)) return
      found.end = Math.max(found.end, time + (Number(duration) || 0))
      earliest = Math.min(earliest, time)
      latest = Math.max(latest, time)
      if (!flags.startsWith('K')) return
      found.first ??= time
      if (last !== null) found.gap = Math.max(found.gap ?? 0, time - last)
      last = time
    })
    const settle = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
    child.on('error', error => {
      settle()
      reject(new MediaError('ffmpeg_failed', error.message, { cause: error }))
    })
    // A damaged tail makes ffprobe fail after it has told everything that can be read.
    child.on('close', () => {
      settle()
      if (late) return reject(new MediaError('timeout', `reading the packets took more than ${timeoutMs} ms`))
      if (signal?.aborted) return reject(new MediaError('aborted', 'the packets are not asked for any more'))
      if (last !== null) found.gap = Math.max(found.gap ?? 0, found.end - last)
      if (found.packets > 1) found.span = latest - earliest
      resolve(found)
    })
  })
}
