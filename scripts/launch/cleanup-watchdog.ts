import { spawn } from 'node:child_process'

/**
 * Leaves a Postgres, a Redis and their folder to a shell that outlives us however we end: when our end of its pipe closes, it stops
 * them and removes the folder. The answer is the function that asks for it and waits.
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
