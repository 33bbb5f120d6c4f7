import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SystemAccount } from './postgres-account.ts'
import { CliError } from './cli-error.ts'

/**
 * Creates a folder that only its owner (the current user, or `account`) can enter. Throws CliError where the folder belongs to another
 * account.
 */
export function ensurePrivateFolder(path: string, account?: SystemAccount): string {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const owner = account?.uid ?? process.getuid!()
  const stats = lstatSync(path)
  if (!stats.isDirectory() || ![owner, process.getuid!()].includes(stats.uid))
    throw new CliError(`${path} belongs to another account: remove it, or start as that account`)
  if (account && stats.uid !== owner) chownSync(path, account.uid, account.gid)
  chmodSync(path, 0o700)
  return path
}

/**
 * Creates the data folder, closed to others except that members of `group` can pass through it; an existing folder is left unchanged.
 * Throws CliError.
 */
export function ensureDataFolder(path: string, group?: number): string {
  try {
    if (!existsSync(path)) {
      mkdirSync(path, { recursive: true, mode: 0o700 })
      if (group !== undefined) {
        chownSync(path, process.getuid!(), group)
        chmodSync(path, 0o710)
      }
    }
    return realpathSync(path)
  } catch (error) {
    throw new CliError(`The data folder ${path} cannot be made: ${fileErrorReason(error)}`)
  }
}

/**
 * Returns the folder of a service's Unix socket: below the data folder, or in the system's temporary folder where that path is too long for
 * a socket (108 bytes on Linux, 104 on macOS) or contains a character with a meaning in Postgres' settings.
 */
export function ensureSocketFolder(data: string, name: string, account?: SystemAccount): string {
  const preferred = join(data, 'run', name)
  if (Buffer.byteLength(preferred) <= 80 && /^[\w./+@-]+$/.test(preferred)) {
    mkdirSync(join(data, 'run'), { recursive: true, mode: account ? 0o711 : 0o700 })
    return ensurePrivateFolder(preferred, account)
  }
  const hash = createHash('sha256').update(data).digest('hex').slice(0, 12)
  return ensurePrivateFolder(join(tmpdir(), `bobine-${hash}-${name}`), account)
}

/** Extracts the reason from the message of a file system error: 'permission denied'. */
export function fileErrorReason(error: unknown): string {
  const message = (error as Error).message
  return /^[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? message
}
