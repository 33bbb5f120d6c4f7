import './models.ts'
import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { config, ConfigError } from '../core/config.ts'
import { startAdminOverrides } from '../core/admin-overrides.ts'
import { connectDatabase, disconnectDatabase } from '../core/database.ts'
import { foldChangeCounts } from '../core/versioned-cache.ts'
import { closeQueues } from '../core/job.ts'
import { configureLogger } from '../core/logger.ts'
import { migrateDatabase } from '../core/migrate.ts'
import { connectRedis, disconnectRedis } from '../core/redis.ts'
import { subscribeToSharedEvents, publishSharedEvents } from '../core/pubsub.ts'
import { bootstrapInstance, resetUserPassword } from '../accounts/bootstrap.ts'
import { actorsKeyring } from '../actors/actors-keyring.ts'
import { setKeyring } from '../fediverse/keyring.ts'
import { registerListeners } from './listeners.ts'
import { startWebRole } from './web.ts'
import { startWorkerRole } from './worker.ts'

/** What a process does: `web` answers requests, `worker` runs jobs. */
export type ProcessRole = 'web' | 'worker'
/** A running process with its roles. */
export type RunningProcess = { port: number | null; login: { username: string; password: string } | null; stop(): Promise<void> }

/**
 * Connects, migrates and starts the roles, the configuration being loaded; `stop` ends everything in reverse order.
 * `reset` names a user who is given a new password; it is told as `login`.
 */
export async function startProcess(roles: ProcessRole[], reset?: string): Promise<RunningProcess> {
  configureLogger()
  // Whoever waits for a page goes before work that can wait.
  if (!roles.includes('web')) stepBack(config.jobs.nice)
  await connectDatabase()
  connectRedis()
  await migrateDatabase()
  await foldChangeCounts()
  const customized = await startAdminOverrides()
  const login = (await bootstrapInstance()) ?? (reset === undefined ? null : await resetUserPassword(reset))
  if (reset !== undefined && !login) throw new ConfigError(`There is no user ${reset}`)
  setKeyring(actorsKeyring)
  registerListeners()
  publishSharedEvents()
  subscribeToSharedEvents()
  const web = roles.includes('web') ? await startWebRole() : null
  const work = roles.includes('worker') ? startWorkerRole() : null
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
