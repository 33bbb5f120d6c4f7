import type { JSX } from 'preact'
import { formatTime, t } from '../i18n/i18n.ts'
import { Notice } from '../ui/feedback.tsx'

type Props = { truncatedAt: number | null; inList?: boolean }

/** Tells that the uploaded file ends early, at `truncatedAt` seconds; null for a whole file. `inList`: as small text, without a box. */
export function TruncationNotice({ truncatedAt, inList = false }: Props): JSX.Element | null {
  if (truncatedAt === null) return null
  const text = t('encoding.truncated', { time: formatTime(truncatedAt) })
  return inList ? <span class="soft small">{text}</span> : <Notice kind="warn">{text}</Notice>
}
