import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../../server/core/config.ts'

/**
 * Returns the responses per second over `seconds` with 16 connections, measured by another process; throws when a response was no success.
 */
export async function measureRequestsPerSecond(url: string, seconds: number): Promise<number> {
  const parameters = [
    join(projectFolder, 'node_modules/autocannon/autocannon.js'),
    '--json',
    '--no-progress',
    '-c',
    '16',
    '-d',
    String(seconds),
    url
  ]
  const { stdout } = await promisify(execFile)(process.execPath, parameters, { maxBuffer: 2 ** 24 })
  const { requests, non2xx, errors } = JSON.parse(stdout) as { requests: { average: number }; non2xx: number; errors: number }
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} responses were no success, ${errors} errors`)
  return requests.average
}
