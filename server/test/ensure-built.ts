import { execFile } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { projectFolder } from '../core/config.ts'

// As scripts/prepare.sh asks.
const SOURCES = ['server', 'shared', 'client', 'scripts', 'vite.config.ts', 'tsconfig.json', 'package-lock.json']

/** Builds what is stale: the server and the pages as they are served are made of the sources of now, for production and not for a test. */
export async function ensureBuilt(): Promise<void> {
  if (isFresh()) return
  await promisify(execFile)(process.execPath, ['--import', 'tsx', join(projectFolder, 'scripts/build.ts')], {
    cwd: projectFolder,
    env: { ...process.env, NODE_ENV: 'production' }
  })
}

/** Whether no source is newer than the last build; asking takes a hundredth of what the build takes to find that out. */
function isFresh(): boolean {
  const stamp = join(projectFolder, 'dist/.built')
  if (!existsSync(stamp)) return false
  const { mtimeMs } = statSync(stamp)
  return SOURCES.map(path => join(projectFolder, path))
    .flatMap(path =>
      statSync(path).isDirectory()
        ? [path, ...readdirSync(path, { recursive: true, encoding: 'utf8' }).map(name => join(path, name))]
        : [path]
    )
    .every(path => statSync(path).mtimeMs <= mtimeMs)
}
