import { readFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'

/**
 * Inboxes of other servers, in a process of their own. Parameters: how many ports, then the files of a certificate and its key for TLS.
 * Says { ports, crowd }: `crowd` is a port that answers at every address of 127/8 as the simulated hosts of `behaviour` do. Told
 * { await: count }, it says { seconds } once so many messages have come since, counted from the first; told 'forget' it begins anew.
 * Told { hosts }, it says at which second since the first message the given share of those that work had theirs.
 */
const [count, cert, key] = process.argv.slice(2) as [string, string?, string?]

let taken = 0
let began = 0
let wanted = Infinity
let reached = new Map<number, number>()
let crowdBegan = 0
let crowdTaken = 0

const take: RequestListener = (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(202).end()
    if (taken++ === 0) began = performance.now()
    if (taken === wanted) {
      wanted = Infinity
      process.send!({ seconds: (performance.now() - began) / 1000 })
    }
  })
}

/** What a simulated host does, by its number: 1 of 10 hangs, 1 of 20 fails; the others take 50 to 400 ms. */
export function simulatedHostBehaviour(host: number): 'hangs' | 'fails' | 'refuses' | number {
  const kind = host % 20
  if (kind < 2) return 'hangs'
  if (kind === 2) return 'fails'
  if (kind === 3) return 'refuses'
  return 50 + ((host * 37) % 351)
}

/** The number of a host from its address: 127.1.x.y. */
const numberOf = (address: string) => {
  const [, , third, fourth] = address.split('.').map(Number) as [number, number, number, number]
  return third * 250 + fourth - 1
}

const crowd: RequestListener = (request, response) => {
  const host = numberOf(request.headers.host!.split(':')[0]!)
  if (crowdTaken++ === 0) crowdBegan = performance.now()
  const how = simulatedHostBehaviour(host)
  if (how === 'hangs') return
  request.resume()
  if (how === 'fails') return void response.writeHead(500).end()
  setTimeout(() => {
    response.writeHead(202).end()
    if (!reached.has(host)) reached.set(host, (performance.now() - crowdBegan) / 1000)
  }, how as number)
}

if (process.send) {
  const servers: Server[] = []
  for (let index = 0; index < Number(count); index++)
    servers.push(await listening(cert ? createTlsServer({ cert: readFileSync(cert), key: readFileSync(key!) }, take) : createServer(take)))
  const many = await listening(createServer(crowd), '0.0.0.0')
  process.on('disconnect', () => process.exit(0))
  process.on('message', (message: 'forget' | { await: number } | { share: number; of: number }) => {
    if (message === 'forget') {
      taken = 0
      crowdTaken = 0
      reached = new Map()
    } else if ('await' in message) wanted = message.await
    else {
      const times = [...reached.values()].sort((a, b) => a - b)
      const needed = Math.ceil(message.share * message.of)
      process.send!({ reached: times.length, seconds: times[needed - 1] ?? null, half: times[Math.ceil(needed / 2) - 1] ?? null })
    }
  })
  process.send({ ports: servers.map(server => (server.address() as AddressInfo).port), crowd: (many.address() as AddressInfo).port })
}

async function listening<T extends Server>(server: T, host?: string): Promise<T> {
  // No connection ends in mid-measure.
  Object.assign(server, { keepAliveTimeout: 120_000 })
  await new Promise<void>(resolve => (host ? server.listen(0, host, resolve) : server.listen(0, resolve)))
  return server
}
