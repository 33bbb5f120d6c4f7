import './models.ts'
import { readdirSync } from 'node:fs'
import { setPriority } from 'node:os'
import { config, ConfigError, configWarnings } from '../core/config.ts'
import { startAdminOverrides } from '../core/admin-overrides.ts'
import { abandonDatabaseIfAway, connectDatabase, disconnectDatabase } from '../core/database.ts'
import { foldChangeCounts } from '../core/versioned-cache.ts'
import { closeQueues } from '../core/job.ts'
import { isDatabaseUnavailable, isStatementTimeout } from '../core/database-errors.ts'
import { configureLogger, limitLogOf, logger } from '../core/logger.ts'
import { migrateDatabase } from '../core/migrate.ts'
import { stopCountingRefusals } from '../core/rate-limit-refusals.ts'
import { connectRedis, disconnectRedis, isRedisUnavailableError } from '../core/redis.ts'
import { subscribeToSharedEvents, publishSharedEvents } from '../core/pubsub.ts'
import { bootstrapInstance, resetUserPassword } from '../accounts/bootstrap.ts'
import { actorsKeyring } from '../actors/actors-keyring.ts'
import { setKeyring } from '../fediverse/keyring.ts'
import { startNotingUptime } from '../fediverse/outages.ts'
import { registerListeners } from './listeners.ts'
import { startWebRole } from './web.ts'
import { startWorkerRole } from './worker.ts'

/** A role of a process: `web` answers requests, `worker` runs jobs. */
export type ProcessRole = 'web' | 'worker'
/** A running process; `port` is null without the web role, `login` is set if an account or password was created. */
export type RunningProcess = { port: number | null; login: { username: string; password: string } | null; stop(): Promise<void> }

/**
 * Connects to the services, migrates the database and starts the roles; the configuration must be loaded. `stop` ends everything.
 * `reset` names a user who gets a new password, returned as `login`. Throws ConfigError for an unknown user.
 */
export async function startProcess(roles: ProcessRole[], reset?: string): Promise<RunningProcess> {
  configureLogger()
  limitLogOf(error => isDatabaseUnavailable(error) || isStatementTimeout(error) || isRedisUnavailableError(error))
  for (const warning of configWarnings()) logger.warn(warning)
  // Requests have priority over work that can wait.
  if (!roles.includes('web')) lowerPriority(config.jobs.nice)
  await connectDatabase()
  await connectRedis()
  await migrateDatabase()
  await foldChangeCounts()
  const adminOverrides = await startAdminOverrides()
  const login = (await bootstrapInstance()) ?? (reset === undefined ? null : await resetKnownPassword(reset))
  setKeyring(actorsKeyring)
  registerListeners()
  publishSharedEvents()
  subscribeToSharedEvents()
  const web = roles.includes('web') ? await startWebRole() : null
  const uptime = web && (await startNotingUptime())
  const worker = roles.includes('worker') ? startWorkerRole() : null
  return {
    port: web?.port ?? null,
    login,
    stop: async () => {
      adminOverrides.stop()
      uptime?.stop()
      await abandonDatabaseIfAway(async () => {
        await web?.stop()
        await worker?.stop()
        await closeQueues()
        await stopCountingRefusals()
      })
      await disconnectRedis()
      await disconnectDatabase()
    }
  }
}

/** Gives a user a new password and ends its sessions, beside a running instance; the configuration must be loaded. Throws ConfigError for an unknown user. */
export async function resetPassword(username: string): Promise<{ username: string; password: string }> {
  configureLogger()
  await connectDatabase()
  try {
    return await resetKnownPassword(username)
  } finally {
    await disconnectDatabase()
  }
}

async function resetKnownPassword(username: string): Promise<{ username: string; password: string }> {
  const login = await resetUserPassword(username)
  if (!login) throw new ConfigError(`There is no user ${username}`)
  return login
}

/** Lowers the priority of this process; on Linux each thread has its own priority. */
function lowerPriority(nice: number): void {
  setPriority(nice)
  if (process.platform === 'linux') for (const thread of readdirSync('/proc/self/task')) setPriority(Number(thread), nice)
}
