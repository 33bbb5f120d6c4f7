import sharp from 'sharp'
import { makeFootageBytes } from './footage.ts'
import type { RecordedIds } from './recorded-ids.ts'
import type { RecordedField, RecordedFile, Recording } from './recordings.ts'

type Bytes = Buffer<ArrayBuffer>
/** What a recording sends, in words of the test's instance. */
export type PreparedRequest = { method: string; path: string; headers: Record<string, string>; body?: string | FormData | Bytes }

/** Five seconds of grey: small enough to be sent in as many bytes as the recorded file had, and quickly encoded. */
const film = (size: string) => ({
  seconds: 5,
  size,
  rate: 10,
  video: ['-vf', 'drawbox=color=gray:thickness=fill', '-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20'],
  audio: ['-c:a', 'aac', '-ac', '1', '-b:a', '16k']
})
const SMALL = film('426x240')
const LARGE = film('1280x720')

/** Translates the request of a recording; `rootPassword` stands for the recorded password of root. */
export async function prepareRequest(recording: Recording, ids: RecordedIds, rootPassword: string): Promise<PreparedRequest> {
  const { method, path, query } = recording
  const headers = { ...recording.headers }
  delete headers['content-length']
  const request: PreparedRequest = { method, path: ids.path(path) + (query ? `?${ids.query(query)}` : ''), headers }
  const body = recording.body as {
    $form?: Record<string, string>
    $multipart?: (RecordedField | RecordedFile)[]
    $binary?: { bytes: number }
  }
  if (body === undefined) return request
  if (body?.$multipart) return { ...request, body: await multipartOf(body.$multipart, ids) }
  if (body?.$form) {
    const { username, password } = body.$form
    const form = ids.body(body.$form) as Record<string, string>
    if (username === 'root' && password === 'test1') form.password = rootPassword
    request.headers['content-type'] = 'application/x-www-form-urlencoded'
    return { ...request, body: new URLSearchParams(form).toString() }
  }
  if (body?.$binary) return { ...request, body: await chunkOf(body.$binary.bytes, headers['content-range']) }
  request.headers['content-type'] ??= 'application/json'
  return { ...request, body: JSON.stringify(ids.body(body)) }
}

async function multipartOf(parts: (RecordedField | RecordedFile)[], ids: RecordedIds): Promise<FormData> {
  const form = new FormData()
  for (const part of parts) {
    if ('value' in part) form.append(part.name, String(ids.body(part.value, part.name)))
    else form.append(part.name, new Blob([await fileBytes(part)], { type: part.contentType }), part.filename)
  }
  return form
}

/** Bytes of the kind that the recorded file had; a file that was none of its kind is none here. */
async function fileBytes({ filename, contentType, bytes }: RecordedFile): Promise<Bytes> {
  if (/^video_short\.(mp4|webm)$/.test(filename)) return await makeFootageBytes(LARGE)
  if (filename.startsWith('video_short_240p')) return await makeFootageBytes(SMALL)
  if (contentType.startsWith('image/')) {
    const [width, height] = filename.startsWith('banner') ? [1920, 317] : filename.startsWith('avatar') ? [1500, 1500] : [1280, 720]
    const image = sharp({ create: { width, height, channels: 3, background: '#468' } })
    return (await (contentType === 'image/png' ? image.png() : image.jpeg()).toBuffer()) as Bytes
  }
  if (filename.endsWith('.vtt')) return Buffer.from('WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n')
  if (/srt$|subtitle-bad/.test(filename)) return Buffer.from('1\n00:00:01,000 --> 00:00:02,000\nHello\n')
  return Buffer.alloc(bytes, 'x')
}

/** The bytes that a Content-Range names of a film of the recorded size; without one, of none. */
async function chunkOf(bytes: number, range = ''): Promise<Bytes> {
  const [, from, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(range) ?? []
  if (bytes === 0 || from === undefined) return Buffer.alloc(bytes)
  const whole = padFilm(await makeFootageBytes(SMALL), Number(size))
  return Buffer.concat([whole.subarray(Number(from), Number(from) + bytes)])
}

/** Fills an MP4 up to `size` bytes with a box that players skip. Throws if it is larger. */
function padFilm(mp4: Bytes, size: number): Bytes {
  const room = size - mp4.length
  if (room === 0 || size < 1000) return Buffer.concat([mp4, Buffer.alloc(1000)]).subarray(0, size)
  if (room < 8) throw new Error(`The film has ${mp4.length} bytes, more than the ${size} recorded ones`)
  const box = Buffer.alloc(room)
  box.writeUInt32BE(room)
  box.write('free', 4)
  return Buffer.concat([mp4, box])
}
