import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitForExit } from '../launch/process.ts'
import { findOnPath } from '../launch/programs.ts'
import { findFreePort } from '../launch/free-port.ts'

/**
 * Serves a folder with nginx (sendfile, one worker) until stopped: the limit of this machine. A second port is a reverse proxy for the
 * Bobine `upstream`, and sends the files that it hands over (README).
 */
export async function serveWithNginx(
  folder: string,
  upstream: { url: string; storage: string }
): Promise<{ url: string; proxyUrl: string; stop: () => Promise<void> }> {
  const configFolder = mkdtempSync(join(tmpdir(), 'bobine-nginx-'))
  const [port, proxyPort] = [await findFreePort(), await findFreePort()]
  writeFileSync(
    join(configFolder, 'nginx.conf'),
    `
    daemon off; worker_processes 1; pid ${configFolder}/pid; error_log ${configFolder}/error.log;${process.getuid?.() === 0 ? ' user root;' : ''}
    events { worker_connections 4096; }
    http {
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${configFolder}/${name};`).join(' ')}
      server { listen 127.0.0.1:${port}; root ${folder}; }
      upstream bobine { server ${new URL(upstream.url).host}; keepalive 32; }
      server {
        listen 127.0.0.1:${proxyPort};
        location / { proxy_pass http://bobine; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_request_buffering off; }
        location /stored/ { internal; alias ${upstream.storage}/; }
      }
    }`
  )
  const child = spawn(findOnPath('nginx')!, ['-p', configFolder, '-c', join(configFolder, 'nginx.conf')], {
    stdio: ['ignore', 'ignore', 'inherit']
  })
  const ended = waitForExit(child)
  while (!(await acceptsConnections(port))) {
    if (child.exitCode !== null) throw new Error(`nginx ended (${child.exitCode})`)
    await sleep(50)
  }
  return {
    url: `http://127.0.0.1:${port}`,
    proxyUrl: `http://127.0.0.1:${proxyPort}`,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      rmSync(configFolder, { recursive: true, force: true })
    }
  }
}

async function acceptsConnections(port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
