import { parseCues, type SubtitleCue, type SubtitleFormat } from './subtitle-cues.ts'
import { SUBTITLES } from './subtitle-internals.ts'

/** Cues of the same text within this time (s) are one: typesetting has one for each frame and each layer. */
const SAME_CUE_GAP = 0.05

type TimedCue = SubtitleCue & { end: number }

/**
 * Converts subtitles to WebVTT (https://www.w3.org/TR/webvtt1/) of at most the bounds in `SUBTITLES`: what exceeds them is cut. Cues are
 * sorted and end within the `duration` of the video in seconds, if that is known. Bytes that are no UTF-8 become U+FFFD. Returns null where
 * no cue is left.
 */
export function convertToWebVtt(source: Uint8Array, format: SubtitleFormat, duration: number | null): string | null {
  const text = new TextDecoder().decode(source.subarray(0, SUBTITLES.maxSourceBytes))
  const cues = limitCues(text, format)
  // Stable: cues that start together keep their order.
  cues.sort((a, b) => a.start - b.start)
  let bytes = 0
  let webVtt = 'WEBVTT\n'
  for (const cue of placeCues(cues, duration ?? Infinity)) {
    const block = `\n${formatTime(cue.start)} --> ${formatTime(cue.end)}${cue.settings && ` ${cue.settings}`}\n${cue.text}\n`
    bytes += Buffer.byteLength(block)
    if (bytes > SUBTITLES.maxBytes) break
    webVtt += block
  }
  return bytes === 0 ? null : webVtt
}

/** Whether these are the bytes of a WebVTT file (https://www.w3.org/TR/webvtt1/#file-structure): UTF-8 with its signature. */
export function isWebVtt(bytes: Uint8Array): boolean {
  try {
    return /^WEBVTT(?:[ \t\n\r]|$)/.test(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return false
  }
}

function limitCues(text: string, format: SubtitleFormat): SubtitleCue[] {
  const cues: SubtitleCue[] = []
  for (const cue of parseCues(text, format)) if (cues.push(cue) >= SUBTITLES.maxCues) break
  return cues
}

/** Gives sorted cues an end within the duration, joins those that only continue each other, and limits how many are shown at one time. */
function placeCues(cues: SubtitleCue[], duration: number): TimedCue[] {
  const placed: TimedCue[] = []
  let shown: TimedCue[] = []
  cues.forEach((cue, index) => {
    if (cue.start >= duration) return
    const next = cues.slice(index + 1, index + 1 + SUBTITLES.maxSimultaneousCues).find(({ start }) => start > cue.start)
    const openEnd = Math.min(next?.start ?? Infinity, cue.start + SUBTITLES.openSeconds)
    const end = Math.min(cue.end !== null && cue.end > cue.start ? cue.end : openEnd, duration)
    shown = shown.filter(other => other.end > cue.start - SAME_CUE_GAP)
    const same = shown.find(other => other.text === cue.text && other.settings === cue.settings)
    if (same) {
      same.end = Math.max(same.end, end)
      return
    }
    const overlapping = shown.filter(other => other.end > cue.start)
    if (overlapping.length >= SUBTITLES.maxSimultaneousCues) {
      const [oldest] = overlapping
      if (oldest!.start === cue.start) return
      oldest!.end = cue.start
    }
    const timed = { ...cue, end }
    shown.push(timed)
    placed.push(timed)
  })
  return placed
}

function formatTime(seconds: number): string {
  const milliseconds = Math.round(seconds * 1000)
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0')
  const [hours, minutes] = [Math.floor(milliseconds / 3_600_000), Math.floor(milliseconds / 60_000) % 60]
  return `${hours > 0 ? `${pad(hours)}:` : ''}${pad(minutes)}:${pad(Math.floor(milliseconds / 1000) % 60)}.${pad(milliseconds % 1000, 3)}`
}
