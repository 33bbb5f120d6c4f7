import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BENCH_ROOT_PASSWORD } from './bench-environment.ts'

/** Uploads `count` tiny videos through the REST API, waits until all are published, and returns the UUID of one. */
export async function seedTinyVideos(url: string, count: number): Promise<string> {
  const token = await logInAsRoot(url)
  const { videoChannels } = await fetchBenchJson<{ videoChannels: { id: number }[] }>(`${url}/api/v1/users/me`, { headers: token })
  const videoFile = makeTinyVideo()
  let uuid = ''
  for (let number = 1; number <= count; number++) {
    const form = new FormData()
    form.set('channelId', String(videoChannels[0]!.id))
    form.set('name', `Film ${number} of the harbour at dawn`)
    form.set('description', 'A **short** film about boats.\n\n'.repeat(8))
    form.set('privacy', '1')
    form.set('videofile', new Blob([new Uint8Array(videoFile)], { type: 'video/mp4' }), 'film.mp4')
    const { video } = await fetchBenchJson<{ video: { uuid: string } }>(`${url}/api/v1/videos/upload`, {
      method: 'POST',
      headers: token,
      body: form
    })
    uuid = video.uuid
  }
  for (;;) {
    const { total } = await fetchBenchJson<{ total: number }>(`${url}/api/v1/videos?count=1`, {})
    const { total: jobs } = await fetchBenchJson<{ total: number }>(`${url}/api/v1/jobs/active`, { headers: token })
    if (total === count && jobs === 0) return uuid
    await sleep(500)
  }
}

/** The authorization header of the administrator. */
export async function logInAsRoot(url: string): Promise<{ authorization: string }> {
  const client = await fetchBenchJson<Record<string, string>>(`${url}/api/v1/oauth-clients/local`, {})
  const body = new URLSearchParams({ ...client, grant_type: 'password', username: 'root', password: BENCH_ROOT_PASSWORD })
  const { access_token } = await fetchBenchJson<{ access_token: string }>(`${url}/api/v1/users/token`, { method: 'POST', body })
  return { authorization: `Bearer ${access_token}` }
}

/** Returns the JSON of a successful response; throws for other ones. */
export async function fetchBenchJson<T>(url: string, init: RequestInit): Promise<T> {
  const response = await fetch(url, init)
  if (!response.ok) throw new Error(`${init.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`)
  return (await response.json()) as T
}

function makeTinyVideo(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), 'bobine-footage-'))
  try {
    const file = join(folder, 'film.mp4')
    execFileSync('ffmpeg', [
      '-nostdin',
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=426x240:rate=25',
      '-f',
      'lavfi',
      '-i',
      'sine',
      '-t',
      '2',
      '-pix_fmt',
      'yuv420p',
      '-c:a',
      'aac',
      file
    ])
    return readFileSync(file)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
