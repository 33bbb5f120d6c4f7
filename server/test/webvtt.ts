/** Seconds by which a cue may end after the video: containers round. */
const END_TOLERANCE = 0.5

/** Looks whether a text is WebVTT whose cues lie, in order, within a video of this length (seconds); returns what is wrong. */
export function checkWebVtt(text: string, duration: number): string[] {
  if (!/^\uFEFF?WEBVTT(?:[ \t\n\r]|$)/.test(text)) return ['does not begin with WEBVTT']
  const findings: string[] = []
  for (const block of text
    .replaceAll('\r\n', '\n')
    .split(/\n{2,}/)
    .slice(1)) {
    const lines = block.split('\n').filter(line => line !== '')
    if (lines.length === 0 || /^(NOTE|STYLE|REGION)/.test(lines[0]!)) continue
    const timing = lines.findIndex(line => line.includes('-->'))
    const match = /^(\S+)\s+-->\s+(\S+)/.exec(lines[timing] ?? '')
    const [start, end] = [parseTimestamp(match?.[1]), parseTimestamp(match?.[2])]
    if (timing > 1 || start === null || end === null) findings.push(`no cue: ${lines[0]!.slice(0, 60)}`)
    else if (end <= start) findings.push(`a cue ends at ${end} s, before it begins`)
    else if (start >= duration || end > duration + END_TOLERANCE)
      findings.push(`a cue from ${start} to ${end} s is not within the ${duration.toFixed(2)} s of the video`)
    if (lines.slice(timing + 1).some(line => line.includes('-->'))) findings.push(`an arrow within a cue at ${start} s`)
  }
  return findings
}

/** Seconds of a WebVTT timestamp; null if it is none. */
function parseTimestamp(text: string | undefined): number | null {
  const match = /^(?:(\d{2,}):)?([0-5]\d):([0-5]\d\.\d{3})$/.exec(text ?? '')
  return match ? Number(match[1] ?? 0) * 3600 + Number(match[2]) * 60 + Number(match[3]) : null
}
