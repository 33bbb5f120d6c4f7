import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A process that answers every request with the bytes of one URL from memory: the limit of Node's HTTP server on this machine. */
const source = await fetch(process.argv[2]!)
const body = Buffer.from(await source.arrayBuffer())
const skippedHeaders = ['connection', 'date', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding']
const headers = Object.fromEntries([...source.headers].filter(([name]) => !skippedHeaders.includes(name)))
const server = createServer((_, response) => response.writeHead(200, { ...headers, 'content-length': body.length }).end(body))
server.listen(0, '127.0.0.1', () => process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }))
process.on('disconnect', () => process.exit())
