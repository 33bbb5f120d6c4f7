import { spawn } from 'node:child_process'

/**
 * Starts a shell that outlives this process however it ends: when the pipe to it closes, the shell stops a Postgres and a Redis (by pid)
 * and removes their folder. Returns a function that triggers this and waits for it.
 */
export function startCleanupWatchdog(folder: string, postgres: number, redis: number): () => Promise<void> {
  const script =
    'cat > /dev/null; kill -QUIT "$2"; kill -KILL "$3"; while kill -0 "$2" 2> /dev/null && [ "$(ps -o stat= -p "$2" | cut -c1)" != Z ]; do sleep 0.1; done; rm -rf "$1"'
  const shell = spawn('sh', ['-c', script, 'keeper', folder, String(postgres), String(redis)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore']
  })
  const ended = new Promise<void>(resolve => shell.once('exit', () => resolve()))
  return async () => {
    shell.stdin!.end()
    await ended
  }
}
