import { fileErrorReason } from './folders.ts'
import { Launcher, type LaunchResult } from './launcher.ts'
import { LAUNCH_HELP, parseLaunchOptions } from './options.ts'
import { CliError } from './cli-error.ts'
import { runStep } from './step.ts'

/**
 * Runs the start command: parses the parameters, starts everything, prints the URL, and stops everything on a signal. Exits the process.
 */
export async function runLauncher(parameters: string[], serverFile: string): Promise<void> {
  // A closed terminal or pipe must not prevent the shutdown.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const launcher = new Launcher(serverFile, printLine, runStep)
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())
  try {
    const options = parseLaunchOptions(parameters)
    if (options === 'help') {
      process.stdout.write(LAUNCH_HELP)
      process.exit(0)
    }
    const result = await launcher.start(options)
    if (result.wasRunning) {
      printLogin(result)
      process.exit(0)
    }
    printReady(result)
  } catch (error) {
    if (stopping) return
    console.error(describeError(error))
    process.exit(error instanceof CliError ? error.code : 1)
  }

  async function stop(): Promise<void> {
    if (stopping) return
    stopping = true
    printLine('Stopping')
    await launcher.stop().catch(error => console.error(error))
    process.exit(0)
  }
}

function printReady({ url, login, log }: LaunchResult): void {
  printLine(url === undefined ? 'Bobine is ready.' : `Bobine is ready: ${url}`)
  printLogin({ login })
  printLine(`What it does from now on is told in ${log}`)
  printLine('Ctrl-C stops it.')
}

function printLogin({ login }: Pick<LaunchResult, 'login'>): void {
  if (login) printLine(`Log in as ${login.username} with the password ${login.password} (shown only this once).`)
}

/** Returns a sentence for errors the administrator can fix, else the whole error with its stack trace. */
function describeError(error: unknown): unknown {
  if (error instanceof CliError) return error.message
  const { code, path } = error as NodeJS.ErrnoException
  return code !== undefined && path !== undefined ? `${path}: ${fileErrorReason(error)}` : error
}

function printLine(line: string): void {
  console.log(line)
}
