import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../core/config.ts'

const exec = promisify(execFile)

/** Returns the path of a real video file next to the project, null if there is none. */
export function realFootagePath(): string | null {
  const path = join(projectFolder, '../shared/media/the-last-man-on-earth.mp4')
  return existsSync(path) ? path : null
}

/** Generates a video file with ffmpeg: a test pattern and a tone. `video` and `audio` (null: none) are the encoding options. */
export async function makeFootageFile(
  target: string,
  {
    seconds = 4,
    size = '640x360',
    rate = 25,
    video = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50'],
    audio = ['-c:a', 'aac'] as string[] | null
  } = {}
): Promise<string> {
  await exec('ffmpeg', [
    '-v',
    'error',
    '-y',
    '-f',
    'lavfi',
    '-i',
    `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`,
    ...(audio ? ['-f', 'lavfi', '-i', `sine=frequency=440:duration=${seconds}`] : []),
    '-pix_fmt',
    'yuv420p',
    ...video,
    ...(audio ?? []),
    '-shortest',
    target
  ])
  return target
}

const footageByOptions = new Map<string, Promise<Buffer<ArrayBuffer>>>()

/** Returns the bytes of a short H.264/AAC video, generated once per test file. */
export async function makeFootageBytes(
  options: Parameters<typeof makeFootageFile>[1] & { extension?: string } = {}
): Promise<Buffer<ArrayBuffer>> {
  const name = JSON.stringify(options)
  const footage = footageByOptions.get(name) ?? generateFootage(options)
  footageByOptions.set(name, footage)
  return await footage
}

async function generateFootage({
  extension = 'mp4',
  ...rest
}: Parameters<typeof makeFootageBytes>[0] & object): Promise<Buffer<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-footage-'))
  try {
    return (await readFile(await makeFootageFile(join(folder, `film.${extension}`), rest))) as Buffer<ArrayBuffer>
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Generates a Matroska video whose default audio track is the second: English (AC-3, 880 Hz), French (AAC, 440 Hz, default, with a title)
 * and one without language or title (Opus, 1320 Hz).
 */
export async function makeMultiAudioFootage(seconds = 4): Promise<Buffer<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-sounds-'))
  const file = join(folder, 'sounds.mkv')
  try {
    const tone = (frequency: number) => ['-f', 'lavfi', '-i', `sine=f=${frequency}:r=48000:d=${seconds}`]
    await exec('ffmpeg', [
      '-v',
      'error',
      '-nostdin',
      '-f',
      'lavfi',
      '-i',
      `testsrc2=s=426x240:r=25:d=${seconds}`,
      ...tone(880),
      ...tone(440),
      ...tone(1320),
      ...['0', '1', '2', '3'].flatMap(input => ['-map', input]),
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '50',
      '-pix_fmt',
      'yuv420p',
      '-c:a:0',
      'ac3',
      '-c:a:1',
      'aac',
      '-c:a:2',
      'libopus',
      '-metadata:s:a:0',
      'language=eng',
      '-metadata:s:a:1',
      'language=fre',
      '-metadata:s:a:1',
      'title=Version originale',
      '-disposition:a:0',
      '0',
      '-disposition:a:1',
      'default',
      '-disposition:a:2',
      '0',
      file
    ])
    return (await readFile(file)) as Buffer<ArrayBuffer>
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Measures the pitch (Hz) of an audio track of a file or URL, by index. */
export async function measurePitch(input: string, track = 0): Promise<number> {
  const { stdout } = await exec(
    'ffmpeg',
    [
      '-v',
      'error',
      '-nostdin',
      '-i',
      input,
      '-map',
      `0:a:${track}`,
      '-ac',
      '1',
      '-ar',
      '48000',
      '-ss',
      '0.5',
      '-t',
      '1',
      '-f',
      's16le',
      '-'
    ],
    { encoding: 'buffer', maxBuffer: 1 << 20 }
  )
  let crossings = 0
  for (let at = 2; at < stdout.length; at += 2) if (stdout.readInt16LE(at - 2) < 0 && stdout.readInt16LE(at) >= 0) crossings++
  return crossings
}

/**
 * Generates a Matroska video with chapters (the second without a title) and subtitles in English (SubRip), French (ASS), English again and
 * without a language.
 */
export async function makeFootageWithSubtitlesAndChapters(): Promise<Buffer<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-words-'))
  const at = (name: string) => join(folder, name)
  const srtText = (text: string) => `1\n00:00:01,000 --> 00:00:02,500\n${text}\n`
  try {
    for (const [name, words] of [
      ['en', 'Hello <i>you</i>'],
      ['fr', 'Bonjour'],
      ['again', 'Hello again'],
      ['none', 'Hm']
    ])
      await writeFile(at(`${name}.srt`), srtText(words!))
    await writeFile(
      at('chapters.txt'),
      `;FFMETADATA1\n${['title=Beginning', '', 'title=The end of it all'].map((title, index) => `[CHAPTER]\nTIMEBASE=1/1000\nSTART=${index * 1500}\nEND=${index * 1500 + 1500}\n${title}`).join('\n')}\n`
    )
    const subtitles = ['en', 'fr', 'again', 'none']
    await exec('ffmpeg', [
      '-v',
      'error',
      '-nostdin',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=s=426x240:r=25:d=4',
      ...subtitles.flatMap(name => ['-i', at(`${name}.srt`)]),
      '-i',
      at('chapters.txt'),
      ...['0', '1', '2', '3', '4'].flatMap(input => ['-map', input]),
      '-map_chapters',
      '5',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-g',
      '50',
      '-pix_fmt',
      'yuv420p',
      '-c:s',
      'srt',
      '-c:s:1',
      'ass',
      '-metadata:s:s:0',
      'language=eng',
      '-metadata:s:s:1',
      'language=fre',
      '-metadata:s:s:2',
      'language=eng',
      at('words.mkv')
    ])
    return (await readFile(at('words.mkv'))) as Buffer<ArrayBuffer>
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** Subtitles of a generated video: the text of a cue from 1 s to 2 s, and how the stream is tagged. */
export type SubtitleTags = { text: string; language?: string; title?: string; disposition?: string }

/** Generates a Matroska video of four seconds with these SubRip streams. */
export async function makeFootageWithSubtitles(tracks: SubtitleTags[]): Promise<Buffer<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-subtitles-'))
  const at = (name: string | number) => join(folder, String(name))
  try {
    for (const [index, { text }] of tracks.entries()) await writeFile(at(`${index}.srt`), `1\n00:00:01,000 --> 00:00:02,000\n${text}\n`)
    await exec('ffmpeg', [
      ...['-v', 'error', '-nostdin', '-f', 'lavfi', '-i', 'testsrc2=s=426x240:r=25:d=4'],
      ...tracks.flatMap((_, index) => ['-i', at(`${index}.srt`)]),
      ...['-map', '0', ...tracks.flatMap((_, index) => ['-map', String(index + 1)])],
      ...['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '50', '-pix_fmt', 'yuv420p', '-c:s', 'copy'],
      ...tracks.flatMap(({ language, title, disposition = '0' }, index) => [
        ...(language === undefined ? [] : [`-metadata:s:s:${index}`, `language=${language}`]),
        ...(title === undefined ? [] : [`-metadata:s:s:${index}`, `title=${title}`]),
        `-disposition:s:${index}`,
        disposition
      ]),
      at('subtitled.mkv')
    ])
    return (await readFile(at('subtitled.mkv'))) as Buffer<ArrayBuffer>
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
