/** What a report may say besides words, with the texts for it. */
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

/** One of them. */
export type ReportReason = keyof typeof REPORT_REASON_TEXTS
