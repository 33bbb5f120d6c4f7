import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { projectFolder } from '../core/config.ts'
import { createScratchFolder, h264Args, runFfmpegIn, toneInputArgs, videoInputArgs } from '../test/media-fixtures.ts'
import { unlimitedProbeLimits } from '../test/media-settings.ts'
import { extractSubtitles } from './extract-subtitles.ts'
import { probeMedia } from './probe.ts'
import { SUBTITLES } from './subtitle-internals.ts'

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
const pathOf = (name: string) => join(scratch.folder, name)
beforeAll(async () => {
  scratch = await createScratchFolder()
})
afterAll(async () => await scratch.remove())

const srt = (...cues: [times: string, text: string][]) => cues.map(([times, text], index) => `${index + 1}\n${times}\n${text}\n`).join('\n')
const FIRST = '00:00:01,000 --> 00:00:02,000'

type Track = { text: string | Uint8Array; extension?: string; input?: string[]; codec?: string }
/** Makes a file of four seconds with these tracks. */
async function make(name: string, tracks: Track[], input = videoInputArgs(4, 25, '64x64'), output: string[] = h264Args): Promise<string> {
  const files = await Promise.all(
    tracks.map(async ({ text, extension = 'srt' }, index) => {
      await writeFile(pathOf(`${index}-${name}.${extension}`), text)
      return `${index}-${name}.${extension}`
    })
  )
  await runFfmpegIn(
    scratch.folder,
    ...input,
    ...files.flatMap((file, index) => [...(tracks[index]!.input ?? []), '-i', file]),
    ...[...input.filter(argument => argument === '-i'), ...tracks].flatMap((_, index) => ['-map', String(index)]),
    ...output,
    ...tracks.flatMap(({ codec = 'copy' }, index) => [`-c:s:${index}`, codec]),
    name
  )
  return pathOf(name)
}

/** What is extracted of a file, by the order of its streams; nothing may be left behind, and no step may take long. */
async function extract(path: string, { withCodec = true, signal = new AbortController().signal } = {}): Promise<(string | null)[]> {
  const { subtitles, duration } = await probeMedia(path, { ...unlimitedProbeLimits, maxStreams: 100 })
  const folder = await mkdtemp(pathOf('extracted '))
  const streams = subtitles.map(stream => (withCodec ? stream : { index: stream.index, language: stream.language }))
  const texts: (string | null)[] = []
  try {
    for await (const { stream, webVtt } of extractSubtitles(path, streams, { folder, duration, timeoutMs: 60_000, signal })) {
      expect(stream).toBe(streams[texts.length])
      texts.push(webVtt)
    }
  } finally {
    expect(await readdir(folder)).toEqual([])
  }
  return texts
}

const only = (text: string, times = '00:01.000 --> 00:02.000') => [`WEBVTT\n\n${times}\n${text}\n`]

describe('formats', () => {
  const text = 'Hello <i>you</i> & <b>me</b>: 1 < 2, a --> b'
  const expected = only('Hello <i>you</i> &amp; <b>me</b>: 1 &lt; 2, a --&gt; b')

  it.each(['subrip', 'ass', 'mov_text'])('%s is extracted with its tags, escaped', async codec => {
    const path = await make(codec === 'mov_text' ? 'format.mp4' : `${codec}.mkv`, [{ text: srt([FIRST, text]), codec }])
    expect(await extract(path)).toEqual(expected)
    // Older probes do not say the codec.
    expect(await extract(path, { withCodec: false })).toEqual(expected)
  })

  it('WebVTT is extracted with its settings, also of WebM', async () => {
    const source =
      'WEBVTT\n\nname\n00:01.000 --> 00:02.000 line:10% onload:x\n<v Ada>1 &lt; 2</v> &amp;lt; <i.loud>x</i> <00:01.500>{y} \\N\n'
    const path = await make('webvtt.webm', [{ text: source, extension: 'vtt' }], undefined, ['-c:v', 'libvpx'])
    expect(await extract(path)).toEqual(only('1 &lt; 2 &amp;lt; <i>x</i> {y} \\N', '00:01.000 --> 00:02.000 line:10%'))
  })

  it('ASS keeps styles, and leaves out drawings and comments', async () => {
    const ass =
      '[Script Info]\nScriptType: v4.00+\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, ' +
      'Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding\n' +
      'Style: Sign,Arial,20,&H0,&H0,&H0,&H0,-1,0,0,0,100,100,0,0,1,1,0,8,1,1,1,1\n[Events]\n' +
      'Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\n' +
      'Dialogue: 1,0:00:01.00,0:00:02.00,Sign,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}EXIT, {\\i1}<here>\\N{a comment}now\n' +
      'Comment: 0,0:00:01.00,0:00:02.00,Sign,,0,0,0,,never\n'
    const path = await make('styled.mkv', [{ text: ass, extension: 'ass' }])
    expect(await extract(path)).toEqual(only('<b>EXIT, <i>&lt;here&gt;\nnow</i></b>', '00:01.000 --> 00:02.000 line:0'))
  })

  it('bytes that are no UTF-8, NUL, CRLF and blank lines are made text', async () => {
    const text = Buffer.concat([Buffer.from(`1\r\n${FIRST}\r\ncaf`), Buffer.from([0xe9, 0xed, 0xa0, 0x80]), Buffer.from('\r\nb\r\n')])
    const path = await make('bytes.mkv', [{ text, input: ['-sub_charenc_mode', 'do_nothing'] }])
    expect(await extract(path)).toEqual(only('caf\ufffd\ufffd\ufffd\ufffd\nb'))
  })

  it('several streams are extracted at once; empty ones give nothing', async () => {
    const path = await make('several.mkv', [
      { text: srt([FIRST, 'One']) },
      { text: srt([FIRST, '<i> </i>']) },
      { text: srt([FIRST, 'Three']) }
    ])
    expect(await extract(path)).toEqual([...only('One'), null, ...only('Three')])
  })

  it('the forced track that precedes the full one keeps its text to itself', async ({ skip }) => {
    const path = join(projectFolder, '../shared/cases/media/forced-then-full.mkv')
    if (!existsSync(path)) skip()
    const { subtitles } = await probeMedia(path, unlimitedProbeLimits)
    expect(subtitles.map(({ kind, language }) => [kind, language])).toEqual([
      ['forced', 'eng'],
      ['subtitles', 'eng']
    ])
    expect(await extract(path)).toEqual([
      'WEBVTT\n\n00:01.021 --> 00:02.021\n[sign: forced only]\n',
      'WEBVTT\n\n00:01.021 --> 00:02.021\nHello <i>world</i> &amp; <b>others</b> 1 &lt; 2\n\n00:03.021 --> 00:03.029 line:0\nTop line --&gt; arrow\nsecond line\n'
    ])
  })
})

describe('times', () => {
  it('are relative to the start of the file, whatever its clock says', async () => {
    const early = await make('early.mkv', [{ text: srt([FIRST, 'Hi']) }], [...videoInputArgs(4, 25, '64x64'), ...toneInputArgs(4)])
    await runFfmpegIn(scratch.folder, '-i', 'early.mkv', '-map', '0', '-c', 'copy', '-output_ts_offset', '100', 'late.mkv')
    const texts = await extract(early)
    // The priming of the audio comes before the video.
    expect(texts[0]).toMatch(/^WEBVTT\n\n00:01\.0[0-4]\d --> 00:02\.0[0-4]\d\nHi\n$/)
    expect(await extract(pathOf('late.mkv'))).toEqual(texts)
  })

  it('end with the video', async () => {
    const path = await make('long.mkv', [
      { text: srt(['00:00:02,000 --> 01:00:00,000', 'Long'], ['00:30:00,000 --> 00:31:00,000', 'Late']) }
    ])
    expect(await extract(path)).toEqual(['WEBVTT\n\n00:02.000 --> 00:04.000\nLong\n'])
  })
})

describe('bombs', () => {
  it('of many cues, one long cue and many at a time give short files, and spare other tracks', async () => {
    const clock = (index: number) => `00:00:0${Math.floor(index / 100_000)},${String(Math.floor(index / 100) % 1000).padStart(3, '0')}`
    const many = Array.from(
      { length: 300_000 },
      (_, index) => `${index + 1}\n${clock(index)} --> ${clock(index + 100)}\ncue ${index}\n`
    ).join('\n')
    const path = await make('bombs.mkv', [
      { text: many },
      { text: srt([FIRST, 'long '.repeat(12 * 1024 * 1024)]) },
      { text: srt(...Array.from({ length: 10_000 }, (_, index): [string, string] => [FIRST, `at once ${index}`])) },
      { text: srt(['00:00:01,000 --> 00:00:01,000', 'no end']) },
      { text: srt([FIRST, 'honest']) }
    ])
    const rss = process.memoryUsage().rss
    const startedAt = performance.now()
    const [cues, long, together, open, honest] = await extract(path)
    expect(performance.now() - startedAt).toBeLessThan(20_000)
    expect(process.memoryUsage().rss - rss).toBeLessThan(300 * 1024 * 1024)
    expect(cues!.split('\n\n').length - 1).toBeLessThanOrEqual(SUBTITLES.maxCues)
    expect(cues!.length).toBeGreaterThan(100_000)
    expect(long!.length).toBeLessThan(SUBTITLES.cue.maxCharacters + 50)
    expect(together!.split('\n\n')).toHaveLength(1 + SUBTITLES.maxSimultaneousCues)
    expect([open, honest]).toEqual([...only('no end', '00:01.000 --> 00:04.000'), ...only('honest')])
    await rm(path)
  })

  it('a long cue that ffmpeg has to decode is cut', async () => {
    const path = await make('decoded.mp4', [
      { text: srt([FIRST, 'long '.repeat(10_000)], ['00:00:02,000 --> 00:00:03,000', 'next']), codec: 'mov_text' }
    ])
    const [text] = await extract(path)
    expect(text!.length).toBeLessThan(SUBTITLES.cue.maxCharacters + 100)
    expect(text).toMatch(/next\n$/)
  })

  it('a stream that lies about the order of its lines holds nothing back', async () => {
    const events = Array.from(
      { length: 2000 },
      (_, index) => `Dialogue: 0,0:00:00.${String(index % 99).padStart(2, '0')},0:00:03.00,Default,,0,0,0,,line ${index}\n`
    )
    const path = await make('order.mkv', [{ text: `[Script Info]\nScriptType: v4.00+\n[Events]\n${events.join('')}`, extension: 'ass' }])
    expect((await extract(path))[0]!.split('\n\n').length).toBeGreaterThan(SUBTITLES.maxSimultaneousCues)
  })
})

it('rejects when it is stopped, and leaves nothing behind', async () => {
  const path = await make('stopped.mkv', [{ text: srt([FIRST, 'Hi']) }])
  await expect(extract(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
})
