import { connect, createServer, type Socket } from 'node:net'

/** A TCP proxy in front of a port whose connections can be interrupted. */
export type TcpProxy = {
  port: number
  /** Sets the local port to which connections are forwarded. */
  connect(port: number): void
  /** Resets all connections and refuses new ones until `restore`. */
  cut(): void
  restore(): void
  close(): Promise<void>
}

/** Opens a proxy on a free port of 127.0.0.1. */
export async function openTcpProxy(): Promise<TcpProxy> {
  let target = 0
  let connected = true
  const sockets = new Set<Socket>()
  const server = createServer(incoming => {
    if (!connected) {
      incoming.resetAndDestroy()
      return
    }
    const outgoing = connect(target, '127.0.0.1')
    for (const [one, other] of [
      [incoming, outgoing],
      [outgoing, incoming]
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
  const cut = () => {
    connected = false
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    connect: port => {
      target = port
    },
    cut,
    restore: () => {
      connected = true
    },
    close: async () => {
      cut()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
