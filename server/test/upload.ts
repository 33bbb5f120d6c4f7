import { readFile } from 'node:fs/promises'
import { makeFootageBytes, realFootagePath } from './footage.ts'
import { eventually, type TestResponse, type TestInstance } from './instance.ts'

type UploadingUser = { token: string; channelId: number }
type UploadedVideo = { id: number; uuid: string; shortUUID: string }

let defaultFootage: Buffer<ArrayBuffer> | null = null

/** A multipart body for `POST /videos/upload`; fields with several values are arrays. */
export function videoUploadForm(
  fields: Record<string, string | number | boolean | string[]>,
  file?: { bytes: Buffer<ArrayBuffer>; name: string; type?: string }
): FormData {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) {
    if (Array.isArray(value)) for (const one of value) form.append(`${name}[]`, one)
    else form.set(name, String(value))
  }
  if (file) form.set('videofile', new Blob([file.bytes], { type: file.type ?? 'video/mp4' }), file.name)
  return form
}

/** Uploads a short video, or `bytes`, and returns its ids. Throws if the upload is refused. */
export async function uploadVideo(
  site: Pick<TestInstance, 'call'>,
  user: UploadingUser,
  fields: Record<string, string | number | boolean | string[]> = {},
  bytes?: Buffer<ArrayBuffer>
): Promise<UploadedVideo> {
  defaultFootage ??= await makeFootageBytes({ seconds: 2, size: '320x180' })
  const answer = await site.call('POST /videos/upload', {
    token: user.token,
    multipart: videoUploadForm(
      { name: 'A film', channelId: user.channelId, privacy: 1, ...fields },
      { bytes: bytes ?? defaultFootage, name: 'film.mp4' }
    )
  })
  if (answer.status !== 200) throw new Error(answer.text)
  return answer.json.video
}

/** Waits until the encoding of a video is done and returns the video as its owner sees it. Throws if the encoding failed. */
export async function waitForTranscoding(
  site: Pick<TestInstance, 'call'>,
  user: { token: string },
  id: string | number
): Promise<TestResponse['json']> {
  await eventually(
    async () => {
      const { json } = await site.call(`GET /videos/${id}/transcoding`, { token: user.token })
      if (json.state === 'failed') throw new Error(json.error)
      return json.state === 'done'
    },
    140,
    'the encoding'
  )
  return (await site.call(`GET /videos/${id}`, { token: user.token })).json
}

/** Returns the bytes of real footage if it is available, else of 14 generated seconds. */
export async function readRealOrGeneratedFootage(): Promise<Buffer<ArrayBuffer>> {
  const real = realFootagePath()
  return real ? ((await readFile(real)) as Buffer<ArrayBuffer>) : await makeFootageBytes({ seconds: 14, size: '1280x720', rate: 30 })
}
