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
let binFolder: string
let alice: Awaited<ReturnType<PeerInstance['user']>>

/**
 * A fake ffmpeg that encodes for `h264_nvenc` in software. As soon as there is a file `broken`, an encode is killed after two seconds (at
 * three times real time), and trial encodes fail.
 */
const FAKE_FFMPEG = `#!/bin/bash
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
  binFolder = await mkdtemp(join(tmpdir(), 'bobine-programs-'))
  await writeFile(join(binFolder, 'ffmpeg'), FAKE_FFMPEG)
  await chmod(join(binFolder, 'ffmpeg'), 0o755)
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
    { PATH: `${binFolder}:${process.env.PATH}` }
  )
  alice = await peer.user('alice')
})
afterAll(async () => {
  await peer?.stop()
  await rm(binFolder, { recursive: true, force: true })
})

const readUsage = async () => (await readFile(join(binFolder, 'used'), 'utf8')).trim().split('\n')
const listEncoders = async () => (await peer.call('GET /server/encoders', { token: await peer.login() })).json.data
const makeVideo = async () =>
  await makeFootageBytes({ seconds: SECONDS, size: '640x360', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '250'] })

async function expectCompleteRenditions(uuid: string): Promise<void> {
  const { files } = (await waitForTranscoding(peer, alice, uuid)).streamingPlaylists[0]
  expect(files.map((file: any) => file.resolution.id)).toEqual([360, 240, 0])
  for (const file of files.filter((file: any) => file.hasVideo)) {
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
  // Three renditions of two files, the master playlist, the hashes: no file of a failed encoder.
  expect(await readdir(join(peer.folder, 'streaming-playlists/hls', uuid))).toHaveLength(8)
}

test('administrators get the working encoders, others 401 or 403', async () => {
  await expect.poll(listEncoders).toEqual([
    { name: 'h264_nvenc', workers: 1 },
    { name: 'libx264', workers: 1 }
  ])
  expect((await peer.call('GET /server/encoders', { token: alice.token })).status).toBe(403)
  expect((await peer.call('GET /server/encoders')).status).toBe(401)
})

test('a working hardware encoder encodes the video', async () => {
  await expectCompleteRenditions((await uploadVideo(peer, alice, {}, await makeVideo())).uuid)
  expect(await readUsage()).toEqual(['trial', '1'])
})

test('after a hardware encoder fails, the video is encoded in software, and the encoder is not used again', async () => {
  await writeFile(join(binFolder, 'broken'), '')
  const { uuid } = await uploadVideo(peer, alice, {}, await makeVideo())
  // The video is playable already, from the output of the hardware encoder.
  await eventually(
    async () => (await peer.call(`GET /videos/${uuid}`)).json.streamingPlaylists?.[0]?.files.length > 0,
    30,
    'the first segment'
  )
  await expectCompleteRenditions(uuid)
  expect(await readUsage()).toEqual(['trial', '1', '1', 'trial'])
  expect(await listEncoders()).toEqual([{ name: 'libx264', workers: 1 }])
  await expectCompleteRenditions((await uploadVideo(peer, alice, {}, await makeVideo())).uuid)
  expect(await readUsage()).toHaveLength(4)
})

test('only software is used if the administrator configures it', async () => {
  await rm(join(binFolder, 'broken'))
  await peer.kill()
  await peer.start()
  await expect.poll(listEncoders).toContainEqual({ name: 'h264_nvenc', workers: 1 })
  const root = await peer.login()
  expect((await peer.call('PATCH /config/custom', { token: root, body: { transcoding: { encoder: 'libx264' } } })).status).toBe(200)
  const before = (await readUsage()).length
  await expectCompleteRenditions((await uploadVideo(peer, alice, {}, await makeVideo())).uuid)
  expect(await readUsage()).toHaveLength(before)
  const invalid = await peer.call('PATCH /config/custom', { token: root, body: { transcoding: { encoder: 'h264_abacus' } } })
  expect(invalid.status).toBe(400)
  expect(invalid.json.detail).toContain('transcoding.encoder')
})
