import type { JSX } from 'preact'
import { formatTime, t } from '../i18n/i18n.ts'
import { Notice } from '../ui/feedback.tsx'

/** Tells that the uploaded file ends early, at `truncatedAt` seconds; null for a whole file. */
export function TruncationNotice({ truncatedAt }: { truncatedAt: number | null }): JSX.Element | null {
  if (truncatedAt === null) return null
  return <Notice kind="warn">{t('encoding.truncated', { time: formatTime(truncatedAt) })}</Notice>
}
