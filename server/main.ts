import { setFlagsFromString } from 'node:v8'
import { parseArgs } from 'node:util'
import { ConfigError, loadConfig, instanceOrigin } from './core/config.ts'
import { logger } from './core/logger.ts'
import { startProcess, type ProcessRole, type RunningProcess } from './app/process.ts'

const ROLES: ProcessRole[] = ['web', 'worker']

// Under load V8 would let the heap grow to four times the live objects before a collection; that is too much for small machines.
setFlagsFromString('--heap-growing-percent=60')

/** Reports the outcome of the start to the launcher, if there is one. */
function notifyLauncher(message: object): void {
  if (process.connected) process.send?.(message)
}

function fail(message: string): never {
  // The launcher prints it; without one it is logged.
  if (!process.connected) logger.error(message)
  notifyLauncher({ type: 'failed', message })
  process.exit(1)
}

function readArguments(): { roles: ProcessRole[]; file?: string; reset?: string } {
  try {
    const { values } = parseArgs({
      options: { roles: { type: 'string' }, config: { type: 'string' }, 'reset-password': { type: 'string' } }
    })
    const roles = (values.roles ?? 'web,worker').split(',')
    const unknown = roles.find(role => !ROLES.includes(role as ProcessRole))
    if (unknown !== undefined) fail(`Unknown role "${unknown}": the roles are ${ROLES.join(' and ')}`)
    return { roles: roles as ProcessRole[], file: values.config, reset: values['reset-password'] }
  } catch (error) {
    return fail((error as Error).message)
  }
}

let running: RunningProcess | null = null
let stopping = false

async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  logger.info('Stopping')
  await running?.stop()
  process.exit(0)
}

process.on('SIGTERM', () => void stop())
process.on('SIGINT', () => void stop())
process.on('disconnect', () => void stop())

try {
  const { roles, file, reset } = readArguments()
  loadConfig({ file })
  running = await startProcess(roles, reset)
  logger.info('Started', { roles, url: running.port === null ? undefined : instanceOrigin() })
  if (running.login && !process.connected)
    process.stdout.write(`Log in as ${running.login.username} with the password ${running.login.password} (shown only this once).\n`)
  notifyLauncher({ type: 'ready', url: instanceOrigin(), login: running.login ?? undefined })
} catch (error) {
  if (error instanceof ConfigError) fail(error.message)
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') fail(`The port is in use: ${message}`)
  logger.error('The start failed', { error })
  fail(`The start failed: ${message}`)
}
