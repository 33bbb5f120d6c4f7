import type { JSX } from 'preact'
import type { Comment, CommentAttachment } from '../../../shared/comments.ts'
import { t } from '../i18n/i18n.ts'
import { SanitizedHtml } from '../ui/markdown.tsx'

/** The text of a comment with what is attached to it, folded behind its warning if it has one. */
export function CommentContent({ comment: { html, summary, attachments } }: { comment: Comment }): JSX.Element {
  const content = (
    <>
      {html !== '' && <SanitizedHtml html={html} />}
      {attachments.length > 0 && (
        <ul class="comment-attachments" role="list" aria-label={t('comments.attachments')}>
          {attachments.map(attachment => (
            <li key={attachment.url}>
              <Attachment attachment={attachment} />
            </li>
          ))}
        </ul>
      )}
    </>
  )
  if (summary === null) return content
  return (
    <details class="comment-folded">
      <summary>{t('comments.warning', { text: summary })}</summary>
      {content}
    </details>
  )
}

/** A picture through our cache, or a link; both lead to the server of the comment. */
function Attachment({ attachment: { url, name, thumbnailPath } }: { attachment: CommentAttachment }): JSX.Element {
  const { host, pathname } = new URL(url)
  const text = name ?? `${host}/${pathname.split('/').at(-1)}`
  return (
    <a href={url} target="_blank" rel="nofollow noopener noreferrer">
      {thumbnailPath ? <img src={thumbnailPath} alt={text} title={text} loading="lazy" decoding="async" /> : text}
    </a>
  )
}
