import { cp, mkdtemp, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildProgressiveMp4 } from '../media/progressive-mp4.ts'
import { checkMedia, type CheckedLadder, type MediaExpectations } from './media-checker.ts'
import { createScratchFolder, encodeLadder, h264Args, runFfmpegIn, videoInputArgs, type EncodedLadder } from './media-fixtures.ts'

const SECONDS = 4
const everything: Partial<MediaExpectations> = { exactExtinf: true, sameColors: true, joinedEnds: true }
/** Sound that is nowhere like itself: a tone that rises, with pauses. */
const CHIRP = `aevalsrc='0.4*sin(2*PI*(200+300*t)*t)*gt(mod(t,0.9),0.15)':s=48000:d=${SECONDS}`

let scratch: Awaited<ReturnType<typeof createScratchFolder>>
let good: CheckedLadder
let ladder: EncodedLadder

beforeAll(async () => {
  scratch = await createScratchFolder()
  await runFfmpegIn(scratch.folder, ...videoInputArgs(SECONDS), '-f', 'lavfi', '-i', CHIRP, ...h264Args, '-c:a', 'aac', 'film.mp4')
  ladder = await encodeLadder(scratch.folder, 'film.mp4')
  good = {
    source: join(scratch.folder, 'film.mp4'),
    probe: ladder.probe,
    folder: ladder.folder,
    outputs: ladder.outputs.map(output => ({ ...output, copied: output.resolution === 240 }))
  }
})
afterAll(async () => await scratch.remove())

/** What the checker finds after `change` was made to a copy of the good ladder; the small rendition, the copied one and the sound. */
async function findingsAfter(
  change: (paths: Paths) => Promise<unknown>,
  expectations: Partial<MediaExpectations> = everything
): Promise<string[]> {
  const folder = await mkdtemp(join(scratch.folder, 'spoilt '))
  await cp(good.folder, folder, { recursive: true })
  const [small, copied] = [144, 240].map(resolution => ladder.videos.find(video => video.resolution === resolution)!)
  await change({ folder, small: small!, copied: copied!, sound: ladder.audio! })
  return (await checkMedia({ ...good, folder }, expectations)).findings
}

type Names = { playlist: string; file: string }
type Paths = { folder: string; small: Names; copied: Names; sound: Names }

async function editPlaylist(folder: string, { playlist }: Names, edit: (text: string) => string): Promise<void> {
  const path = join(folder, playlist)
  const text = await readFile(path, 'utf8')
  expect(edit(text), 'the edit').not.toBe(text)
  await writeFile(path, edit(text))
}

/** Makes a rendition anew with other options, in the same form as the product's. */
async function remake(folder: string, { playlist, file }: Names, options: string[], input = good.source!): Promise<void> {
  await runFfmpegIn(
    folder,
    '-i',
    input,
    ...options,
    '-f',
    'hls',
    '-hls_segment_type',
    'fmp4',
    '-hls_list_size',
    '0',
    '-hls_time',
    '2',
    '-hls_playlist_type',
    'vod',
    '-hls_flags',
    'single_file+independent_segments',
    '-hls_segment_options',
    'movflags=+negative_cts_offsets:use_editlist=0',
    '-hls_segment_filename',
    file,
    playlist
  )
}

const tagArgs = ['-colorspace', 'smpte170m', '-color_primaries', 'smpte170m', '-color_trc', 'smpte170m', '-color_range', 'tv']
const pictureArgs = (filter: string, ...more: string[]) => untaggedPictureArgs(filter, ...tagArgs, ...more)
const untaggedPictureArgs = (filter: string, ...more: string[]) => [
  ...['-an', '-vf', `scale=192:144,${filter}`, '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '23', '-g', '50', '-sc_threshold', '0'],
  ...['-pix_fmt', 'yuv420p', ...more]
]
const soundArgs = (filter: string) => ['-vn', '-af', `${filter},atrim=start_sample=1024,asetpts=PTS-STARTPTS`, '-c:a', 'aac']

test('nothing is wrong with a good ladder, and everything can be measured', async () => {
  expect(await checkMedia(good, everything)).toEqual({ findings: [], notMeasurable: [] })
})

test('renditions that are made anew without a fault are good', async () => {
  expect(
    await findingsAfter(async ({ folder, small, sound }) => {
      await remake(folder, small, pictureArgs('null'))
      await remake(folder, sound, soundArgs('anull'))
    })
  ).toEqual([])
})

describe('files and playlists', () => {
  test('a file that is cut off', async () => {
    const findings = await findingsAfter(({ folder, small }) => truncate(join(folder, small.file), 20_000))
    expect(findings.join()).toMatch(/144p: byte ranges end at \d+, the file at 20000/)
    expect(findings.join()).toMatch(/144p: .* is cut off at/)
  })

  test('a file that is missing', async () => {
    expect((await findingsAfter(({ folder, small }) => writeFile(join(folder, small.file), ''))).join()).toMatch(/144p: .*has no tracks/)
  })

  test('bytes that cannot be decoded', async () => {
    const findings = await findingsAfter(async ({ folder, small }) => {
      const bytes = await readFile(join(folder, small.file))
      bytes.fill(0xa5, bytes.length - 4000, bytes.length - 1000)
      await writeFile(join(folder, small.file), bytes)
    })
    expect(findings.join('\n')).toMatch(/^144p: .*\[error\]/m)
    expect(findings.join('\n')).not.toMatch(/^(240p|sound)/m)
  })

  test.each<[string, (text: string) => string, RegExp]>([
    ['an EXTINF that is a frame too long', text => text.replace('#EXTINF:2.0', '#EXTINF:2.04'), /144p: EXTINF of segment 0 is 2\.04/],
    ['no ENDLIST', text => text.replace('#EXT-X-ENDLIST', ''), /144p: the playlist has no ENDLIST/],
    ['a TARGETDURATION that is too short', text => text.replace(/(TARGETDURATION:)\d+/, '$11'), /144p: TARGETDURATION is 1/],
    ['a segment of another file', text => text.replace(/^([^#].*)\n#EXT-X-END/m, 'other.mp4\n#EXT-X-END'), /names other\.mp4/],
    ['a byte range with a hole before it', text => text.replace(/(BYTERANGE:\d+@)\d+/, '$12000'), /a byte range begins at 2000 instead/],
    [
      'a segment that is left out',
      text => text.replace(/#EXTINF[^\n]*\n[^\n]*\n[^\n]*\n#EXT-X-ENDLIST/, '#EXT-X-ENDLIST'),
      /byte ranges end at/
    ]
  ])('%s', async (_, edit, finding) => {
    expect((await findingsAfter(({ folder, small }) => editPlaylist(folder, small, edit))).join()).toMatch(finding)
  })

  test('a playlist that does not say that it is complete', async () => {
    const findings = await findingsAfter(
      ({ folder, small }) => editPlaylist(folder, small, text => text.replace(/#EXT-X-PLAYLIST-TYPE:\w+\n/, '')),
      { expectVod: true }
    )
    expect(findings.join()).toMatch(/144p: the complete playlist has not the type VOD/)
    const declared = await findingsAfter(
      ({ folder, small }) => editPlaylist(folder, small, text => text.replace(/(PLAYLIST-TYPE:)\w+/, '$1EVENT')),
      { expectVod: false }
    )
    expect(declared.join()).not.toMatch(/144p/)
  })

  test('a segment that begins within a group of pictures', async () => {
    const findings = await findingsAfter(async ({ folder, small }) => {
      const bytes = await readFile(join(folder, small.file))
      // The flags of the first sample of the second run: no sync sample.
      const run = bytes.indexOf('trun', bytes.indexOf('trun') + 1) + 4
      expect(bytes.readUInt32BE(run) & 5).toBe(5)
      bytes.writeUInt32BE(0x1010000, run + 12)
      await writeFile(join(folder, small.file), bytes)
    })
    expect(findings.join()).toMatch(/144p: segment 1 does not begin with a keyframe/)
  })
})

describe('times', () => {
  test('a picture that begins late', async () => {
    const findings = await findingsAfter(async ({ folder, small }) => {
      const bytes = await readFile(join(folder, small.file))
      for (let at = bytes.indexOf('tfdt'); at >= 0; at = bytes.indexOf('tfdt', at + 1))
        bytes.writeBigUInt64BE(bytes.readBigUInt64BE(at + 8) + 27_000n, at + 8)
      await writeFile(join(folder, small.file), bytes)
    })
    expect(findings.join()).toMatch(/144p: vide: begins at 0\.300/)
    expect(findings.join()).toMatch(/144p: the picture is off by/)
  })

  test('two frames at one time, and one before its decode time', async () => {
    const findings = await findingsAfter(async ({ folder, copied }) => {
      const bytes = await readFile(join(folder, copied.file))
      // The composition offset of the second sample becomes that of the first, less a frame.
      const run = bytes.indexOf('trun') + 4
      const entries = run + 8 + 4 + (bytes.readUInt32BE(run) & 4 ? 4 : 0)
      const entryBytes = 4 * [0x100, 0x200, 0x400, 0x800].filter(flag => bytes.readUInt32BE(run) & flag).length
      bytes.writeInt32BE(bytes.readInt32BE(entries + entryBytes - 4) - 512, entries + 2 * entryBytes - 4)
      await writeFile(join(folder, copied.file), bytes)
    })
    expect(findings.join()).toMatch(/240p: vide: 1 samples are shown at the time of another/)
  })

  test.each([
    ['late', `tpad=start=8:start_mode=clone,trim=end=${SECONDS}`, /144p: the picture is off by (28|29|30|31|32|33|34|35|36)0 ms/],
    [
      'early',
      `trim=start_frame=8,setpts=PTS-STARTPTS,tpad=stop=8:stop_mode=clone`,
      /144p: the picture is off by -(28|29|30|31|32|33|34|35|36)0 ms/
    ],
    ['two frames late', `tpad=start=2:start_mode=clone,trim=end=${SECONDS}`, /144p: the picture is off by (6|7|8|9|10|11|12)0 ms/],
    ['slower and slower', `setpts=PTS*1.1,trim=end=${SECONDS},fps=25`, /144p: the picture is off by .* from 2\.\d s on/]
  ])('a picture that is %s', async (_, filter, finding) => {
    expect((await findingsAfter(({ folder, small }) => remake(folder, small, pictureArgs(filter)))).join()).toMatch(finding)
  })

  test.each([
    ['late', `adelay=300,atrim=end=${SECONDS}`, /sound Audio: the sound is off by (29\d|30\d) ms/],
    ['early', `atrim=start=0.3,asetpts=PTS-STARTPTS,apad=whole_dur=${SECONDS}`, /sound Audio: the sound is off by -(29\d|30\d) ms/],
    ['60 ms late', `adelay=60,atrim=end=${SECONDS}`, /sound Audio: the sound is off by (59|60|61) ms/],
    ['silent', 'volume=0', /the sound of the rendition is silent/],
    ['silent for a while', "volume='if(between(t,1.3,1.7),0,1)':eval=frame", /the sound of the rendition is silent from 1\.3/]
  ])('a sound that is %s', async (_, filter, finding) => {
    expect((await findingsAfter(({ folder, sound }) => remake(folder, sound, soundArgs(filter)))).join()).toMatch(finding)
  })

  test('the offset of a plain tone is found by where it begins', async () => {
    const name = 'tone.mp4'
    await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', 'sine=f=440:d=4', '-c:a', 'aac', name)
    const { probe, folder, outputs, audio } = await encodeLadder(scratch.folder, name)
    const tone: CheckedLadder = { source: join(scratch.folder, name), probe, folder, outputs }
    const { findings, notMeasurable } = await checkMedia(tone)
    expect(findings).toEqual([])
    expect(notMeasurable.join()).toMatch(/it repeats itself/)
    await remake(folder, audio!, soundArgs(`adelay=300,atrim=end=${SECONDS}`), tone.source!)
    expect((await checkMedia(tone)).findings.join()).toMatch(/the sound of the rendition is silent from 0\.00 to 0\.[23]/)
  })

  test('still pictures and their downloads have no offset, which is said', async () => {
    await runFfmpegIn(scratch.folder, '-f', 'lavfi', '-i', 'color=c=orange:s=320x240:r=25:d=3', ...h264Args, 'still.mp4')
    const { probe, folder, outputs } = await encodeLadder(scratch.folder, 'still.mp4')
    const { findings, notMeasurable } = await checkMedia(
      {
        source: join(scratch.folder, 'still.mp4'),
        probe,
        folder,
        outputs: outputs.map(output => ({ ...output, copied: output.resolution === 240 }))
      },
      everything
    )
    expect(findings).toEqual([])
    expect(notMeasurable.join()).toMatch(/it hardly moves/)
  })
})

describe('lengths', () => {
  test.each([
    ['picture', async ({ folder, small }: Paths) => await remake(folder, small, pictureArgs(`trim=end=${SECONDS - 1}`))],
    ['sound', async ({ folder, sound }: Paths) => await remake(folder, sound, soundArgs(`atrim=end=${SECONDS - 1}`))]
  ])('a %s that is a second shorter', async (_, change) => {
    expect((await findingsAfter(change)).join()).toMatch(/lengths differ: .*(144p|sound Audio) (2\.9|3\.0)/)
  })

  test('a length that is not that of the source', async () => {
    const { findings } = await checkMedia({ ...good, probe: { ...good.probe, duration: SECONDS + 0.2 } }, everything)
    expect(findings.join()).toMatch(/lengths differ: .*the source has 4\.200/)
    expect(
      (await checkMedia({ ...good, probe: { ...good.probe, duration: SECONDS + 0.2 } }, { ...everything, sameLength: false })).findings
    ).toEqual([])
  })
})

describe('downloads', () => {
  test('one that lacks the sound', async () => {
    const { findings } = await checkMedia({ ...good, buildDownload: files => buildProgressiveMp4(files.slice(0, 1)) }, everything)
    expect(findings.join()).toMatch(/download of 144p: its packets are not those of the renditions/)
  })

  test('one whose tables point elsewhere', async () => {
    const buildDownload: typeof buildProgressiveMp4 = async files => {
      const made = await buildProgressiveMp4(files)
      const at = made.head.indexOf('stco') + 12
      made.head.writeUInt32BE(made.head.readUInt32BE(at) + 100, at)
      return made
    }
    expect((await checkMedia({ ...good, buildDownload }, everything)).findings.join()).toMatch(/download of 240p: its packets are not/)
  })

  test('one that says another length than its samples have', async () => {
    const buildDownload: typeof buildProgressiveMp4 = async files => {
      const made = await buildProgressiveMp4(files)
      const at = made.head.indexOf('tkhd') + 4 + 28
      made.head.writeBigUInt64BE(made.head.readBigUInt64BE(at) + 90_000n, at)
      return made
    }
    expect((await checkMedia({ ...good, buildDownload }, everything)).findings.join()).toMatch(
      /download of 240p: a track says that it has 5 s/
    )
  })
})

describe('colors', () => {
  test.each([
    ['swapped', 'swapuv'],
    ['of another matrix', 'scale=in_color_matrix=bt601:out_color_matrix=bt709'],
    ['of another range', 'scale=in_range=pc:out_range=tv'],
    ['gray', 'hue=s=0']
  ])('colors that are %s', async (_, filter) => {
    expect((await findingsAfter(({ folder, small }) => remake(folder, small, pictureArgs(filter)))).join()).toMatch(
      /144p: colors differ by/
    )
  })

  test('a picture that is upside down', async () => {
    expect((await findingsAfter(({ folder, small }) => remake(folder, small, pictureArgs('vflip')))).join()).toMatch(
      /144p: from 0\.0 s on it shows something else/
    )
  })

  test('no tags', async () => {
    const expectations = { ...everything, colorTags: true }
    expect((await findingsAfter(({ folder, small }) => remake(folder, small, untaggedPictureArgs('null')), expectations)).join()).toMatch(
      /144p: not tagged: color space, primaries, transfer/
    )
    expect(await findingsAfter(({ folder, small }) => remake(folder, small, pictureArgs('null')), expectations)).toEqual([])
  })
})
