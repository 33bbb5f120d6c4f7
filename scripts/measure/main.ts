import { CliError } from '../launch/cli-error.ts'
import { measureFederationLatency } from './federation-latency.ts'
import { measureInboundFederation } from './inbound.ts'
import { measureFanOut, measureDeliveries } from './outbound.ts'
import { measureServing, measureServingFiles } from './serve.ts'
import { measurePipeline } from './pipeline.ts'
import { printRequestWaterfall, measurePageLoads } from './ui.ts'
import { measureWorkers } from './workers.ts'

const HELP = `Usage: scripts/bench pipeline | workers | serve [files] | ui [waterfall] | federation [inbound | deliveries | crowd | between]

  pipeline  how soon a film can be watched after its last byte and how soon all its rungs are made, beside the same ffmpeg
          commands alone and one run per rung; caps and likeness to the source
  workers   a film of ten minutes with 1, 2 and 4 workers of one core each: CPU seconds of each, the critical path, how efficient the split is
  serve   on an instance of its own with 30 videos: time from start to listening, idle memory, answers per second
          of the list and of a video, remembered and not, beside what this machine can do at best; ranges of a film beside
          nginx, and memory after that and with 2,000 slow clients ('files' measures these alone)
  ui      in a real browser with a slow line and a slow machine: first paint, first video frame, layout shift, blocking time, requests and
          bytes of the watch page, first and largest paint and scrolling of the home page with 100 videos, beside their limits and bare
          pages; 'waterfall' prints every request and long task of one visit instead
  federation  all of: comments and views of others taken and processed a second; signed deliveries a second, plain and over
          TLS, beside bare signing and posting; how soon 10,000 simulated hosts are reached; from one instance to another
`

/** What can be measured, by its name on the command line. */
const MEASURES: Record<string, () => Promise<void>> = {
  pipeline: measurePipeline,
  workers: measureWorkers,
  serve: measureServing,
  'serve files': measureServingFiles,
  ui: measurePageLoads,
  'ui waterfall': printRequestWaterfall,
  'federation inbound': measureInboundFederation,
  'federation deliveries': measureDeliveries,
  'federation crowd': measureFanOut,
  'federation between': measureFederationLatency,
  federation: async () => {
    for (const one of [measureInboundFederation, measureDeliveries, measureFanOut, measureFederationLatency]) await one()
  }
}

const name = process.argv.slice(2).join(' ') || undefined
if (name === '--help' || name === undefined) {
  process.stdout.write(HELP)
  process.exit(name === undefined ? 2 : 0)
}
const measure = MEASURES[name]
if (!measure) {
  console.error(`There is no measure '${name}'. See scripts/bench --help.`)
  process.exit(2)
}
try {
  await measure()
} catch (error) {
  console.error(error instanceof CliError ? error.message : error)
  process.exitCode = 1
}
