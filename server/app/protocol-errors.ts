import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** Errors of Node's HTTP parser by their code, with the status that tells of them. */
const STATUSES: Record<string, [status: number, title: string, detail: string]> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The address or the headers are too long.'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'Payload Too Large', 'The extensions of a chunk are too long.'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request took too long.']
}

/** Has requests that never become one, or expect what does not exist (RFC 9110 §10.1.1), answered as other errors are: by a problem document. */
export function answerProtocolErrors(server: Server): void {
  const responses = new WeakMap<Duplex, ServerResponse>()
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    responses.set(request.socket, response)
    response.once('close', () => responses.delete(request.socket))
  })
  server.on('checkExpectation', (_request: IncomingMessage, response: ServerResponse) => {
    const body = problemDocument(417, 'Expectation Failed', 'Nothing can be expected but 100-continue.')
    response.writeHead(417, { 'Content-Type': 'application/problem+json', 'Content-Length': Buffer.byteLength(body) }).end(body)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    // A client that left reads nothing, and an answer that has begun cannot become another.
    if (error.code === 'ECONNRESET' || !socket.writable || responses.get(socket)?.headersSent) return void socket.destroy()
    const [status, title, detail] = STATUSES[error.code ?? ''] ?? [400, 'Bad Request', 'This is not a valid HTTP request.']
    const body = problemDocument(status, title, detail)
    socket.end(
      `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`
    )
  })
}

function problemDocument(status: number, title: string, detail: string): string {
  return JSON.stringify({ type: 'about:blank', title, status, detail, error: detail })
}
