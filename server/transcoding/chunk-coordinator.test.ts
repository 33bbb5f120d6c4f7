import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Queue } from 'bullmq'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { makeFootageBytes } from '../test/footage.ts'
import { eventually } from '../test/instance.ts'
import { startPeerInstance, type PeerInstance } from '../test/peer-instance.ts'
import { waitForTranscoding, uploadVideo } from '../test/upload.ts'

const exec = promisify(execFile)
let peer: PeerInstance
let client: pg.Client
let queue: Queue
let alice: Awaited<ReturnType<PeerInstance['user']>>
beforeAll(async () => {
  // Two processes, one worker each; the first serves requests too.
  peer = await startPeerInstance(
    {
      transcoding: {
        threads: 1,
        retry_delay: '200 ms',
        reconcile_interval: '1 second',
        progress_interval: '200 ms',
        resolutions: { '360p': false, '480p': false, '1080p': false },
        chunks: { min_duration: '10 seconds', length: '4 seconds', lease: '3 seconds', check_interval: '300 ms' }
      },
      jobs: { lock_duration: '5 seconds', timers_interval: '500 ms', orphan_interval: '1 second', orphan_age: '6 seconds' }
    },
    ['web,worker', 'worker']
  )
  const { host, port, username } = inject('postgres')
  client = new pg.Client({ host, port, user: username, database: peer.database })
  await client.connect()
  queue = new Queue('transcoding', { connection: { path: inject('redis').socket }, prefix: `${peer.database}:queue` })
  alice = await peer.user('alice')
})
afterAll(async () => {
  await queue?.close()
  await client?.end()
  await peer?.stop()
})

type ChunkRow = { number: number; state: string; lease: number; failures: number; worker: string | null }
const chunkRows = async (id: number): Promise<ChunkRow[]> =>
  (
    await client.query<ChunkRow>('SELECT number, state, lease, failures, worker FROM encoding_chunks WHERE video_id = $1 ORDER BY number', [
      id
    ])
  ).rows
const folderOf = (uuid: string) => join(peer.folder, 'streaming-playlists/hls', uuid)
const ffmpegCommands = async (uuid: string) =>
  (await exec('ps', ['-A', '-o', 'args='])).stdout.split('\n').filter(line => line.startsWith('ffmpeg ') && line.includes(uuid))
/** Makes a video that has to be encoded completely. */
const SECONDS = 26
const makeVideo = async (extraArgs: string[] = []) =>
  await makeFootageBytes({
    seconds: SECONDS,
    size: '640x360',
    video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '2', '-g', '200', ...extraArgs]
  })

/** Records the states of the chunks of a video until `end`. */
function observeChunks(id: number): { seen: Map<number, ChunkRow>; workers: Set<string>; end(): Promise<void> } {
  const [seen, workers] = [new Map<number, ChunkRow>(), new Set<string>()]
  let stopped = false
  const polling = (async () => {
    while (!stopped) {
      for (const row of await chunkRows(id)) {
        seen.set(row.number, row)
        if (row.worker && row.state === 'done') workers.add(row.worker)
      }
      await sleep(20)
    }
  })()
  return {
    seen,
    workers,
    end: async () => {
      stopped = true
      await polling
    }
  }
}

/** Expects all renditions to have every frame of the video, and no other files to be left. */
async function expectCompleteRenditions(uuid: string): Promise<void> {
  const video = await waitForTranscoding(peer, alice, uuid)
  const { files } = video.streamingPlaylists[0]
  expect(files.map((file: any) => file.resolution.id)).toEqual([360, 240, 0])
  const names = await readdir(folderOf(uuid))
  for (const file of files) {
    const stream = file.hasVideo ? 'v:0' : 'a:0'
    const { stdout, stderr } = await exec('ffprobe', [
      '-v',
      'error',
      '-select_streams',
      stream,
      '-count_frames',
      '-show_entries',
      'stream=nb_read_frames',
      '-of',
      'csv=p=0',
      file.playlistUrl
    ])
    if (file.hasVideo) expect(Number.parseInt(stdout, 10)).toBe(SECONDS * 25)
    expect(stderr).toBe('')
    const text = await (await fetch(file.playlistUrl)).text()
    expect(text).toContain('#EXT-X-ENDLIST')
    if (file.hasVideo) expect(text.match(/#EXTINF:2\.0000/g)).toHaveLength(SECONDS / 2)
  }
  expect(names.filter(name => name.startsWith('chunks-'))).toEqual([])
  // Three renditions of two files, the master playlist, the hashes; unlisted files of a killed worker are swept.
  await expect.poll(async () => await readdir(folderOf(uuid)), { timeout: 30_000 }).toHaveLength(8)
  expect(await ffmpegCommands(uuid)).toEqual([])
}

/** Waits until some chunks are done and another is being encoded. */
const waitUntilMidway = async (id: number) =>
  await eventually(
    async () => {
      const rows = await chunkRows(id)
      return rows.filter(row => row.state === 'done').length >= 2 && rows.some(row => row.state === 'running') && rows
    },
    60,
    'the middle'
  )

describe('two workers', () => {
  beforeEach(async () => {
    await peer.start()
    // Until both are listed in Redis.
    await eventually(async () => (await queue.getWorkersCount()) === 2, 20, 'both workers')
  })

  it('share a long video, which is playable meanwhile and complete at the end', async () => {
    const { id, uuid } = await uploadVideo(peer, alice, {}, await makeVideo())
    const { seen, workers, end } = observeChunks(id)
    const early = await eventually(
      async () => {
        const { json } = await peer.call(`GET /videos/${uuid}`)
        return json.streamingPlaylists?.length > 0 && json
      },
      60,
      'something to watch'
    )
    expect(early.streamingPlaylists[0].files.map((file: any) => file.resolution.id)).toEqual([360, 240, 0])
    const growing = await (await fetch(early.streamingPlaylists[0].files[0].playlistUrl)).text()
    expect(growing).toContain('#EXT-X-PLAYLIST-TYPE:EVENT')
    expect(growing).not.toContain('#EXT-X-ENDLIST')
    await expectCompleteRenditions(uuid)
    await end()
    expect(seen.size).toBe(7)
    expect([...seen.values()].every(row => row.lease === 1 && row.failures === 0)).toBe(true)
    expect(workers.size).toBe(2)
    expect(await chunkRows(id)).toEqual([])
  })

  it.each(['worker', 'web,worker'] as const)('after one of them is killed (%s), at most one chunk is encoded twice', async role => {
    const { id, uuid } = await uploadVideo(peer, alice, {}, await makeVideo())
    const { seen, end } = observeChunks(id)
    const before = await waitUntilMidway(id)
    await peer.kill(role)
    if (role === 'web,worker') await peer.start()
    await expectCompleteRenditions(uuid)
    await end()
    for (const row of before) if (row.state === 'done') expect(seen.get(row.number)!.lease).toBe(row.lease)
    expect([...seen.values()].reduce((sum, row) => sum + row.lease - 1, 0)).toBeLessThanOrEqual(1)
    expect([...seen.values()].reduce((sum, row) => sum + row.failures, 0)).toBeLessThanOrEqual(1)
    const {
      rows: [row]
    } = await client.query<{ attempts: number; error: string | null }>('SELECT attempts, error FROM transcodings WHERE video_id = $1', [id])
    expect(row).toEqual({ attempts: 0, error: null })
  })

  it('after both are killed, finished chunks are reused', async () => {
    const { id, uuid } = await uploadVideo(peer, alice, {}, await makeVideo())
    const { seen, end } = observeChunks(id)
    await waitUntilMidway(id)
    await peer.kill()
    const before = await chunkRows(id)
    expect(before.filter(row => row.state === 'done').length).toBeGreaterThan(1)
    await peer.start()
    await expectCompleteRenditions(uuid)
    await end()
    for (const row of before) expect(seen.get(row.number)!.lease - row.lease).toBe(row.state === 'done' ? 0 : 1)
  })

  it('a video with a chunk that fails repeatedly is encoded in one pass', async () => {
    const { id, uuid } = await uploadVideo(peer, alice, {}, await makeVideo())
    await eventually(
      async () =>
        (
          await client.query(
            "UPDATE encoding_chunks SET failures = 99 WHERE video_id = $1 AND number = 6 AND state = 'waiting' RETURNING 1",
            [id]
          )
        ).rowCount,
      60,
      'the chunks'
    )
    await eventually(async () => (await chunkRows(id)).length === 0, 60, 'the end of the chunks')
    expect((await peer.call(`GET /videos/${uuid}/transcoding`, { token: alice.token })).json.state).toBe('running')
    await expectCompleteRenditions(uuid)
  })

  it('so is one with a chunk whose file is missing', async () => {
    const { id, uuid } = await uploadVideo(peer, alice, {}, await makeVideo())
    const updated = await eventually(
      async () =>
        (
          await client.query(
            "UPDATE encoding_chunks SET state = 'done', lease = 77 WHERE video_id = $1 AND number = 5 AND state = 'waiting' RETURNING 1",
            [id]
          )
        ).rowCount,
      60,
      'the chunks'
    )
    expect(updated).toBe(1)
    await expectCompleteRenditions(uuid)
  })

  it('a deleted video is encoded no further, and leaves no files', async () => {
    const { id, uuid } = await uploadVideo(peer, alice, {}, await makeVideo())
    await waitUntilMidway(id)
    expect((await ffmpegCommands(uuid)).length).toBeGreaterThan(0)
    expect((await peer.call(`DELETE /videos/${uuid}`, { token: alice.token })).status).toBe(204)
    await eventually(async () => (await ffmpegCommands(uuid)).length === 0, 10, 'the end of ffmpeg')
    await sleep(500)
    expect(await readdir(folderOf(uuid)).catch(() => 'gone')).toBe('gone')
    expect((await client.query('SELECT FROM encoding_splits')).rowCount).toBe(0)
  })

  it('so is a video whose encoding is stopped', async () => {
    const { id, uuid } = await uploadVideo(peer, alice, {}, await makeVideo())
    await waitUntilMidway(id)
    expect((await peer.call(`DELETE /server/transcodings/${uuid}`, { token: await peer.login() })).status).toBe(204)
    await eventually(async () => (await ffmpegCommands(uuid)).length === 0, 10, 'the end of ffmpeg')
    await eventually(
      async () =>
        await readdir(folderOf(uuid)).then(
          () => false,
          () => true
        ),
      10,
      'the files to go'
    )
    expect((await client.query('SELECT FROM encoding_splits')).rowCount).toBe(0)
  })
})

describe('which videos are encoded in one pass', () => {
  /** Encodes a video and returns whether it was split. */
  const wasSplit = async (bytes: Buffer<ArrayBuffer>): Promise<boolean> => {
    const { id, uuid } = await uploadVideo(peer, alice, {}, bytes)
    const { seen, end } = observeChunks(id)
    await waitForTranscoding(peer, alice, uuid)
    await end()
    return seen.size > 0
  }

  it('those with a variable frame rate, and short ones', async () => {
    expect(await wasSplit(await makeVideo(['-vf', "select='if(lt(t,12),1,not(mod(n,3)))'", '-fps_mode', 'vfr']))).toBe(false)
    expect(
      await wasSplit(
        await makeFootageBytes({ seconds: 8, size: '640x360', video: ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '200'] })
      )
    ).toBe(false)
  })

  it('all, if there is only one worker', async () => {
    await peer.kill('worker')
    expect(await wasSplit(await makeVideo())).toBe(false)
  })
})
