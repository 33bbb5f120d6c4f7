/** One packet as the demuxer delivers it; times in seconds as the file has them, null where it has none. */
export type DemuxedPacket = {
  pts: number | null
  dts: number | null
  duration: number
  keyframe: boolean
  /** An edit list hides it: it is decoded for the sake of others, and not shown (flag D of ffprobe). */
  hidden: boolean
  /** It comes with a new sample description (extradata). */
  newParameters: boolean
  encrypted: boolean
  /** It is of a video or audio stream. */
  continuous: boolean
}

/** Times of one stream in seconds from the start of the file; packets are those that are shown. */
export type StreamTimes = {
  packets: number
  /** The first and the last moment that is shown, and when the last packet begins. */
  start: number
  end: number
  last: number
  firstKeyframe: number | null
  /** Longest interval between two keyframes (or the last one and the end); null if there is none. */
  keyframeGap: number | null
  /** Longest time between the end of a packet and the next one, and between the beginnings of two. */
  longestGap: number
  longestInterval: number
  /** Packets per second; 0 for a single one. */
  rate: number
  /** Packets per second where they are dense: nine of ten intervals between packets are at least as long. */
  peakRate: number
  /** Packets are hidden elsewhere than before the first that is shown. */
  hidesPackets: boolean
  /** Packets are hidden before the first that is shown. */
  hidesStart: boolean
  /** The sample description changes after the first packet. */
  changesParameters: boolean
  encrypted: boolean
  /** Decode times go back or repeat, or jump where that is corrected. */
  jumps: boolean
}

/** ffmpeg closes gaps of decode times above this many seconds in formats whose times may be discontinuous. */
const MAX_DISCONTINUITY = 10
/** As far (seconds) may decode times go back in them before it counts as a jump. */
const MAX_BACKWARD = 0.1
/** Intervals between packets are counted by milliseconds, up to a second. */
const INTERVAL_BUCKETS = 1000

/** The times of one stream on one timeline. */
type Lane = {
  start: number
  end: number
  latest: number
  firstKeyframe: number | null
  lastKeyframe: number | null
  keyframeGap: number | null
  longestGap: number
  longestInterval: number
}

type StreamState = {
  /** Times as the file has them, and with its jumps corrected. */
  raw: Lane
  corrected: Lane
  shown: number
  all: number
  hiddenBefore: boolean
  hiddenAfter: boolean
  newParameters: boolean
  encrypted: boolean
  goesBack: boolean
  intervals: Uint32Array
  lastDecodeTime: number | null
  /** As the file has it. */
  lastDts: number | null
  nextDecodeTime: number | null
}

/** Collects the times of all streams of a file, packet by packet in the order of the file, in a bounded amount of memory. */
export class PacketTimeline {
  readonly #streams = new Map<number, StreamState>()
  #offset = 0
  #jumped = false

  add(index: number, packet: DemuxedPacket): void {
    const stream = this.#stream(index)
    const time = packet.pts ?? packet.dts
    const decodeTime = packet.dts ?? packet.pts
    stream.newParameters ||= packet.newParameters && stream.all > 0
    stream.encrypted ||= packet.encrypted
    stream.all++
    if (time === null || decodeTime === null) {
      if (!packet.hidden) stream.shown++
      return
    }
    const offset = this.#offset
    if (packet.continuous && packet.dts !== null) this.#correctJump(stream, packet.dts)
    const interval = stream.lastDecodeTime === null ? 0 : decodeTime - stream.lastDecodeTime
    stream.lastDecodeTime = decodeTime
    // Parts that overlap a little: ffmpeg corrects no jump, but two packets of a copy would have the same time.
    stream.goesBack ||= packet.dts !== null && stream.lastDts !== null && packet.dts <= stream.lastDts
    stream.lastDts = packet.dts ?? stream.lastDts
    if (packet.dts !== null) stream.nextDecodeTime = packet.dts + this.#offset + packet.duration
    if (packet.hidden) {
      if (stream.shown === 0) stream.hiddenBefore = true
      else stream.hiddenAfter = true
      return
    }
    stream.raw.longestInterval = Math.max(stream.raw.longestInterval, interval)
    // Where a jump is corrected, what comes next follows at once.
    if (this.#offset === offset) stream.corrected.longestInterval = Math.max(stream.corrected.longestInterval, interval)
    if (interval > 0) stream.intervals[Math.min(INTERVAL_BUCKETS, Math.round(interval * 1000))]!++
    stream.shown++
    addToLane(stream.raw, time, packet)
    addToLane(stream.corrected, time + this.#offset, packet)
  }

  /**
   * The times of a stream from `start`, the start of the file in seconds; null if nothing of it is shown. `correctJumps`: as ffmpeg decodes
   * formats whose times may be discontinuous (AVFMT_TS_DISCONT).
   */
  timesOf(index: number, { start, correctJumps }: { start: number; correctJumps: boolean }): StreamTimes | null {
    const stream = this.#streams.get(index)
    const lane = correctJumps ? stream?.corrected : stream?.raw
    if (!stream || !lane || stream.shown === 0) return null
    const timed = lane.start <= lane.latest
    const span = timed ? lane.latest - lane.start : 0
    const rate = span > 0 ? (stream.shown - 1) / span : 0
    const keyframeGap = lane.lastKeyframe === null ? null : Math.max(lane.keyframeGap ?? 0, lane.end - lane.lastKeyframe)
    return {
      packets: stream.shown,
      start: timed ? lane.start - start : 0,
      end: timed ? lane.end - start : 0,
      last: timed ? lane.latest - start : 0,
      firstKeyframe: lane.firstKeyframe === null ? null : lane.firstKeyframe - start,
      keyframeGap,
      longestGap: lane.longestGap,
      longestInterval: lane.longestInterval,
      rate,
      peakRate: Math.max(rate, peakRateOf(stream.intervals)),
      hidesPackets: stream.hiddenAfter,
      hidesStart: stream.hiddenBefore,
      changesParameters: stream.newParameters,
      encrypted: stream.encrypted,
      jumps: stream.goesBack || (correctJumps && this.#jumped)
    }
  }

  #stream(index: number): StreamState {
    const known = this.#streams.get(index)
    if (known) return known
    const created: StreamState = {
      raw: createLane(),
      corrected: createLane(),
      shown: 0,
      all: 0,
      hiddenBefore: false,
      hiddenAfter: false,
      newParameters: false,
      encrypted: false,
      goesBack: false,
      intervals: new Uint32Array(INTERVAL_BUCKETS + 1),
      lastDecodeTime: null,
      lastDts: null,
      nextDecodeTime: null
    }
    this.#streams.set(index, created)
    return created
  }

  // As ffmpeg does: the stream that notices a jump first moves all streams of the file.
  #correctJump(stream: StreamState, decodeTime: number): void {
    if (stream.nextDecodeTime === null) return
    const difference = decodeTime + this.#offset - stream.nextDecodeTime
    if (Math.abs(difference) <= MAX_DISCONTINUITY && difference >= -MAX_BACKWARD) return
    this.#offset -= difference
    this.#jumped = true
    stream.goesBack ||= difference < 0
  }
}

function createLane(): Lane {
  const none = { firstKeyframe: null, lastKeyframe: null, keyframeGap: null }
  return { start: Infinity, end: -Infinity, latest: -Infinity, ...none, longestGap: 0, longestInterval: 0 }
}

function addToLane(lane: Lane, time: number, { duration, keyframe }: DemuxedPacket): void {
  const end = time + duration
  if (lane.end !== -Infinity) lane.longestGap = Math.max(lane.longestGap, time - lane.end)
  lane.start = Math.min(lane.start, time)
  lane.end = Math.max(lane.end, end)
  lane.latest = Math.max(lane.latest, time)
  if (!keyframe) return
  lane.firstKeyframe ??= time
  if (lane.lastKeyframe !== null) lane.keyframeGap = Math.max(lane.keyframeGap ?? 0, time - lane.lastKeyframe)
  lane.lastKeyframe = time
}

function peakRateOf(intervals: Uint32Array): number {
  const count = intervals.reduce((sum, value) => sum + value, 0)
  let below = 0
  for (let milliseconds = 1; milliseconds < INTERVAL_BUCKETS; milliseconds++) {
    below += intervals[milliseconds]!
    if (below > count / 10) return 1000 / milliseconds
  }
  return 0
}
