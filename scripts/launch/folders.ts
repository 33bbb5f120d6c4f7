import { createHash } from 'node:crypto'
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SystemAccount } from './postgres-account.ts'
import { CliError } from './cli-error.ts'

/** Makes a folder that nobody but its owner (ourselves, or `account`) can enter, and refuses one that somebody else made. */
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

/** Makes the data folder, closed to everybody else but for passing through by the members of `group`; an existing one is left as it is. */
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
 * The folder of a service's Unix socket: below the data folder, or in the system's temporary folder when that path is too long
 * for a socket (108 bytes on Linux, 104 on macOS) or holds a character that Postgres' settings read as punctuation.
 */
export function ensureSocketFolder(data: string, name: string, account?: SystemAccount): string {
  const near = join(data, 'run', name)
  if (Buffer.byteLength(near) <= 80 && /^[\w./+@-]+$/.test(near)) {
    mkdirSync(join(data, 'run'), { recursive: true, mode: account ? 0o711 : 0o700 })
    return ensurePrivateFolder(near, account)
  }
  const hash = createHash('sha256').update(data).digest('hex').slice(0, 12)
  return ensurePrivateFolder(join(tmpdir(), `bobine-${hash}-${name}`), account)
}

/** The last part of a file system error in words: 'permission denied'. */
export function fileErrorReason(error: unknown): string {
  const message = (error as Error).message
  return /^[A-Z]+: ([^,]+)/.exec(message)?.[1] ?? message
}
