import { Refusal } from '../launch/refusal.ts'
import { measureInbound } from './inbound.ts'
import { measureServing } from './serve.ts'

const HELP = `Usage: scripts/bench serve | federation

  serve   on an instance of its own with 30 videos: time from start to listening, idle memory, answers per second
          of the list and of a video, remembered and not, beside what this machine can do at best
`

/** What can be measured, by its name on the command line. */
const MEASURES: Record<string, () => Promise<void>> = { serve: measureServing, federation: measureInbound }

const [name, ...rest] = process.argv.slice(2)
if (name === '--help' || name === undefined) {
  process.stdout.write(HELP)
  process.exit(name === undefined ? 2 : 0)
}
const measure = rest.length === 0 ? MEASURES[name] : undefined
if (!measure) {
  console.error(`There is no measure '${[name, ...rest].join(' ')}'. See scripts/bench --help.`)
  process.exit(2)
}
try {
  await measure()
} catch (error) {
  console.error(error instanceof Refusal ? error.message : error)
  process.exitCode = 1
}
