import { parseArgs } from 'node:util'
import { CliError } from './cli-error.ts'

/** The parsed command line; paths as typed. */
export interface LaunchOptions {
  port?: number
  data?: string
  hostname?: string
  roles: string[]
  config?: string
  resetPassword?: string
}

const ROLES = ['web', 'worker']

/** The output of --help. */
export const LAUNCH_HELP = `Usage: scripts/start [options]

Starts Bobine, and a PostgreSQL and a Redis of its own unless DATABASE_URL and REDIS_URL or the configuration name others.

  --port N          listen on port N (9000)
  --data DIR        keep everything in DIR (./data)
  --hostname NAME   the name or address visitors use (localhost); for any name but localhost visitors are
                    expected on https, through a reverse proxy such as Caddy
  --roles LIST      web, worker, or both (web,worker)
  --config FILE     read FILE instead of config/local.yaml; config/default.yaml explains every key
  --reset-password [NAME]  give this user (root) a new password, show it and end its sessions; if Bobine runs on DIR
                    it goes on, otherwise it starts
  --help            this text

Environment: DATABASE_URL, REDIS_URL; BOBINE_CONFIG (a JSON object that overrides any key of the configuration);
BOBINE_ROOT_PASSWORD (the first administrator's password, otherwise made up and shown once).

Ctrl-C stops everything that was started.
`

/** Parses the command line; returns 'help' for --help. Throws CliError with exit status 2. */
export function parseLaunchOptions(parameters: string[]): LaunchOptions | 'help' {
  const values = parseArguments(parameters)
  if (values.help) return 'help'
  for (const [name, value] of Object.entries(values)) {
    if (value === '') throw usageError(`--${name} needs a value`)
  }
  return {
    port: values.port === undefined ? undefined : parsePort(values.port),
    data: values.data,
    hostname: values.hostname === undefined ? undefined : parseHostname(values.hostname),
    roles: values.roles === undefined ? ROLES : parseRoles(values.roles),
    config: values.config,
    resetPassword: values['reset-password']
  }
}

function parseArguments(parameters: string[]) {
  const text = { type: 'string' } as const
  try {
    return parseArgs({
      args: withDefaultUser(parameters),
      options: { port: text, data: text, hostname: text, roles: text, config: text, 'reset-password': text, help: { type: 'boolean' } }
    }).values
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const option = /'(-[^' ]*)/.exec(message)?.[1] ?? ''
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION') throw usageError(`There is no option ${option}`)
    if (code === 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL') throw usageError(`'${/'([^']*)'/.exec(message)?.[1]}' is not an option`)
    throw usageError(option === '--help' ? '--help takes no value' : `${option} needs a value`)
  }
}

/** `--reset-password` without a name means root. */
function withDefaultUser(parameters: string[]): string[] {
  return parameters.flatMap((parameter, index) =>
    parameter === '--reset-password' && (parameters[index + 1] ?? '--').startsWith('--') ? [parameter, 'root'] : [parameter]
  )
}

function parsePort(text: string): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= 1 && number <= 65535) return number
  throw usageError(`--port takes a number from 1 to 65535, not '${text}'`)
}

function parseHostname(text: string): string {
  const name = text.toLowerCase()
  if (/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(name)) return name
  throw usageError(`--hostname takes a name such as videos.example.org, without scheme, port or path, not '${text}'`)
}

function parseRoles(text: string): string[] {
  const names = [...new Set(text.split(',').map(name => name.trim()))]
  const unknown = names.find(name => !ROLES.includes(name))
  if (unknown === undefined) return names
  throw usageError(`--roles takes ${ROLES.join(', ')} or both separated by a comma, not '${text}'`)
}

function usageError(sentence: string): CliError {
  return new CliError(`${sentence}. See scripts/start --help.`, 2)
}
