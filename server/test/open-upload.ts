import { request, type IncomingMessage } from 'node:http'

/** A request that sends the form of an upload bit by bit. */
export type OpenUpload = {
  /** Sends bytes of the file; resolves when they have left, or when the connection has ended. */
  send(bytes: number | Buffer): Promise<void>
  /** Sends the end of the form. */
  finish(): void
  /** Cuts the connection. */
  cut(): void
  /** What the server answered; rejects if the connection ended without an answer. */
  response: Promise<{ status: number; connection: string | undefined; json: any }>
}

const BOUNDARY = 'a-boundary-of-tests'

/**
 * Begins `POST /videos/upload` with a file of `size` bytes, of which nothing is sent yet. `announced: false` leaves out Content-Length. The
 * connection is one of its own. `path` and `field` are for other routes.
 */
export function openUpload(
  url: string,
  user: { token?: string; channelId: number },
  size: number,
  { announced = true, path = '/videos/upload', field = 'videofile', name = 'film.mp4', fields = {} as Record<string, string> } = {}
): OpenUpload {
  const values = Object.entries({ name: 'A film', channelId: String(user.channelId), ...fields })
  const head = Buffer.from(
    values.map(([key, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${key}"\r\n\r\n${value}\r\n`).join('') +
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\nContent-Type: video/mp4\r\n\r\n`
  )
  const tail = Buffer.from(`\r\n--${BOUNDARY}--\r\n`)
  const sent = request(`${url}/api/v1${path}`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      ...(user.token ? { authorization: `Bearer ${user.token}` } : {}),
      ...(announced ? { 'content-length': head.length + size + tail.length } : {})
    }
  })
  const response = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve)
    sent.on('error', reject)
    sent.on('close', () => reject(new Error('The connection ended without an answer')))
  }).then(async answer => {
    const chunks: Buffer[] = []
    for await (const chunk of answer) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    return { status: answer.statusCode!, connection: answer.headers.connection, json: text ? JSON.parse(text) : undefined }
  })
  response.catch(() => undefined)
  const write = async (bytes: Buffer): Promise<void> => {
    if (sent.destroyed) return
    await Promise.race([
      new Promise<void>(resolve => sent.write(bytes, () => resolve())),
      new Promise(resolve => sent.once('close', resolve))
    ])
  }
  void write(head)
  return {
    send: async bytes => {
      if (typeof bytes !== 'number') return await write(bytes)
      for (let left = bytes; left > 0 && !sent.destroyed; left -= 2 ** 16) await write(Buffer.alloc(Math.min(left, 2 ** 16), 1))
    },
    finish: () => sent.end(tail),
    cut: () => sent.destroy(),
    response
  }
}
