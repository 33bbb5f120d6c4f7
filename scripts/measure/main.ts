import { CliError } from '../launch/cli-error.ts'
import { measureFederationLatency } from './federation-latency.ts'
import { measureInboundFederation } from './inbound.ts'
import { measureFanOut, measureDeliveries } from './outbound.ts'
import { measureServing, measureServingFiles } from './serve.ts'
import { measurePipeline } from './pipeline.ts'
import { printRequestWaterfall, measurePageLoads } from './ui.ts'
import { measureWorkers } from './workers.ts'

const HELP = `Usage: scripts/bench pipeline | workers | serve [files] | ui [waterfall] | federation [inbound | deliveries | crowd | between]

  pipeline    how soon a video is playable after its last byte and how soon all its renditions are complete, beside the same
              ffmpeg commands alone and one run per rendition; bitrate caps and quality (SSIM)
  workers     a video of ten minutes with 1, 2 and 4 workers of one core each: CPU seconds of each, the critical path, the
              efficiency of the split
  serve       on an instance of its own with 30 videos: time from start to listening, idle memory, responses per second of the
              list and of a video, cached and uncached, beside the limits of this machine; range requests beside nginx, and
              memory after that and with 2,000 slow clients ('files' measures these alone)
  ui          in a real browser with a slow connection and a slow device: first paint, first video frame, layout shift, blocking
              time, requests and bytes of the watch page, first and largest paint and scrolling of the home page with 100
              videos, beside their limits and minimal pages; 'waterfall' prints every request and long task of one visit instead
  federation  all of: remote comments and views accepted and processed per second; signed deliveries per second, plain and over
              TLS, beside plain signing and posting; how soon 10,000 simulated hosts are reached; latency between two instances
`

/** The measurements, by their name on the command line. */
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
    for (const measure of [measureInboundFederation, measureDeliveries, measureFanOut, measureFederationLatency]) await measure()
  }
}

const name = process.argv.slice(2).join(' ') || undefined
if (name === '--help' || name === undefined) {
  process.stdout.write(HELP)
  process.exit(name === undefined ? 2 : 0)
}
const measure = MEASURES[name]
if (!measure) {
  console.error(`There is no measurement '${name}'. See scripts/bench --help.`)
  process.exit(2)
}
try {
  await measure()
} catch (error) {
  console.error(error instanceof CliError ? error.message : error)
  process.exitCode = 1
}
