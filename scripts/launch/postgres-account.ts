import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { CliError } from './cli-error.ts'

/** The account that a program runs under instead of root: ids, the prefix of its command, and options for spawn. */
export interface SystemAccount {
  uid: number
  gid: number
  prefix: string[]
  options: { uid?: number; gid?: number }
}

/**
 * Returns the account for Postgres, which refuses to run as root: undefined (the current account) for an ordinary user; for root the owner
 * of an existing cluster, else the system account `postgres`. Throws CliError.
 */
export function findPostgresAccount(cluster: string): SystemAccount | undefined {
  if (process.getuid?.() !== 0) return undefined
  const ids = findOwnerIds(cluster) ?? findSystemAccount('postgres')
  const folder = dirname(cluster)
  if (canReach([], ids, folder)) return { ...ids, prefix: [], options: ids }
  // A parent folder is closed to everyone but root (as /root is): one capability opens folders, no other privilege of root is kept.
  for (const capability of ['dac_read_search', 'dac_override']) {
    const prefix = [
      'setpriv',
      `--reuid=${ids.uid}`,
      `--regid=${ids.gid}`,
      '--clear-groups',
      `--inh-caps=+${capability}`,
      `--ambient-caps=+${capability}`
    ]
    if (canReach(prefix, {}, folder)) return { ...ids, prefix, options: {} }
  }
  throw new CliError(
    `The account that PostgreSQL runs under cannot reach ${folder}: choose another folder with --data, for instance --data /var/lib/bobine`
  )
}

/** The group that must be able to pass through the data folder to the cluster; undefined where Postgres runs under the current account. */
export function findPostgresGroup(): number | undefined {
  return process.getuid?.() === 0 ? findSystemAccount('postgres').gid : undefined
}

function findOwnerIds(folder: string): { uid: number; gid: number } | undefined {
  const stats = statSync(folder, { throwIfNoEntry: false })
  return stats && stats.uid !== 0 ? { uid: stats.uid, gid: stats.gid } : undefined
}

function findSystemAccount(name: string): { uid: number; gid: number } {
  const id = (kind: string) => Number(spawnSync('id', [kind, name], { encoding: 'utf8' }).stdout?.trim() || NaN)
  const [uid, gid] = [id('-u'), id('-g')]
  if (Number.isInteger(uid) && Number.isInteger(gid)) return { uid, gid }
  throw new CliError(
    `PostgreSQL does not run as root and there is no account named ${name}: start as an ordinary user, or create that account`
  )
}

function canReach(prefix: string[], options: SystemAccount['options'], folder: string): boolean {
  // Not `test -x`: access() ignores capabilities.
  const [command, ...parameters] = [...prefix, 'ls', '-d', `${folder}/.`]
  return spawnSync(command!, parameters, { ...options, cwd: '/', stdio: 'ignore' }).status === 0
}
