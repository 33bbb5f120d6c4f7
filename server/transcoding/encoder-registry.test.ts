import { execFile } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually } from '../test/instance.ts'
import { startPeerInstance, type PeerInstance } from '../test/peer-instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'

const exec = promisify(execFile)
const SECONDS = 12
let peer: PeerInstance
let programs: string
let alice: Awaited<ReturnType<PeerInstance['user']>>

/**
 * A machine with a device nobody here has: its ffmpeg encodes for `h264_nvenc` in software, no faster than three seconds a second, and the
 * device breaks down after two of them as soon as there is a file `broken`; then no trial passes either.
 */
const DEVICE = `#!/bin/bash
real=$(PATH=\${PATH#*:} command -v ffmpeg); here=$(dirname "$0")
device=; film=; args=(); skip=
for arg in "$@"; do
  [ "$skip" ] && { skip=; continue; }
  case $arg in
    h264_nvenc) device=1; args+=(libx264);;
    -preset:v:*|-tune:v:*|-rc:v:*|-cq:v:*|-b:v:*|-forced-idr:v:*) skip=1;;
    -var_stream_map) film=1; args+=("$arg");;
    *) args+=("$arg");;
  esac
done
[ "$device" ] || exec "$real" "$@"
echo "\${film:-trial}" >> "$here/used"
[ "$film" ] || { [ -e "$here/broken" ] && exit 1; exec "$real" "\${args[@]}"; }
[ -e "$here/broken" ] && exec timeout -s KILL 2 "$real" -readrate 3 "\${args[@]}"
exec "$real" "\${args[@]}"
`

beforeAll(async () => {
  programs = await mkdtemp(join(tmpdir(), 'bobine-programs-'))
  await writeFile(join(programs, 'ffmpeg'), DEVICE)
  await chmod(join(programs, 'ffmpeg'), 0o755)
  peer = await startPeerInstance(
    {
      transcoding: {
        encoder: 'auto',
        encoder_devices: ['/dev/null'],
        encoders_interval: '300 ms',
        progress_interval: '100 ms',
        attempts: 1,
        resolutions: { '360p': false, '480p': false, '720p': false, '1080p': false }
      }
    },
    ['web,worker'],
    { PATH: `${programs}:${process.env.PATH}` }
  )
  alice = await peer.user('alice')
})
afterAll(async () => {
  await peer?.stop()
  await rm(programs, { recursive: true, force: true })
})

const used = async () => (await readFile(join(programs, 'used'), 'utf8')).trim().split('\n')
const encoders = async () => (await peer.call('GET /server/encoders', { token: await peer.login() })).json.data
const film = async () =>
  await makeFootageBytes({ seconds: SECONDS, size: '640x360', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250'] })

async function expectWhole(uuid: string): Promise<void> {
  const { files } = (await waitForTranscoding(peer, alice, uuid)).streamingPlaylists[0]
  expect(files.map((file: any) => file.resolution.id)).toEqual([360, 240, 0])
  for (const file of files.filter((one: any) => one.hasVideo)) {
    const { stdout } = await exec('ffprobe', [
      '-v',
      'error',
      '-select_streams',
      'v:0',
      '-count_frames',
      '-show_entries',
      'stream=nb_read_frames',
      '-of',
      'csv=p=0',
      file.playlistUrl
    ])
    expect(Number.parseInt(stdout, 10)).toBe(SECONDS * 25)
    expect((await (await fetch(file.playlistUrl)).text()).match(/#EXTINF:2\.0000/g)).toHaveLength(SECONDS / 2)
  }
  // Three renditions of two files, the master, the hashes: nothing of an encoder that gave up.
  expect(await readdir(join(peer.folder, 'streaming-playlists/hls', uuid))).toHaveLength(8)
}

test('administrators read what works; what nobody else may', async () => {
  await expect.poll(encoders).toEqual([
    { name: 'h264_nvenc', workers: 1 },
    { name: 'libx264', workers: 1 }
  ])
  expect((await peer.call('GET /server/encoders', { token: alice.token })).status).toBe(403)
  expect((await peer.call('GET /server/encoders')).status).toBe(401)
})

test('a device that works encodes the film', async () => {
  await expectWhole((await uploadVideo(peer, alice, {}, await film())).uuid)
  expect(await used()).toEqual(['trial', '1'])
})

test('one that breaks down in the middle leaves the film to software, and is not asked again', async () => {
  await writeFile(join(programs, 'broken'), '')
  const { uuid } = await uploadVideo(peer, alice, {}, await film())
  // The film could be watched already, by what the device had made of it.
  await eventually(
    async () => (await peer.call(`GET /videos/${uuid}`)).json.streamingPlaylists?.[0]?.files.length > 0,
    30,
    'the first pictures'
  )
  await expectWhole(uuid)
  expect(await used()).toEqual(['trial', '1', '1', 'trial'])
  expect(await encoders()).toEqual([{ name: 'libx264', workers: 1 }])
  await expectWhole((await uploadVideo(peer, alice, {}, await film())).uuid)
  expect(await used()).toHaveLength(4)
})

test('software alone is used where the administrator says so', async () => {
  await rm(join(programs, 'broken'))
  await peer.kill()
  await peer.start()
  await expect.poll(encoders).toContainEqual({ name: 'h264_nvenc', workers: 1 })
  const root = await peer.login()
  expect((await peer.call('PUT /config/custom', { token: root, body: { transcoding: { encoder: 'libx264' } } })).status).toBe(200)
  const before = (await used()).length
  await expectWhole((await uploadVideo(peer, alice, {}, await film())).uuid)
  expect(await used()).toHaveLength(before)
  const wrong = await peer.call('PUT /config/custom', { token: root, body: { transcoding: { encoder: 'h264_abacus' } } })
  expect(wrong.status).toBe(400)
  expect(wrong.json.detail).toContain('transcoding.encoder')
})
