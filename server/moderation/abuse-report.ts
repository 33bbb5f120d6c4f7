/** The reported object, its URL, and the account that owns it. */
export type AbuseTarget = { kind: 'video' | 'comment' | 'account'; id: number; url: string; flaggedId: number | null }
/** The content of a report; `startAt` and `endAt` in seconds of the video. */
export type AbuseReport = {
  url: string
  reason: string
  predefinedReasons: string[]
  reporterId: number | null
  reporterHost: string | null
  startAt: number | null
  endAt: number | null
}
