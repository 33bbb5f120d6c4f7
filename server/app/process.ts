import './models.ts'
import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { config, ConfigError } from '../core/config.ts'
import { followCustomized } from '../core/admin-overrides.ts'
import { connectDatabase, disconnectDatabase } from '../core/database.ts'
import { foldChanges } from '../core/versioned-cache.ts'
import { closeQueues } from '../core/job.ts'
import { configureLogger } from '../core/logger.ts'
import { migrate } from '../core/migrate.ts'
import { connectRedis, disconnectRedis } from '../core/redis.ts'
import { hearOthers, tellOthers } from '../core/pubsub.ts'
import { createRoot, resetPassword } from '../accounts/bootstrap.ts'
import { actorsKeyring } from '../actors/actors-keyring.ts'
import { setKeyring } from '../fediverse/keyring.ts'
import { startListening } from './listeners.ts'
import { startWeb } from './web.ts'
import { startWork } from './worker.ts'

/** What a process does: `web` answers requests, `worker` runs jobs. */
export type Role = 'web' | 'worker'
/** A running process with its roles. */
export type Running = { port: number | null; login: { username: string; password: string } | null; stop(): Promise<void> }

/**
 * Connects, migrates and starts the roles, the configuration being loaded; `stop` ends everything in reverse order.
 * `reset` names a user who is given a new password; it is told as `login`.
 */
export async function startProcess(roles: Role[], reset?: string): Promise<Running> {
  configureLogger()
  // Whoever waits for a page goes before work that can wait.
  if (!roles.includes('web')) stepBack(config.jobs.nice)
  await connectDatabase()
  connectRedis()
  await migrate()
  await foldChanges()
  const customized = await followCustomized()
  const login = (await createRoot()) ?? (reset === undefined ? null : await resetPassword(reset))
  if (reset !== undefined && !login) throw new ConfigError(`There is no user ${reset}`)
  setKeyring(actorsKeyring)
  startListening()
  tellOthers()
  hearOthers()
  const web = roles.includes('web') ? await startWeb() : null
  const work = roles.includes('worker') ? startWork() : null
  return {
    port: web?.port ?? null,
    login,
    stop: async () => {
      customized.stop()
      await web?.stop()
      await work?.stop()
      await closeQueues()
      await disconnectRedis()
      await disconnectDatabase()
    }
  }
}

/** Lets other processes go first; on Linux each thread has a priority of its own. */
function stepBack(nice: number): void {
  setPriority(nice)
  if (process.platform === 'linux') for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), nice)
}
