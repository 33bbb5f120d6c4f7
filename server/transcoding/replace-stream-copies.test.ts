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
let place: string
beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'bobine-copies-'))
  site = await startTestInstance(
    { transcoding: { progress_interval: '100 ms', resolutions: { '360p': false, '480p': false, '720p': false, '1080p': false } } },
    ['web', 'worker']
  )
  alice = await site.user('alice')
})
afterAll(async () => {
  await site?.stop()
  await rm(place, { recursive: true, force: true })
})

/** A film whose picture and sound are copied, with noise over some packets in the middle of one of them. */
async function noisy(
  stream: 'v' | 'a',
  video: string[] = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '50']
): Promise<Buffer<ArrayBuffer>> {
  const file = await makeFootageFile(join(place, 'film.mp4'), { seconds: SECONDS, size: '426x240', rate: RATE, video })
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

type File = { resolution: { id: number }; hasVideo: boolean; playlistUrl: string; fileUrl: string; size: number }
const filesOf = async (uuid: string): Promise<File[]> => (await waitForTranscoding(site, alice, uuid)).streamingPlaylists[0].files

/** What ffmpeg says of a rendition while it decodes all of it, and how many seconds there are. */
async function decodedWhole({ playlistUrl }: File): Promise<{ said: string; seconds: number }> {
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
    said: stderr,
    seconds:
      Number(
        stdout
          .match(/out_time_us=(\d+)/g)!
          .at(-1)!
          .slice(12)
      ) / 1e6
  }
}

async function expectSound(files: File[], resolutions = [240, 0]): Promise<void> {
  expect(files.map(file => file.resolution.id)).toEqual(resolutions)
  for (const file of files) {
    const { said, seconds } = await decodedWhole(file)
    expect(said, `${file.resolution.id}`).toBe('')
    expect(Math.abs(seconds - SECONDS)).toBeLessThan(0.15)
  }
}

const lists = async (uuid: string) =>
  await Promise.all((await filesOf(uuid)).map(async file => await (await fetch(file.playlistUrl)).text()))

test('a damaged picture that was copied is encoded after all: browsers give up where it cannot be decoded', async () => {
  const film = await noisy('v')
  await writeFile(join(place, 'noisy.mp4'), film)
  // The noise is seen by whoever decodes it.
  expect((await exec('ffmpeg', ['-v', 'warning', '-nostdin', '-i', join(place, 'noisy.mp4'), '-f', 'null', '-'])).stderr).toMatch(/decod/)
  const { uuid } = await uploadVideo(site, alice, {}, film)
  await expectSound(await filesOf(uuid))
  for (const list of await lists(uuid)) expect(list).toContain('#EXT-X-ENDLIST')
})

test('with further qualities the encoding of those tells it; the sound that was copied is decoded by nobody else, and mended too', async () => {
  const restore = await site.call('PUT /config/custom', {
    token: await site.login(),
    body: { transcoding: { resolutions: { '144p': true } } }
  })
  expect(restore.status).toBe(200)
  await expectSound(await filesOf((await uploadVideo(site, alice, {}, await noisy('v'))).uuid), [240, 144, 0])
  await expectSound(await filesOf((await uploadVideo(site, alice, {}, await noisy('a'))).uuid), [240, 144, 0])
  await site.call('DELETE /config/custom', { token: await site.login() })
})

test('a damaged picture that no browser plays is encoded once, as far as it can be seen', async () => {
  const { uuid } = await uploadVideo(
    site,
    alice,
    {},
    await noisy('v', ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'])
  )
  await expectSound(await filesOf(uuid))
})

test('what is far heavier than an encoding goes when that is there; who watches it meanwhile goes on', async () => {
  const heavy = (await readFile(
    await makeFootageFile(join(place, 'heavy.mp4'), {
      seconds: SECONDS,
      size: '640x360',
      rate: RATE,
      video: ['-vf', 'noise=alls=40:allf=t', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '10', '-g', '50']
    })
  )) as Buffer<ArrayBuffer>
  const { uuid } = await uploadVideo(site, alice, {}, heavy)
  let first: File | undefined
  await expect
    .poll(
      async () => {
        first = (await site.call(`GET /videos/${uuid}`, { token: alice.token })).json.streamingPlaylists?.[0]?.files[0]
        return first?.resolution.id
      },
      { interval: 20 }
    )
    .toBe(360)
  const files = await filesOf(uuid)
  await expectSound(files, [360, 240, 0])
  const [top] = files
  expect(top!.fileUrl).not.toBe(first!.fileUrl)
  expect(top!.size).toBeLessThan(heavy.length / 3)
  // Nobody lists it any more, and it is there until the sweeper comes.
  expect((await fetch(first!.fileUrl, { headers: { range: 'bytes=0-99' } })).status).toBe(206)
  const name = new URL(first!.fileUrl).pathname.split('/').at(-1)!
  await access(join(site.folder, 'streaming-playlists/hls', uuid, name))
})

test('a copy that is neither stays what it is', async () => {
  const film = (await readFile(
    await makeFootageFile(join(place, 'light.mp4'), { seconds: SECONDS, size: '426x240', rate: RATE })
  )) as Buffer<ArrayBuffer>
  const { uuid } = await uploadVideo(site, alice, {}, film)
  const [top] = await filesOf(uuid)
  const { stdout } = await exec('ffprobe', [
    '-v',
    'error',
    '-select_streams',
    'v',
    '-show_entries',
    'packet=size',
    '-of',
    'csv=p=0',
    join(place, 'light.mp4')
  ])
  const bytes = stdout
    .trim()
    .split('\n')
    .reduce((sum, size) => sum + Number(size), 0)
  // As large as in the file: the very same pictures.
  expect(Math.abs(top!.size / bytes - 1)).toBeLessThan(0.05)
})
