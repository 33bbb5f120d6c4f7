import { fileErrorReason } from './folders.ts'
import { Launcher } from './launcher.ts'
import { LAUNCH_HELP, parseLaunchOptions } from './options.ts'
import { CliError } from './cli-error.ts'
import type { ServerReady } from './server-process.ts'
import { runStep } from './step.ts'

/** The whole command: reads the parameters, starts everything, prints where it is, and stops it when asked. Ends the process. */
export async function runLauncher(parameters: string[], serverFile: string): Promise<void> {
  // A closed terminal or pipe must not keep us from stopping what we started.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  const launch = new Launcher(serverFile, say, runStep)
  let stopping = false
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop())
  try {
    const options = parseLaunchOptions(parameters)
    if (options === 'help') {
      process.stdout.write(LAUNCH_HELP)
      process.exit(0)
    }
    greet(await launch.start(options))
  } catch (error) {
    if (stopping) return
    console.error(sentence(error))
    process.exit(error instanceof CliError ? error.code : 1)
  }

  async function stop(): Promise<void> {
    if (stopping) return
    stopping = true
    say('Stopping')
    await launch.stop().catch(error => console.error(error))
    process.exit(0)
  }
}

function greet({ url, login, log }: ServerReady & { log: string }): void {
  say(url === undefined ? 'Bobine is ready.' : `Bobine is ready: ${url}`)
  if (login) say(`Log in as ${login.username} with the password ${login.password} (shown only this once).`)
  say(`What it does from now on is told in ${log}`)
  say('Ctrl-C stops it.')
}

/** What the admin can mend as a sentence; anything else whole, for whoever mends the launcher. */
function sentence(error: unknown): unknown {
  if (error instanceof CliError) return error.message
  const { code, path } = error as NodeJS.ErrnoException
  return code !== undefined && path !== undefined ? `${path}: ${fileErrorReason(error)}` : error
}

function say(line: string): void {
  console.log(line)
}
