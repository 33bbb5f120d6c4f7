import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'

/**
 * Inboxes of other servers, in a process of their own. Parameters: the number of ports, then the files of a certificate and its key for
 * TLS. Sends { ports, crowd }: `crowd` is a port that answers at every address of 127/8 as `simulatedHostBehaviour` says. On { await: count
 * } it sends { seconds } once that many deliveries have arrived since the first; 'forget' resets the counts. On { share, of } it sends
 * after how many seconds since the first delivery that share of the `of` working hosts had theirs.
 */
const [count, cert, key] = process.argv.slice(2) as [string, string?, string?]

let receivedCount = 0
let startedAt = 0
let awaitedCount = Infinity
let reachedAt = new Map<number, number>()
let crowdStartedAt = 0
let crowdReceivedCount = 0

const countDelivery: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(202).end()
    if (receivedCount++ === 0) startedAt = performance.now()
    if (receivedCount === awaitedCount) {
      awaitedCount = Infinity
      process.send!({ seconds: (performance.now() - startedAt) / 1000 })
    }
  })
}

/**
 * The behaviour of a simulated host, by its number: 1 of 10 hangs, 1 of 20 fails, 1 of 20 refuses connections; the others take 50 to 400
 * ms.
 */
export function simulatedHostBehaviour(host: number): 'hangs' | 'fails' | 'refuses' | number {
  const kind = host % 20
  if (kind < 2) return 'hangs'
  if (kind === 2) return 'fails'
  if (kind === 3) return 'refuses'
  return 50 + ((host * 37) % 351)
}

/** The number of a host from its address: 127.1.x.y. */
const hostNumberOf = (address: string) => {
  const [, , third, fourth] = address.split('.').map(Number) as [number, number, number, number]
  return third * 250 + fourth - 1
}

const simulateHost: RequestListener = (request, response) => {
  const host = hostNumberOf(request.headers.host!.split(':')[0]!)
  if (crowdReceivedCount++ === 0) crowdStartedAt = performance.now()
  const behaviour = simulatedHostBehaviour(host)
  if (behaviour === 'hangs') return
  request.resume()
  if (behaviour === 'fails') return void response.writeHead(500).end()
  setTimeout(() => {
    response.writeHead(202).end()
    if (!reachedAt.has(host)) reachedAt.set(host, (performance.now() - crowdStartedAt) / 1000)
  }, behaviour as number)
}

if (process.send) {
  const servers: Server[] = []
  for (let index = 0; index < Number(count); index++)
    servers.push(
      await listen(
        cert ? createTlsServer({ cert: readFileSync(cert), key: readFileSync(key!) }, countDelivery) : createServer(countDelivery)
      )
    )
  const crowdServer = await listen(createServer(simulateHost), '0.0.0.0')
  process.on('disconnect', () => process.exit(0))
  process.on('message', (message: 'forget' | { await: number } | { share: number; of: number }) => {
    if (message === 'forget') {
      receivedCount = 0
      crowdReceivedCount = 0
      reachedAt = new Map()
    } else if ('await' in message) awaitedCount = message.await
    else {
      const times = [...reachedAt.values()].sort((a, b) => a - b)
      const needed = Math.ceil(message.share * message.of)
      process.send!({ reached: times.length, seconds: times[needed - 1] ?? null, half: times[Math.ceil(needed / 2) - 1] ?? null })
    }
  })
  process.send({ ports: servers.map(server => (server.address() as AddressInfo).port), crowd: (crowdServer.address() as AddressInfo).port })
}

async function listen<T extends Server>(server: T, host?: string): Promise<T> {
  // No connection is closed during a measurement.
  Object.assign(server, { keepAliveTimeout: 120_000 })
  await new Promise<void>(resolve => (host ? server.listen(0, host, resolve) : server.listen(0, resolve)))
  return server
}
