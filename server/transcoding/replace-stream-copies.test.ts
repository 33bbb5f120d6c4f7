import { execFile } from 'node:child_process'
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFootageFile } from '../test/footage.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'

const exec = promisify(execFile)
const SECONDS = 8
const RATE = 25
let site: TestInstance
let alice: Awaited<ReturnType<TestInstance['user']>>
let scratchFolder: string
beforeAll(async () => {
  scratchFolder = await mkdtemp(join(tmpdir(), 'bobine-copies-'))
  site = await startTestInstance(
    { transcoding: { progress_interval: '100 ms', resolutions: { '360p': false, '480p': false, '720p': false, '1080p': false } } },
    ['web', 'worker']
  )
  alice = await site.user('alice')
})
afterAll(async () => {
  await site?.stop()
  await rm(scratchFolder, { recursive: true, force: true })
})

/** Makes a video whose streams can be copied, with noise over some packets in the middle of one of them. */
async function makeDamagedVideo(
  stream: 'v' | 'a',
  video: string[] = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50']
): Promise<Buffer<ArrayBuffer>> {
  const file = await makeFootageFile(join(scratchFolder, 'film.mp4'), { seconds: SECONDS, size: '426x240', rate: RATE, video })
  const { stdout } = await exec('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    stream,
    '-show_entries',
    'packet=pos,size',
    '-of',
    'csv=p=0',
    file
  ])
  const packets = stdout
    .trim()
    .split('\n')
    .map(line => line.split(',').map(Number) as [size: number, pos: number])
  const bytes = (await readFile(file)) as Buffer<ArrayBuffer>
  for (const [size, pos] of packets.slice(packets.length * 0.45, packets.length * 0.5))
    for (let i = 0; i < size; i++) bytes[pos + i] = (i * 7919 + pos) & 0xff
  return bytes
}

type TestVideoFile = { resolution: { id: number }; hasVideo: boolean; playlistUrl: string; fileUrl: string; size: number }
const transcodedFiles = async (uuid: string): Promise<TestVideoFile[]> =>
  (await waitForTranscoding(site, alice, uuid)).streamingPlaylists[0].files

/** Decodes a rendition completely; returns the warnings of ffmpeg and the duration in seconds. */
async function decodeCompletely({ playlistUrl }: TestVideoFile): Promise<{ warnings: string; seconds: number }> {
  const { stdout, stderr } = await exec('ffmpeg', [
    '-v',
    'warning',
    '-nostdin',
    '-i',
    playlistUrl,
    '-progress',
    '-',
    '-nostats',
    '-f',
    'null',
    '-'
  ])
  return {
    warnings: stderr,
    seconds:
      Number(
        stdout
          .match(/out_time_us=(\d+)/g)!
          .at(-1)!
          .slice(12)
      ) / 1e6
  }
}

async function expectUndamaged(files: TestVideoFile[], resolutions = [240, 0]): Promise<void> {
  expect(files.map(file => file.resolution.id)).toEqual(resolutions)
  for (const file of files) {
    const { warnings, seconds } = await decodeCompletely(file)
    expect(warnings, `${file.resolution.id}`).toBe('')
    expect(Math.abs(seconds - SECONDS)).toBeLessThan(0.15)
  }
}

const readPlaylists = async (uuid: string) =>
  await Promise.all((await transcodedFiles(uuid)).map(async file => await (await fetch(file.playlistUrl)).text()))

test('a copied video stream with decode errors is encoded after all', async () => {
  const videoFile = await makeDamagedVideo('v')
  await writeFile(join(scratchFolder, 'noisy.mp4'), videoFile)
  // The noise causes decode errors.
  expect((await exec('ffmpeg', ['-v', 'warning', '-nostdin', '-i', join(scratchFolder, 'noisy.mp4'), '-f', 'null', '-'])).stderr).toMatch(
    /decod/
  )
  const { uuid } = await uploadVideo(site, alice, {}, videoFile)
  await expectUndamaged(await transcodedFiles(uuid))
  for (const list of await readPlaylists(uuid)) expect(list).toContain('#EXT-X-ENDLIST')
})

test('decode errors are found also if other renditions are encoded; copied audio is checked and replaced too', async () => {
  const configUpdate = await site.call('PATCH /config/custom', {
    token: await site.login(),
    body: { transcoding: { resolutions: { '144p': true } } }
  })
  expect(configUpdate.status).toBe(200)
  await expectUndamaged(await transcodedFiles((await uploadVideo(site, alice, {}, await makeDamagedVideo('v'))).uuid), [240, 144, 0])
  await expectUndamaged(await transcodedFiles((await uploadVideo(site, alice, {}, await makeDamagedVideo('a'))).uuid), [240, 144, 0])
  await site.call('DELETE /config/custom', { token: await site.login() })
})

test('a damaged video stream that has to be encoded is encoded once', async () => {
  const { uuid } = await uploadVideo(
    site,
    alice,
    {},
    await makeDamagedVideo('v', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'])
  )
  await expectUndamaged(await transcodedFiles(uuid))
})

test('a copy with a far higher bit rate than an encoding is replaced, and its files stay for current viewers', async () => {
  const heavyFile = (await readFile(
    await makeFootageFile(join(scratchFolder, 'heavy.mp4'), {
      seconds: SECONDS,
      size: '640x360',
      rate: RATE,
      video: ['-vf', 'noise=alls=40:allf=t', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '10', '-g', '50']
    })
  )) as Buffer<ArrayBuffer>
  const { uuid } = await uploadVideo(site, alice, {}, heavyFile)
  let first: TestVideoFile | undefined
  await expect
    .poll(
      async () => {
        first = (await site.call(`GET /videos/${uuid}`, { token: alice.token })).json.streamingPlaylists?.[0]?.files[0]
        return first?.resolution.id
      },
      { interval: 20 }
    )
    .toBe(360)
  const files = await transcodedFiles(uuid)
  await expectUndamaged(files, [360, 240, 0])
  const [top] = files
  expect(top!.fileUrl).not.toBe(first!.fileUrl)
  expect(top!.size).toBeLessThan(heavyFile.length / 3)
  // It is not listed any more, but exists until it is swept.
  expect((await fetch(first!.fileUrl, { headers: { range: 'bytes=0-99' } })).status).toBe(206)
  const filename = new URL(first!.fileUrl).pathname.split('/').at(-1)!
  await access(join(site.folder, 'streaming-playlists/hls', uuid, filename))
})

test('other copies stay', async () => {
  const videoFile = (await readFile(
    await makeFootageFile(join(scratchFolder, 'light.mp4'), { seconds: SECONDS, size: '426x240', rate: RATE })
  )) as Buffer<ArrayBuffer>
  const { uuid } = await uploadVideo(site, alice, {}, videoFile)
  const [top] = await transcodedFiles(uuid)
  const { stdout } = await exec('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v',
    '-show_entries',
    'packet=size',
    '-of',
    'csv=p=0',
    join(scratchFolder, 'light.mp4')
  ])
  const bytes = stdout
    .trim()
    .split('\n')
    .reduce((sum, size) => sum + Number(size), 0)
  // The same size as in the source, so it was copied.
  expect(Math.abs(top!.size / bytes - 1)).toBeLessThan(0.05)
})
