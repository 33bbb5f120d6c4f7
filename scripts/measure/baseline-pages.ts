import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomBytes } from 'node:crypto'

/** Serves minimal pages: `/` has one incompressible script of `scriptBytes`, `/film` a muted video that plays automatically. */
export async function serveBaselinePages(scriptBytes: number, videoFile: string): Promise<{ url: string; stop: () => void }> {
  const script = `/*${randomBytes(scriptBytes)
    .toString('base64')
    .slice(0, Math.max(0, scriptBytes - 40))}*/seen.done = performance.now()`
  const server = createServer((request, response) => {
    const send = (type: string, body: string) =>
      response.writeHead(200, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
    if (request.url === '/') return send('text/html', '<!doctype html><title>Bare</title><h1>Bare</h1><script src="/script.js"></script>')
    if (request.url === '/film')
      return send(
        'text/html',
        '<!doctype html><title>Bare</title><h1>Bare</h1><video src="/film.mp4" width="854" height="480" autoplay muted></video>'
      )
    if (request.url === '/script.js') return send('text/javascript', script)
    if (request.url !== '/film.mp4') return response.writeHead(404).end()
    response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': statSync(videoFile).size })
    return createReadStream(videoFile).pipe(response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}
