import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { readdir, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { eventually } from './instance.ts'
import { startPeerInstance, type PeerInstance } from './peer-instance.ts'
import { uploadVideo, videoUploadForm, waitForTranscoding } from './upload.ts'
import { formatTraffic, startUserTraffic, type TrafficSummary, type UserTraffic } from './user-traffic.ts'

/** Slow clients at a time; `scripts/soak services` has more of them, and prints what the users saw. */
const SLOW_CLIENTS = Number(process.env.SLOW_CLIENTS ?? 500)
/** How long (s) they stay. */
const SECONDS = process.env.SLOW_CLIENTS ? 20 : 5

const disk = mountSmallDisk(96)
let site: PeerInstance
let traffic: UserTraffic
let ada: Awaited<ReturnType<PeerInstance['user']>>
let files: string[]
beforeAll(async () => {
  site = await startPeerInstance({
    storage: { root: disk?.folder ?? mkdtempSync(join(tmpdir(), 'bobine-overload-')) },
    upload: { keep_free: '8MB' },
    http: { headers_timeout: '5 seconds' }
  })
  ada = await site.user('ada')
  const { uuid } = await uploadVideo(site, ada)
  const video = await waitForTranscoding(site, ada, uuid)
  const [playlist] = video.streamingPlaylists
  files = [playlist.playlistUrl, ...playlist.files.map((file: any) => file.fileUrl)].map((url: string) => new URL(url).pathname)
  traffic = startUserTraffic(site, uuid, ada.token, files)
  await sleep(1000)
}, 120_000)
afterAll(async () => {
  await traffic?.stop()
  await site?.stop()
  disk?.unmount()
})

/** Returns what ten users saw during `act`: all of them were served. */
async function expectServedDuring(phase: string, act: () => Promise<void>): Promise<Record<string, TrafficSummary>> {
  traffic.takeSummary()
  await act()
  const seen = traffic.takeSummary()
  if (process.env.SLOW_CLIENTS) console.info('\n' + formatTraffic(phase, seen))
  expect(Object.keys(seen).sort()).toEqual(['comments', 'lists', 'pages', 'segments'])
  for (const { requests, statuses } of Object.values(seen)) expect(statuses).toEqual({ 200: requests })
  return seen
}

it('slow clients of every kind leave the site to others, and are disconnected', async () => {
  const { hostname, port } = new URL(site.url)
  const json = 'Host: x\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n'
  const form = `Host: x\r\nAuthorization: Bearer ${ada.token}\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\n`
  /** What each begins with, and whether it goes on byte by byte or does not read its answer. */
  const kinds: [beginning: string, drips: boolean][] = [
    ['GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ', true],
    [`POST /api/v1/users/token HTTP/1.1\r\n${json}\r\n{`, true],
    [`POST /inbox HTTP/1.1\r\n${json.replace('application/json', 'application/activity+json')}\r\n{`, true],
    [`POST /api/v1/videos/upload HTTP/1.1\r\n${form}\r\n--b\r\n`, true],
    [`GET ${files.at(-1)!} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(3), false]
  ]
  const sockets: Socket[] = []
  let closed = 0
  await expectServedDuring(`${SLOW_CLIENTS} slow clients`, async () => {
    for (let index = 0; index < SLOW_CLIENTS; index++) {
      const [beginning, drips] = kinds[index % kinds.length]!
      const socket = connect(Number(port), hostname, () => socket.write(beginning))
      if (drips) socket.resume()
      else socket.pause()
      socket.on('error', () => undefined)
      socket.once('close', () => closed++)
      sockets.push(socket)
    }
    for (let second = 0; second < SECONDS; second++) {
      await sleep(1000)
      for (const [index, socket] of sockets.entries()) if (kinds[index % kinds.length]![1] && socket.writable) socket.write('x')
    }
  })
  // Those whose headers do not come are disconnected at least.
  await eventually(async () => closed >= SLOW_CLIENTS / kinds.length, 30, 'slow clients to be disconnected')
  for (const socket of sockets) socket.destroy()
  await eventually(async () => (await temporaryFiles()).length === 0, 10, 'files of uploads to be removed')
}, 180_000)

it.skipIf(!disk)(
  'a full disk refuses what would be stored, and nothing else',
  async () => {
    const footage = Buffer.alloc(3_000_000, 1)
    const beginResumable = async () =>
      await site.call('POST /videos/upload-resumable', {
        token: ada.token,
        headers: { 'x-upload-content-length': '3000000', 'x-upload-content-type': 'video/mp4' },
        body: { name: 'No room', channelId: ada.channelId, filename: 'film.mp4' }
      })
    const started = await beginResumable()
    expect(started.status).toBe(201)
    const uploadPath = `/videos/upload-resumable${new URL(`http:${started.headers.get('location')}`).search}`
    const sendChunk = async () =>
      await site.call(`PUT ${uploadPath}`, {
        token: ada.token,
        headers: { 'content-range': 'bytes 0-1999999/3000000', 'content-type': 'application/octet-stream' },
        body: new Uint8Array(footage.subarray(0, 2_000_000))
      })
    await expectServedDuring('a full disk', async () => {
      const filler = join(disk!.folder, 'filler')
      await fillDisk(filler)
      try {
        const answers = await Promise.all(
          [1, 2, 3].map(
            async () =>
              await site.call('POST /videos/upload', {
                token: ada.token,
                multipart: videoUploadForm({ name: 'No room', channelId: ada.channelId }, { bytes: footage, name: 'film.mp4' })
              })
          )
        )
        for (const { status, json } of answers) expect([status, json.code]).toEqual([507, 'insufficient_storage'])
        for (const { status, json } of [await beginResumable(), await sendChunk()])
          expect([status, json.code]).toEqual([507, 'insufficient_storage'])
        const avatar = new FormData()
        avatar.set('avatarfile', new Blob([new Uint8Array(await (await fetch(`${site.url}/icon-192.png`)).arrayBuffer())]), 'a.png')
        const pictured = await site.call('POST /users/me/avatar/pick', { token: ada.token, multipart: avatar })
        expect([pictured.status, pictured.json.code]).toEqual([507, 'insufficient_storage'])
        await sleep(SECONDS * 500)
      } finally {
        rmSync(filler)
      }
    })
    // What was begun before goes on where there is room again.
    expect((await sendChunk()).status).toBe(308)
    expect((await site.call(`DELETE ${uploadPath}`, { token: ada.token })).status).toBe(204)
    expect(await temporaryFiles()).toEqual([])
    const { uuid } = await uploadVideo(site, ada)
    expect((await waitForTranscoding(site, ada, uuid)).state.id).toBe(1)
  },
  120_000
)

/** Files of requests that have not ended. */
async function temporaryFiles(): Promise<string[]> {
  const root = disk?.folder ?? site.folder
  const lists = await Promise.all(['tmp', 'uploads'].map(async name => await readdir(join(root, name)).catch(() => [])))
  return lists.flat()
}

async function fillDisk(filler: string): Promise<void> {
  const { bavail, bsize } = statfsSync(disk!.folder)
  // Leaves one megabyte: less than is kept free, and than a file of the test.
  await writeFile(filler, Buffer.alloc(bavail * bsize - 1024 * 1024, 1))
}

/** Mounts a disk of so many megabytes; null where this is not allowed. */
function mountSmallDisk(megabytes: number): { folder: string; unmount(): void } | null {
  const folder = mkdtempSync(join(tmpdir(), 'bobine-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    rmSync(folder, { recursive: true })
    return null
  }
  return {
    folder,
    unmount: () => {
      execFileSync('umount', ['--lazy', folder])
      rmSync(folder, { recursive: true })
    }
  }
}
