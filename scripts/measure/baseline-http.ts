import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A process that answers everything with the bytes of one URL from memory: what Node's HTTP can do at best here. */
const source = await fetch(process.argv[2]!)
const body = Buffer.from(await source.arrayBuffer())
const skipped = ['connection', 'date', 'keep-alive', 'transfer-encoding', 'content-length', 'content-encoding']
const headers = Object.fromEntries([...source.headers].filter(([name]) => !skipped.includes(name)))
const server = createServer((_, response) => response.writeHead(200, { ...headers, 'content-length': body.length }).end(body))
server.listen(0, '127.0.0.1', () => process.send!({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` }))
process.on('disconnect', () => process.exit())
