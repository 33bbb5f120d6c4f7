/** What a report may say besides words, with the texts for it. */
export const REASONS = {
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
export type Reason = keyof typeof REASONS
