import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { makeSelfSignedCertificate } from './certificate.ts'

/** An HTTP proxy through which a program reaches an instance as `https://HOST`, whatever HOST it asks for; the certificate is self-signed. */
export type TlsFront = { url: string; close(): Promise<void> }

/** Opens the proxy on a free port of 127.0.0.1; CONNECT (RFC 9110 §9.3.6) leads to TLS, whose plain text goes to the local `port`. */
export async function openTlsFront(host: string, port: number): Promise<TlsFront> {
  const certificate = makeSelfSignedCertificate(host)
  const sockets = new Set<Socket>()
  const server = createServer()
  server.on('connect', (_request, incoming: Socket) => {
    incoming.write('HTTP/1.1 200 Connection established\r\n\r\n')
    const plain = new TLSSocket(incoming, { isServer: true, ...certificate })
    const outgoing = connect(port, '127.0.0.1')
    for (const [one, other] of [
      [plain, outgoing],
      [outgoing, plain]
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
      one.pipe(other)
    }
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}`,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
