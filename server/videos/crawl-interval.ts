import { config } from '../core/config.ts'

/** Milliseconds between two checks for due crawls: a twelfth of `federation.crawl.interval`, at least one second. */
export const crawlCheckInterval = (): number => Math.max(1000, config.federation.crawl.interval / 12)
