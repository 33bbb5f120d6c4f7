import { connect, createServer, type Socket } from 'node:net'

/** A wire that leads to a port, and can be cut. */
export type TcpProxy = {
  port: number
  /** Leads to this port of the machine from now on. */
  connect(port: number): void
  /** Cuts what goes on now in mid-request, and refuses what comes, until `mend`. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

/** Opens a wire on a port of its own. */
export async function openTcpProxy(): Promise<TcpProxy> {
  let target = 0
  let whole = true
  const sockets = new Set<Socket>()
  const server = createServer(incoming => {
    if (!whole) {
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
    whole = false
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    port: (server.address() as { port: number }).port,
    connect: port => {
      target = port
    },
    cut,
    mend: () => {
      whole = true
    },
    close: async () => {
      cut()
      await new Promise(resolve => server.close(resolve))
    }
  }
}
