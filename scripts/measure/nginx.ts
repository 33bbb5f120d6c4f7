import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { waitForExit } from '../launch/process.ts'
import { findOnPath } from '../launch/programs.ts'
import { findFreePort } from '../launch/launcher-run.ts'

/**
 * Serves a folder with nginx (sendfile, one worker) until stopped: what a machine can do with files at best. It also stands `before` a
 * Bobine, and sends what that hands over (README).
 */
export async function serveWithNginx(
  folder: string,
  before: { of: string; storage: string }
): Promise<{ url: string; before: string; stop: () => Promise<void> }> {
  const place = mkdtempSync(join(tmpdir(), 'bobine-nginx-'))
  const [port, second] = [await findFreePort(), await findFreePort()]
  writeFileSync(
    join(place, 'nginx.conf'),
    `
    daemon off; worker_processes 1; pid ${place}/pid; error_log ${place}/error.log;${process.getuid?.() === 0 ? ' user root;' : ''}
    events { worker_connections 4096; }
    http {
      access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000;
      ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${place}/${name};`).join(' ')}
      server { listen 127.0.0.1:${port}; root ${folder}; }
      upstream bobine { server ${new URL(before.of).host}; keepalive 32; }
      server {
        listen 127.0.0.1:${second};
        location / { proxy_pass http://bobine; proxy_http_version 1.1; proxy_set_header Connection ''; proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_request_buffering off; }
        location /stored/ { internal; alias ${before.storage}/; }
      }
    }`
  )
  const child = spawn(findOnPath('nginx')!, ['-p', place, '-c', join(place, 'nginx.conf')], { stdio: ['ignore', 'ignore', 'inherit'] })
  const ended = waitForExit(child)
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error(`nginx ended (${child.exitCode})`)
    await sleep(50)
  }
  return {
    url: `http://127.0.0.1:${port}`,
    before: `http://127.0.0.1:${second}`,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
      rmSync(place, { recursive: true, force: true })
    }
  }
}

async function answers(port: number): Promise<boolean> {
  return await new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', () => resolve(false))
  })
}
