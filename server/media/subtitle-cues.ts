import { CueTextBuilder } from './cue-text.ts'
import { SUBTITLES } from './subtitle-internals.ts'

/**
 * A cue as WebVTT holds it: times in seconds (`end` is null where the source has none), escaped text of one line or more, and cue settings
 * (`line:0`; may be empty).
 */
export type SubtitleCue = { start: number; end: number | null; text: string; settings: string }

/** The formats whose text is parsed here. */
export type SubtitleFormat = 'srt' | 'webvtt' | 'ass'

const CLOCK = String.raw`(?:(\d{1,6}):)?([0-5]?\d):([0-5]?\d)[.,](\d{1,3})`
/** A line with the times of a cue: `00:00:01,000 --> 00:00:02,500`, in WebVTT with settings after it. */
const TIMING_LINE = new RegExp(String.raw`^[ \t]*${CLOCK}[ \t]*-->[ \t]*${CLOCK}(?:[ \t]+(.*))?$`)
/** A WebVTT cue setting (§4.4), except `region`, which refers to a block of the file. */
const CUE_SETTING =
  /^(vertical:(rl|lr)|line:-?\d{1,4}(\.\d{1,4})?%?(,(start|center|end))?|position:\d{1,3}(\.\d{1,4})?%(,(line-left|center|line-right))?|size:\d{1,3}(\.\d{1,4})?%|align:(start|center|end|left|right))$/
const TOP_SETTING = 'line:0'

/**
 * Yields the cues of a text in the order it has them; what is no cue is skipped. ASS is the form in which ffmpeg writes it: `Dialogue`
 * lines with the fields Layer, Start, End, Style, Name, three margins, Effect, Text. Cues without text are left out.
 */
export function* parseCues(source: string, format: SubtitleFormat): Generator<SubtitleCue> {
  const parsed = format === 'ass' ? parseAss(source) : parseTimedBlocks(source, format)
  for (const cue of parsed) if (cue.text !== '') yield cue
}

/** SRT and WebVTT: a cue reaches up to the next line with times, so that a blank line within its text does not end it. */
function* parseTimedBlocks(source: string, format: 'srt' | 'webvtt'): Generator<SubtitleCue> {
  let cue: Omit<SubtitleCue, 'text'> | null = null
  let lines: string[] = []
  for (const line of splitLines(source)) {
    const times = line.includes('-->') ? TIMING_LINE.exec(line) : null
    if (!times) {
      if (cue) lines.push(line)
      continue
    }
    if (cue) yield { ...cue, ...cueText(withoutNextIdentifier(lines), format, cue.settings) }
    cue = {
      start: secondsOf(times.slice(1, 5)),
      end: secondsOf(times.slice(5, 9)),
      settings: format === 'webvtt' ? allowedSettings(times[9] ?? '') : ''
    }
    lines = []
  }
  if (cue) yield { ...cue, ...cueText(lines, format, cue.settings) }
}

/** Without the number or identifier of the next cue: a line of its own after a blank one. */
function withoutNextIdentifier(lines: string[]): string[] {
  const last = lines.length - 1
  return last >= 0 && lines[last] !== '' && (last === 0 ? /^\d+$/.test(lines[0]!) : lines[last - 1]!.trim() === '')
    ? lines.slice(0, -1)
    : lines
}

function cueText(lines: string[], format: 'srt' | 'webvtt', settings: string): Pick<SubtitleCue, 'text' | 'settings'> {
  // Other blocks of WebVTT between cues.
  const end = format === 'webvtt' ? lines.findIndex((line, index) => /^(NOTE|STYLE|REGION)\b/.test(line) && lines[index - 1] === '') : -1
  const text = lines
    .slice(0, end === -1 ? undefined : end)
    .join('\n')
    .slice(0, SUBTITLES.maxMarkedUpCharacters)
  const builder = new CueTextBuilder(SUBTITLES.cue)
  if (format === 'srt') srtText(text, builder)
  else webVttText(text, builder)
  return { text: builder.finish(), settings: format === 'srt' && /\{\\an[789]\}/.test(text) ? TOP_SETTING : settings }
}

/** Tags, override codes that were taken over from ASS. */
const SRT_TOKEN = /<[^<>]{0,200}>|\{\\[^{}\n]*\}/g

function srtText(text: string, builder: CueTextBuilder): void {
  forEachToken(
    text,
    SRT_TOKEN,
    plain => builder.add(decodeEntities(plain)),
    token => {
      const [, slash, tag] = /^<(\/?)(b|i|u)[ \t]*>$/i.exec(token) ?? []
      if (tag) builder.setTag(tag.toLowerCase(), slash === '')
      else if (token.startsWith('<') && !/^<\/?font\b/i.test(token)) builder.add(token)
    }
  )
}

const WEBVTT_TAGS = ['b', 'i', 'u', 'ruby', 'rt']

function webVttText(text: string, builder: CueTextBuilder): void {
  forEachToken(
    text,
    /<[^<>]*>/g,
    plain => builder.add(decodeEntities(plain)),
    token => {
      // The name may be followed by classes (`i.loud`) or an annotation (`v Ada`).
      const [, slash, tag] = /^<(\/?)([a-z]+)[>.\s]/.exec(token) ?? []
      if (WEBVTT_TAGS.includes(tag!)) builder.setTag(tag!, slash === '')
    }
  )
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', lrm: '\u200e', rlm: '\u200f' }

/** Many SRT files are escaped as WebVTT is. */
function decodeEntities(text: string): string {
  return text.includes('&')
    ? text.replace(/&(amp|lt|gt|quot|apos|nbsp|lrm|rlm);|&#39;/g, (_, name?: string) => ENTITIES[name ?? 'apos']!)
    : text
}

type AssStyle = { tags: string[]; onTop: boolean }
const PLAIN_STYLE: AssStyle = { tags: [], onTop: false }
/** The number of commas before the text of a `Dialogue` line. */
const ASS_FIELDS = 9

function* parseAss(source: string): Generator<SubtitleCue> {
  const styles = new Map<string, AssStyle>()
  let styleFields: string[] = []
  let inStyles = false
  for (const line of splitLines(source)) {
    if (line.startsWith('[')) inStyles = /^\[V4\+ Styles\]/i.test(line)
    else if (inStyles && line.startsWith('Format:')) styleFields = fieldsOf(line)
    else if (inStyles && line.startsWith('Style:')) {
      const values = fieldsOf(line)
      const valueOf = (name: string) => values[styleFields.indexOf(name)] ?? ''
      const tags = [['b', 'Bold'] as const, ['i', 'Italic'] as const, ['u', 'Underline'] as const].filter(
        ([, name]) => Number(valueOf(name)) !== 0
      )
      styles.set(valueOf('Name'), { tags: tags.map(([tag]) => tag), onTop: /^[789]$/.test(valueOf('Alignment')) })
    } else if (line.startsWith('Dialogue:')) {
      const fields = line.slice('Dialogue:'.length).split(',', ASS_FIELDS)
      const times = [fields[1] ?? '', fields[2] ?? ''].map(time => new RegExp(`^${CLOCK}$`).exec(time.trim()))
      if (!times[0] || !times[1]) continue
      const textAt = 'Dialogue:'.length + fields.join(',').length + 1
      yield {
        start: secondsOf(times[0].slice(1, 5)),
        end: secondsOf(times[1].slice(1, 5)),
        ...assText(line.slice(textAt), styles.get((fields[3] ?? '').trim().replace(/^\*/, '')) ?? PLAIN_STYLE)
      }
    }
  }
}

function fieldsOf(line: string): string[] {
  return line
    .slice(line.indexOf(':') + 1)
    .split(',', 40)
    .map(field => field.trim())
}

const ASS_TOKEN = /\\[Nnh{}]|\{[^{}]*\}/g
/** An override code: bold, italics, underline, drawing, reset to a style, alignment (and its older form). */
const ASS_CODE = /\\(?:([biu]|p|an)(\d+)|(r)[^\\]*)/g

function assText(text: string, style: AssStyle): Pick<SubtitleCue, 'text' | 'settings'> {
  const builder = new CueTextBuilder(SUBTITLES.cue)
  let onTop = style.onTop
  let drawing = false
  for (const tag of style.tags) builder.setTag(tag, true)
  const add = (plain: string) => {
    if (!drawing) builder.add(plain)
  }
  const override = ([, code, value, reset]: RegExpMatchArray) => {
    if (reset) for (const tag of ['b', 'i', 'u']) builder.setTag(tag, style.tags.includes(tag))
    else if (code === 'p') drawing = value !== '0'
    else if (code === 'an') onTop = /^[789]$/.test(value!)
    // \b takes a weight, too.
    else builder.setTag(code!, code === 'b' ? value === '1' || Number(value) > 500 : value !== '0')
  }
  forEachToken(text.slice(0, SUBTITLES.maxMarkedUpCharacters), ASS_TOKEN, add, token => {
    if (token === '\\N') add('\n')
    else if (token === '\\n') add(' ')
    else if (token === '\\h') add('\u00a0')
    else if (token.startsWith('\\')) add(token[1]!)
    else for (const code of token.matchAll(ASS_CODE)) override(code)
  })
  return { text: builder.finish(), settings: onTop ? TOP_SETTING : '' }
}

/** Calls `onText` with the text between matches of a pattern and `onToken` with each match. */
function forEachToken(text: string, pattern: RegExp, onText: (text: string) => void, onToken: (token: string) => void): void {
  let end = 0
  for (const { 0: token, index } of text.matchAll(pattern)) {
    if (index > end) onText(text.slice(end, index))
    onToken(token)
    end = index + token.length
  }
  if (end < text.length) onText(text.slice(end))
}

function* splitLines(source: string): Generator<string> {
  for (const { 0: line } of source.matchAll(/[^\r\n]*(?:\r\n|[\r\n]|$)/g)) yield line.replace(/[\r\n]+$/, '')
}

function allowedSettings(settings: string): string {
  return settings
    .split(/[ \t]+/, 10)
    .filter(setting => CUE_SETTING.test(setting))
    .join(' ')
}

function secondsOf([hours, minutes, seconds, fraction]: (string | undefined)[]): number {
  return Number(hours ?? 0) * 3600 + Number(minutes) * 60 + Number(seconds) + Number((fraction ?? '0').padEnd(3, '0')) / 1000
}
