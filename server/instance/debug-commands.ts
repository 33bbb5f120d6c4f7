import type { Job } from '../core/job.ts'
import { Problem } from '../core/problem.ts'

let commands: ReadonlyMap<string, Job> = new Map()

/** Sets the commands of `POST /server/debug/run-command`, by PeerTube's names, with the jobs that they run. */
export function registerDebugCommands(jobsByCommand: Readonly<Record<string, Job>>): void {
  commands = new Map(Object.entries(jobsByCommand))
}

/** Puts the job of a command into its queue at once. Throws 400 for a command that does not exist. */
export async function runDebugCommand(command: string): Promise<void> {
  const job = commands.get(command)
  if (!job) throw new Problem(400, null, 'Invalid command')
  await job.enqueue({})
}
