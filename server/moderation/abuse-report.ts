/** What is reported: where it is, and whose. */
export type AbuseTarget = { kind: 'video' | 'comment' | 'account'; id: number; url: string; flaggedId: number | null }
/** What is said of it. */
export type AbuseReport = {
  url: string
  reason: string
  predefinedReasons: string[]
  reporterId: number | null
  reporterHost: string | null
  startAt: number | null
  endAt: number | null
}
