import './models.ts'
import { connectDatabase, disconnectDatabase } from '../core/database.ts'
import { closeQueues, startWorkers, stopWorkers } from '../core/job.ts'
import { configureLogger } from '../core/logger.ts'
import { migrate } from '../core/migrate.ts'
import { connectRedis, disconnectRedis } from '../core/redis.ts'
import { createRoot } from '../accounts/root.ts'
import { reconcileNow } from '../transcoding/reconcile.job.ts'
import { jobs } from './jobs.ts'
import { startListening } from './listeners.ts'
import { startWeb, type Web } from './web.ts'

/** What a process does: `web` answers requests, `worker` runs jobs. */
export type Role = 'web' | 'worker'
/** A running process with its roles. */
export type Running = { port: number | null, login: { username: string, password: string } | null, stop(): Promise<void> }

/** Connects, migrates and starts the roles, the configuration being loaded; `stop` ends everything in reverse order. */
export async function startProcess(roles: Role[]): Promise<Running> {
  configureLogger()
  await connectDatabase()
  connectRedis()
  await migrate()
  const login = await createRoot()
  startListening()
  let web: Web | null = null
  if (roles.includes('web')) web = await startWeb()
  if (roles.includes('worker')) {
    await startWorkers(jobs)
    await reconcileNow()
  }
  return {
    port: web?.port ?? null,
    login,
    stop: async () => {
      await web?.stop()
      await stopWorkers()
      await closeQueues()
      await disconnectRedis()
      await disconnectDatabase()
    }
  }
}
