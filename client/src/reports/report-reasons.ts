/** The predefined reasons of a report, with their texts. */
export const REPORT_REASON_TEXTS = {
  violentOrRepulsive: 'reports.violent',
  hatefulOrAbusive: 'reports.hateful',
  spamOrMisleading: 'reports.spam',
  privacy: 'reports.privacy',
  rights: 'reports.rights',
  serverRules: 'reports.rules',
  thumbnails: 'reports.thumbnails',
  captions: 'reports.captions'
} as const

/** A predefined reason of a report. */
export type ReportReason = keyof typeof REPORT_REASON_TEXTS
