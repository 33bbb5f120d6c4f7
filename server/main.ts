import { setFlagsFromString } from 'node:v8'
import { parseArgs } from 'node:util'
import { ConfigError, loadConfig, instanceOrigin } from './core/config.ts'
import { logger } from './core/logger.ts'
import { resetPassword, startProcess, type ProcessRole, type RunningProcess } from './app/process.ts'

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

/** `reset` names a user who gets a new password; `onlyReset`: nothing else is done, as the instance runs. */
function readArguments(): { roles: ProcessRole[]; file?: string; reset?: string; onlyReset: boolean } {
  try {
    const { values } = parseArgs({
      options: {
        roles: { type: 'string' },
        config: { type: 'string' },
        'reset-password': { type: 'string' },
        'only-reset-password': { type: 'string' }
      }
    })
    const roles = (values.roles ?? 'web,worker').split(',')
    const unknown = roles.find(role => !ROLES.includes(role as ProcessRole))
    if (unknown !== undefined) fail(`Unknown role "${unknown}": the roles are ${ROLES.join(' and ')}`)
    const only = values['only-reset-password']
    return { roles: roles as ProcessRole[], file: values.config, reset: only ?? values['reset-password'], onlyReset: only !== undefined }
  } catch (error) {
    return fail((error as Error).message)
  }
}

/** Shows a new login once; the launcher does it where there is one. */
function announceLogin({ username, password }: { username: string; password: string }): void {
  if (!process.connected) process.stdout.write(`Log in as ${username} with the password ${password} (shown only this once).\n`)
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
  const { roles, file, reset, onlyReset } = readArguments()
  loadConfig({ file })
  if (onlyReset) {
    const login = await resetPassword(reset!)
    announceLogin(login)
    notifyLauncher({ type: 'ready', login })
    process.exit(0)
  }
  running = await startProcess(roles, reset)
  logger.info('Started', { roles, url: running.port === null ? undefined : instanceOrigin() })
  if (running.login) announceLogin(running.login)
  notifyLauncher({ type: 'ready', url: instanceOrigin(), login: running.login ?? undefined })
} catch (error) {
  if (error instanceof ConfigError) fail(error.message)
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') fail(`The port is in use: ${message}`)
  logger.error('The start failed', { error })
  fail(`The start failed: ${message}`)
}
