// Replaces the server in tests that need one that misbehaves; the instance's name selects the behaviour.
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'

const { instance, listen, webserver, storage } = JSON.parse(process.env.BOBINE_CONFIG)
const behaviour = instance?.name
if (behaviour === 'fails') process.send({ type: 'failed', message: 'The database does not like us.' }, () => process.exit(1))
else if (behaviour === 'dies') {
  console.error('its last words')
  process.exit(3)
} else if (behaviour !== 'hangs') serve()

process.on('SIGTERM', () => behaviour === 'stubborn' || process.exit(0))
process.on('disconnect', () => behaviour === 'stubborn' || process.exit(0))
setInterval(() => {}, 1000)

function serve() {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' })
  writeFileSync(join(storage.root, 'child.pid'), String(child.pid))
  const server = createServer((request, response) => {
    if (request.url === '/crash') process.exit(7)
    response.end(JSON.stringify({ pid: process.pid, parameters: process.argv.slice(2), config: JSON.parse(process.env.BOBINE_CONFIG) }))
  })
  server.listen(listen.port, listen.hostname, () =>
    process.send({ type: 'ready', url: `http://127.0.0.1:${listen.port}`, name: webserver.hostname })
  )
}
