import type { ComponentChildren, JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { Comment } from '../../../shared/comments.ts'
import { api } from '../api.ts'
import { isNotFoundError } from '../api-error.ts'
import { displayHandle } from '../actors/actor-header.tsx'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { ReportForm } from '../reports/report-form.tsx'
import { apiErrorText } from '../api-error-text.ts'
import { currentUser } from '../session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { Badge } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { mayApproveComments, mayDeleteComment, COMMENTS_POLICY_IDS, type CommentContext } from './comment-permissions.ts'
import { CommentContent } from './comment-content.tsx'
import { CommentForm } from './comment-form.tsx'

/** Milliseconds between `createdAt` and `updatedAt` above which a comment counts as edited. */
const EDITED_THRESHOLD = 1000

type Props = {
  comment: Comment
  context: CommentContext
  onReply: (reply: Comment) => Promise<void>
  onDelete: () => void
  onApprove: () => void
  children?: ComponentChildren
}

/** Returns the DOM id of a comment's element. */
export const commentElementId = (id: number): string => `comment-${id}`

/** A comment with its actions; `children` (the replies) are shown below it. */
export function CommentItem({ comment, context, onReply, onDelete, onApprove, children }: Props): JSX.Element {
  const { video, headers } = context
  const { account } = comment
  const [replying, setReplying] = useState(false)
  const [reporting, setReporting] = useState(false)
  const [busy, setBusy] = useState(false)
  const actions = useRef<HTMLDivElement>(null)
  const params = { id: video.uuid, commentId: comment.id }
  const name = account?.displayName ?? ''

  const runAction = async (request: () => Promise<unknown>, successText: string, onSuccess: () => void) => {
    setBusy(true)
    try {
      // Already done by another user: not an error.
      await request().catch((error: unknown) => {
        if (!isNotFoundError(error)) throw error
      })
      onSuccess()
      showToast(successText)
    } catch (error) {
      showToast(apiErrorText(error), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  const confirmAndDelete = async () => {
    if (await openConfirmDialog({ title: t('comments.deleteTitle'), text: t('comments.deleteText'), yes: t('mine.deleteYes') }))
      await runAction(async () => await api('DELETE /videos/:id/comments/:commentId', { params, headers }), t('comments.deleted'), onDelete)
  }
  const sendReply = async (text: string) => {
    const { comment: reply } = await api('POST /videos/:id/comments/:commentId', { params, headers, body: { text } })
    setReplying(false)
    showToast(t(reply.heldForReview ? 'comments.sentForReview' : 'comments.published'))
    await onReply(reply)
  }
  const closeReplyForm = () => {
    setReplying(false)
    actions.current?.querySelector('button')?.focus()
  }
  if (comment.isDeleted || !account) {
    return (
      <article class="comment" id={commentElementId(comment.id)} tabIndex={-1} data-quiet-focus aria-label={t('comments.gone')}>
        <div class="comment-words">
          <p class="soft comment-gone">{t('comments.gone')}</p>
          {children}
        </div>
      </article>
    )
  }
  const mayReply = currentUser.value !== null && Number(video.commentsPolicy.id) !== COMMENTS_POLICY_IDS.closed && !comment.heldForReview
  const mayDelete = mayDeleteComment(currentUser.value, video, comment)
  const mayReport = currentUser.value !== null && currentUser.value.account.id !== account.id
  return (
    <article class="comment" id={commentElementId(comment.id)} tabIndex={-1} data-quiet-focus aria-label={t('comments.by', { name })}>
      <Avatar of={account} size="s" />
      <div class="comment-words">
        <p class="comment-head">
          <a class="comment-author" href={`/a/${displayHandle(account)}`}>
            {name}
          </a>
          {account.id === video.account.id && <Badge kind="accent">{t('comments.owner')}</Badge>}
          {account.host !== location.host && <span class="soft small comment-handle">{displayHandle(account)}</span>}
          <span class="soft small">
            <time dateTime={comment.createdAt} title={formatDate(comment.createdAt, { dateStyle: 'long', timeStyle: 'short' })}>
              {formatAge(comment.createdAt)}
            </time>
            {Date.parse(comment.updatedAt) - Date.parse(comment.createdAt) > EDITED_THRESHOLD && <> · {t('comments.edited')}</>}
          </span>
        </p>
        {comment.heldForReview && (
          <div class="comment-held">
            <span>{t(mayApproveComments(currentUser.value, video) ? 'comments.heldForYou' : 'comments.held')}</span>
            {mayApproveComments(currentUser.value, video) && (
              <Button
                look="primary"
                icon="check"
                busy={busy}
                aria-label={t('comments.approveOf', { name })}
                onClick={() =>
                  void runAction(
                    async () => await api('POST /videos/:id/comments/:commentId/approve', { params, headers }),
                    t('comments.approved'),
                    onApprove
                  )
                }
              >
                {t('comments.approve')}
              </Button>
            )}
          </div>
        )}
        <CommentContent comment={comment} />
        {(mayReply || mayDelete || mayReport) && (
          <div class="comment-actions" ref={actions}>
            {mayReply && (
              <button
                type="button"
                class="comment-act"
                aria-expanded={replying}
                aria-label={t('comments.replyTo', { name })}
                onClick={() => setReplying(!replying)}
              >
                {t('comments.reply')}
              </button>
            )}
            {mayDelete && (
              <button
                type="button"
                class="comment-act"
                disabled={busy}
                aria-label={t('comments.deleteOf', { name })}
                onClick={() => void confirmAndDelete()}
              >
                {t('mine.deleteYes')}
              </button>
            )}
            {mayReport && (
              <button type="button" class="comment-act" aria-label={t('reports.openOf', { name })} onClick={() => setReporting(true)}>
                {t('reports.open')}
              </button>
            )}
          </div>
        )}
        {reporting && (
          <ReportForm
            subject={{ kind: 'comment', id: comment.id, name: t('reports.comment', { name }) }}
            host={account.host}
            headers={headers}
            onClose={() => setReporting(false)}
          />
        )}
        {replying && (
          <CommentForm
            label={t('comments.yourReply', { name })}
            submitLabel={t('comments.reply')}
            onSend={sendReply}
            onCancel={closeReplyForm}
            hint={commentFormHint(context)}
          />
        )}
        {children}
      </div>
    </article>
  )
}

/** Returns the hint for the comment form if comments of the current user are held for approval. */
export function commentFormHint({ video }: CommentContext): string | undefined {
  return Number(video.commentsPolicy.id) === COMMENTS_POLICY_IDS.approval && !mayApproveComments(currentUser.value, video)
    ? t('comments.reviewed')
    : undefined
}
