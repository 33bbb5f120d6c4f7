import { describe, expect, it } from 'vitest'
import { convertToWebVtt } from './webvtt.ts'
import { SUBTITLES } from './subtitle-internals.ts'
import type { SubtitleFormat } from './subtitle-cues.ts'

const convert = (source: string | Uint8Array, format: SubtitleFormat = 'srt', duration: number | null = 3600) =>
  convertToWebVtt(typeof source === 'string' ? Buffer.from(source) : source, format, duration)
/** The text of one cue. */
const textOf = (source: string | Uint8Array, format: SubtitleFormat) =>
  convert(source, format)
    ?.replace(/^WEBVTT\n\n.*\n/, '')
    .slice(0, -1)
const srt = (text: string) => textOf(`1\n00:00:01,000 --> 00:00:02,000\n${text}\n`, 'srt')
const webVtt = (text: string) => textOf(`WEBVTT\n\n00:01.000 --> 00:02.000\n${text}\n`, 'webvtt')
const STYLES =
  '[V4+ Styles]\nFormat: Name, Fontname, Bold, Italic, Underline, Alignment\n' +
  'Style: Default,Arial,0,0,0,2\nStyle: Sign,Arial,-1,0,0,8\nStyle: Thought,Arial,0,-1,0,2\n[Events]\n'
const ass = (text: string, style = 'Default') => textOf(`${STYLES}Dialogue: 0,0:00:01.00,0:00:02.00,${style},,0,0,0,,${text}\n`, 'ass')
const cues = (starts: number[], { seconds = 1, text = (index: number) => `Cue ${index}` } = {}) =>
  starts.map((start, index) => `${index + 1}\n${clock(start)} --> ${clock(start + seconds)}\n${text(index)}\n`).join('\n')
const clock = (seconds: number) => new Date(Math.round(seconds * 1000)).toISOString().slice(11, 23).replace('.', ',')

describe('text of WebVTT', () => {
  it.each([
    ['Hello <i>world</i> & <b>others</b> 1 < 2', 'Hello <i>world</i> &amp; <b>others</b> 1 &lt; 2'],
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['I <3 you > all', 'I &lt;3 you &gt; all'],
    ['a --> b', 'a --&gt; b'],
    ['&lt;i&gt; &amp; &quot;AT&amp;T&#39;s&quot; &copy;', `&lt;i&gt; &amp; "AT&amp;T's" &amp;copy;`],
    ['<font color="red" size=7>Red</font> <FONT>x</font>', 'Red x'],
    ['<I>A<b>B</I>C</b>D', '<i>A<b>B</b></i><b>C</b>D'],
    ['<i>never closed\nsecond line', '<i>never closed\nsecond line</i>'],
    ['</i>closed <i></i>before', 'closed before'],
    ['{\\an8}Top {\\i1}{no code} line', 'Top {no code} line'],
    ['one\n\n  \ntwo\n\n', 'one\ntwo'],
    ['nul\u0000 bell\u0007 tab\tend\u009f', 'nul bell tab end'],
    ['lone \ud800 half', 'lone \ufffd half'],
    ['日本語 😀 עברית', '日本語 😀 עברית'],
    ['<i onclick="x()">x</i>', '&lt;i onclick="x()"&gt;x'],
    ['<<i>b</i>>', '&lt;<i>b</i>&gt;'],
    ['&lt;script&gt;', '&lt;script&gt;']
  ])('of the SRT %j is escaped and keeps its tags', (text, expected) => {
    expect(srt(text)).toBe(expected)
  })

  it.each([
    ['1 &lt; 2 &amp;lt; &amp;amp; x', '1 &lt; 2 &amp;lt; &amp;amp; x'],
    ['<v Ada Lovelace>Hi <c.red.big>you</c> <00:01.500><i.loud>there</i></v>', 'Hi you <i>there</i>'],
    ['<ruby>漢<rt>kan</rt></ruby>', '<ruby>漢<rt>kan</rt></ruby>'],
    ['<lang fr>Bonjour</lang>&nbsp;!&rlm;', 'Bonjour\u00a0!\u200f'],
    ['<script src=x>alert(1)</script>', 'alert(1)'],
    ['a < b', 'a &lt; b'],
    ['- one\n- two\n\nNOTE a --- b\nmore', '- one\n- two']
  ])('of the WebVTT %j is normalized', (text, expected) => {
    expect(webVtt(text)).toBe(expected)
  })

  it.each([
    ['{\\i1}in{\\i0} and {\\b700\\u1}both{\\r} plain', '<i>in</i> and <b><u>both</u></b> plain'],
    ['{\\pos(10,20)\\fad(200,200)\\c&H00FF00&\\be1}<b>{comment}\\Nnext\\nsame\\hspace', '&lt;b&gt;\nnext same\u00a0space'],
    ['{\\k20}ka{\\k30}ra{\\kf10}o{\\iclip(m 0 0)}ke', 'karaoke'],
    ['{\\p1}m 0 0 l 100 0 100 100{\\p0}drawn', 'drawn'],
    ['{\\p1}m 0 0 l 100 0{\\p0}', undefined],
    ['\\{braces\\} a\\b, comma, {unclosed', '{braces} a\\b, comma, {unclosed'],
    ['a --> b & c', 'a --&gt; b &amp; c'],
    ['\\N\\N one \\N \\N two\\N', ' one \n two']
  ])('of the ASS %j is escaped and keeps its tags', (text, expected) => {
    expect(ass(text)).toBe(expected)
  })

  it('has the style of its ASS line, and its place at the top', () => {
    expect(ass('thought {\\i0}said{\\r} thought', 'Thought')).toBe('<i>thought </i>said<i> thought</i>')
    expect(convert(`${STYLES}Dialogue: 0,0:00:01.00,0:00:02.00,Sign,,0,0,0,,EXIT\n`, 'ass')).toBe(
      'WEBVTT\n\n00:01.000 --> 00:02.000 line:0\n<b>EXIT</b>\n'
    )
    expect(convert('1\n00:00:01,000 --> 00:00:02,000\n{\\an8}Up\n')).toBe('WEBVTT\n\n00:01.000 --> 00:02.000 line:0\nUp\n')
  })

  it('has U+FFFD for bytes that are no UTF-8, and no byte order mark', () => {
    const bytes = Buffer.concat([Buffer.from('\ufeff1\n00:00:01,000 --> 00:00:02,000\ncaf'), Buffer.from([0xe9, 0x21, 0xed, 0xa0, 0x80])])
    expect(convert(bytes)).toBe('WEBVTT\n\n00:01.000 --> 00:02.000\ncaf\ufffd!\ufffd\ufffd\ufffd\n')
  })
})

describe('cues', () => {
  it('are read with any line break, with and without hours, numbers and settings', () => {
    const expected = 'WEBVTT\n\n00:01.020 --> 00:02.000\nOne\n\n01:00:03.000 --> 123:00:00.000\nTwo\nlines\n'
    const source = '1\n00:00:01,020 --> 00:00:02,000\nOne\n\n2\n01:00:03,000 --> 123:00:00,000\nTwo\nlines\n'
    for (const lineBreak of ['\n', '\r\n', '\r']) expect(convert(source.replaceAll('\n', lineBreak), 'srt', null)).toBe(expected)
    const withSettings =
      'WEBVTT - a title\n\nSTYLE\n::cue { color: red }\n\nname\n00:01.000 --> 00:02.000 line:10%,end region:x align:start onload:x\nOne\n\n' +
      'NOTE\nof the author\n\nother\n00:00:03.000 --> 00:00:04.000\nTwo\n'
    expect(convert(withSettings, 'webvtt')).toBe(
      'WEBVTT\n\n00:01.000 --> 00:02.000 line:10%,end align:start\nOne\n\n00:03.000 --> 00:04.000\nTwo\n'
    )
  })

  it('keep their blank lines as text, and are sorted', () => {
    const source = '2\n00:00:05,000 --> 00:00:06,000\nLater\n\n\n\n1\n00:00:01,000 --> 00:00:02,000\nUpper\n\n42\n\nlower\n'
    expect(convert(source)).toBe('WEBVTT\n\n00:01.000 --> 00:02.000\nUpper\n42\nlower\n\n00:05.000 --> 00:06.000\nLater\n')
  })

  it('end with the video; without an end, before the next one', () => {
    const source =
      '1\n00:00:01,000 --> 00:00:01,000\nOpen\n\n2\n00:00:04,000 --> 00:00:02,000\nBackwards\n\n3\n00:00:30,000 --> 09:00:00,000\nLong\n\n' +
      '4\n00:01:01,000 --> 00:01:02,000\nToo late\n'
    expect(convert(source, 'srt', 60.5)).toBe(
      'WEBVTT\n\n00:01.000 --> 00:04.000\nOpen\n\n00:04.000 --> 00:14.000\nBackwards\n\n00:30.000 --> 01:00.500\nLong\n'
    )
  })

  it('of the same text that continue each other or lie over each other are one', () => {
    const frames = Array.from(
      { length: 50 },
      (_, frame) =>
        `Dialogue: ${frame % 2},0:00:01.${String(frame).padStart(2, '0')},0:00:01.${frame + 10},Default,,0,0,0,,{\\pos(${frame},0)}Sign\n`
    )
    expect(convert(STYLES + frames.join(''), 'ass')).toBe('WEBVTT\n\n00:01.000 --> 00:01.590\nSign\n')
  })

  it('that are none give no file', () => {
    for (const source of ['', 'WEBVTT\n', 'no cue', '1\n00:00:01,000 --> 00:00:02,000\n<i> \n</i>\n', '\u0000'.repeat(100), '-->\n-->\n'])
      for (const format of ['srt', 'webvtt', 'ass'] as const) expect([source, convert(source, format)]).toEqual([source, null])
  })
})

describe('bounds', () => {
  const times = (vtt: string | null) => [...vtt!.matchAll(/^(\S+) --> (\S+)/gm)].map(([, start, end]) => [start!, end!] as const)
  /** Runs a conversion that must neither take long nor block for long. */
  const convertQuickly = (source: string, format: SubtitleFormat = 'srt', duration: number | null = 36_000) => {
    const before = process.cpuUsage()
    const converted = convert(source, format, duration)
    // Processor time (microseconds), whatever else the machine does; anything quadratic would take hours.
    expect(process.cpuUsage(before).user).toBeLessThan(10_000_000)
    expect(Buffer.byteLength(converted ?? '')).toBeLessThanOrEqual(SUBTITLES.maxBytes + 10)
    return converted
  }

  it('cut hundreds of thousands of cues', () => {
    const text = cues(
      Array.from({ length: 300_000 }, (_, index) => index / 100),
      { seconds: 0.005 }
    )
    const converted = convertQuickly(text)
    expect(times(converted)).toHaveLength(SUBTITLES.maxCues)
  })

  it('cut a cue of 100 MB, of many lines, and of many tags', () => {
    const long = convertQuickly(cues([1], { text: () => 'word '.repeat(20 * 1024 * 1024) }))!
    expect(long.length).toBeLessThan(SUBTITLES.cue.maxCharacters + 100)
    const lines = convertQuickly(cues([1], { text: () => 'x\n'.repeat(1_000_000) }))!
    expect(lines.split('\n')).toHaveLength(SUBTITLES.cue.maxLines + 4)
    for (const markup of [
      '<i>',
      '<i',
      '<',
      '<<<',
      '{\\b1}',
      '{\\',
      '{',
      '<......',
      '&',
      '&lt',
      '<i></i>',
      '\\N',
      '{\\i1',
      '--> ',
      '00:00:01,'
    ])
      for (const format of ['srt', 'webvtt', 'ass'] as const) {
        convertQuickly(cues([1], { text: () => markup.repeat(300_000) }), format)
        convertQuickly(`Dialogue: 0,0:00:01.00,0:00:02.00,Default,,0,0,0,,${markup.repeat(300_000)}`, format)
        convertQuickly(markup.repeat(1_000_000), format)
      }
  })

  it('cut the bytes of the file', () => {
    const converted = convertQuickly(
      cues(
        Array.from({ length: 5000 }, (_, index) => index),
        { text: index => `${index}&`.repeat(300) }
      )
    )!
    expect(Buffer.byteLength(converted)).toBeGreaterThan(SUBTITLES.maxBytes / 2)
    expect(converted.endsWith(';\n')).toBe(true)
  })

  it('limit how many cues are shown at one time, and prefer new ones', () => {
    const together = convertQuickly(cues(Array.from({ length: 10_000 }, () => 1)))
    expect(times(together)).toHaveLength(SUBTITLES.maxSimultaneousCues)
    const staggered = times(
      convertQuickly(
        cues(
          Array.from({ length: 10_000 }, (_, index) => index / 10),
          { seconds: 5000 }
        )
      )
    )
    expect(staggered).toHaveLength(10_000)
    const seconds = (time: string) => time.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)
    for (const [start] of staggered.filter((_, index) => index % 500 === 0))
      expect(
        staggered.filter(other => seconds(other[0]) <= seconds(start) && seconds(other[1]) > seconds(start)).length
      ).toBeLessThanOrEqual(SUBTITLES.maxSimultaneousCues)
  })
})
