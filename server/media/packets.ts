import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { guardPath, inputOptions, MediaError } from './ffmpeg.ts'

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

type ScanOptions = { duration: number, start: number, timeoutMs: number, sample: boolean }

/** Walks over the packets of one stream without decoding: all of them, or with `sample` those of eight stretches of 20 s. */
export async function scanPackets(file: string, stream: number, options: ScanOptions): Promise<PacketScan> {
  const sampled = options.sample && options.duration > 400
  const windows = sampled ? Array.from({ length: 8 }, (_, i) => options.start + i * (options.duration - 20) / 7) : [null]
  const result: PacketScan = { packets: 0, end: 0, keyframeGap: null, firstKeyframe: 0, rate: 0, sampled }
  let counted = 0
  let covered = 0
  for (const [index, from] of windows.entries()) {
    const part = await scanWindow(file, stream, from, options)
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

function scanWindow(file: string, stream: number, from: number | null, options: ScanOptions) {
  return new Promise<{ packets: number, end: number, gap: number | null, first: number | null, span: number }>((resolve, reject) => {
    const interval = from === null ? [] : ['-read_intervals', `${from.toFixed(3)}%+20`]
    const args = ['--ffprobe', '-v', 'error', '-select_streams', String(stream), '-show_entries', 'packet=pts_time,dts_time,duration_time,flags', '-of', 'csv=p=0', ...interval, ...inputOptions, `file:${file}`]
    const child = spawn(guardPath(), args, { stdio: ['pipe', 'pipe', 'ignore'] })
    child.stdin.on('error', () => {})
    let late = false
    const timer = setTimeout(() => {
      late = true
      child.stdin.destroy()
    }, options.timeoutMs)

    let packets = 0
    let end = 0
    let last: number | null = null
    let first: number | null = null
    let gap: number | null = null
    let earliest = Infinity
    let latest = -Infinity
    createInterface({ input: child.stdout }).on('line', line => {
      const [pts, dts, duration, flags] = line.split(',')
      // Side data have lines of their own.
      if (!flags || !/^[K_]/.test(flags)) return
      packets++
      const time = pts === 'N/A' ? Number(dts) : Number(pts)
      if (!Number.isFinite(time)) return
      end = Math.max(end, time + (Number(duration) || 0))
      earliest = Math.min(earliest, time)
      latest = Math.max(latest, time)
      if (!flags.startsWith('K')) return
      first ??= time
      if (last !== null) gap = Math.max(gap ?? 0, time - last)
      last = time
    })
    child.on('error', error => {
      clearTimeout(timer)
      reject(new MediaError('ffmpeg_failed', error.message, { cause: error }))
    })
    // A damaged tail makes ffprobe fail after it has told everything that can be read.
    child.on('close', () => {
      clearTimeout(timer)
      if (late) return reject(new MediaError('timeout', `reading the packets took more than ${options.timeoutMs} ms`))
      if (last !== null) gap = Math.max(gap ?? 0, end - last)
      resolve({ packets, end, gap, first, span: packets > 1 ? latest - earliest : 0 })
    })
  })
}
