import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { makeFootageFile, realFootagePath } from '../../server/test/footage.ts'
import { fetchBenchJson, logInAsRoot } from './seed-tiny-videos.ts'

const exec = promisify(execFile)
const CLIP_SECONDS = 1

/**
 * Uploads one video (real footage where it is beside the project, else generated), waits until all its renditions are complete, and returns
 * its UUID.
 */
export async function seedTranscodedVideo(url: string): Promise<string> {
  return await inTemporaryFolder(async folder => {
    const uuid = await upload(url, 'The last man on earth', await findSourceVideo(folder))
    await waitForAllRenditions(url, uuid)
    return uuid
  })
}

/** Uploads `count` clips of the same video, each from another position, and waits until all renditions are complete. */
export async function seedVideoClips(url: string, count: number): Promise<void> {
  await inTemporaryFolder(async folder => {
    const sourceVideo = await findSourceVideo(folder)
    const uuids: string[] = []
    for (let number = 1; number <= count; number++) {
      const clip = join(folder, 'clip.mp4')
      await exec('ffmpeg', [
        '-nostdin',
        '-v',
        'error',
        '-y',
        '-ss',
        String(number % 12),
        '-i',
        sourceVideo,
        '-t',
        String(CLIP_SECONDS),
        '-c',
        'copy',
        clip
      ])
      uuids.push(await upload(url, `Clip ${number}: how a reel is wound, and what the old man of the mill thinks of it`, clip))
    }
    for (const uuid of uuids) await waitForAllRenditions(url, uuid)
  })
}

async function findSourceVideo(folder: string): Promise<string> {
  return (
    realFootagePath() ??
    (await makeFootageFile(join(folder, 'film.mp4'), {
      seconds: 14,
      size: '1280x720',
      rate: 30,
      video: ['-c:v', 'libx264', '-preset', 'veryfast', '-g', '60']
    }))
  )
}

async function upload(url: string, name: string, file: string): Promise<string> {
  const headers = await logInAsRoot(url)
  const { videoChannels } = await fetchBenchJson<{ videoChannels: { id: number }[] }>(`${url}/api/v1/users/me`, { headers })
  const form = new FormData()
  form.set('channelId', String(videoChannels[0]!.id))
  form.set('name', name)
  form.set(
    'description',
    'A **short** film about time, shot in one day.\n\nCamera and sound by those who were there. More at https://example.com.'
  )
  form.set('privacy', '1')
  form.set('videofile', new Blob([(await readFile(file)) as Buffer<ArrayBuffer>], { type: 'video/mp4' }), 'film.mp4')
  return (await fetchBenchJson<{ video: { uuid: string } }>(`${url}/api/v1/videos/upload`, { method: 'POST', headers, body: form })).video
    .uuid
}

/** Waits until all renditions of a video are complete: the hashes of its segments are written last. */
async function waitForAllRenditions(url: string, uuid: string): Promise<void> {
  for (;;) {
    const {
      streamingPlaylists: [playlist]
    } = await fetchBenchJson<{ streamingPlaylists: { segmentsSha256Url: string | null }[] }>(`${url}/api/v1/videos/${uuid}`, {})
    if (playlist?.segmentsSha256Url) return
    await sleep(500)
  }
}

async function inTemporaryFolder<T>(action: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'bobine-films-'))
  try {
    return await action(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
