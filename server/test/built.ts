import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../core/config.ts'

/** Builds what is stale: the server and the pages as they are served are made of the sources of now, for production and not for a test. */
export async function built(): Promise<void> {
  await promisify(execFile)(process.execPath, ['--import', 'tsx', join(projectFolder, 'scripts/build.ts')], { cwd: projectFolder, env: { ...process.env, NODE_ENV: 'production' } })
}
