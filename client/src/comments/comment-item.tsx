import type { ComponentChildren, JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import type { Comment } from '../../../shared/comments.ts'
import { api } from '../api.ts'
import { isNotFoundError } from '../api-error.ts'
import { displayHandle } from '../channels/actor-header.tsx'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { ReportForm } from '../moderation/report-form.tsx'
import { apiErrorText } from '../api-error-text.ts'
import { currentUser } from '../session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { SanitizedHtml } from '../ui/markdown.tsx'
import { Badge } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { mayApproveComments, mayDeleteComment, COMMENTS_POLICY_IDS, type CommentContext } from './comment-permissions.ts'
import { CommentForm } from './comment-form.tsx'

/** How far apart two times of a comment are where it was edited. */
const EDITED_AFTER = 1000

type Props = {
  comment: Comment
  place: CommentContext
  onAnswer: (answer: Comment) => Promise<void>
  onDelete: () => void
  onApprove: () => void
  children?: ComponentChildren
}

/** The id of a comment's element in the page. */
export const commentElementId = (id: number): string => `comment-${id}`

/** One comment with what one can do with it; below it what answers it. */
export function CommentItem({ comment, place, onAnswer, onDelete, onApprove, children }: Props): JSX.Element {
  const { video, headers } = place
  const { account } = comment
  const [answering, setAnswering] = useState(false)
  const [reporting, setReporting] = useState(false)
  const [busy, setBusy] = useState(false)
  const answer = useRef<HTMLDivElement>(null)
  const params = { id: video.uuid, commentId: comment.id }
  const name = account?.displayName ?? ''

  const act = async (what: () => Promise<unknown>, done: string, then: () => void) => {
    setBusy(true)
    try {
      // Somebody else may have been faster.
      await what().catch((error: unknown) => {
        if (!isNotFoundError(error)) throw error
      })
      then()
      showToast(done)
    } catch (error) {
      showToast(apiErrorText(error), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  const remove = async () => {
    if (await openConfirmDialog({ title: t('comments.deleteTitle'), text: t('comments.deleteText'), yes: t('mine.deleteYes') }))
      await act(async () => await api('DELETE /videos/:id/comments/:commentId', { params, headers }), t('comments.deleted'), onDelete)
  }
  const send = async (text: string) => {
    const { comment: made } = await api('POST /videos/:id/comments/:commentId', { params, headers, body: { text } })
    setAnswering(false)
    showToast(t(made.heldForReview ? 'comments.sentForReview' : 'comments.published'))
    await onAnswer(made)
  }
  const close = () => {
    setAnswering(false)
    answer.current?.querySelector('button')?.focus()
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
  const mayAnswer = currentUser.value !== null && Number(video.commentsPolicy.id) !== COMMENTS_POLICY_IDS.closed && !comment.heldForReview
  const mayRemove = mayDeleteComment(currentUser.value, video, comment)
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
            {Date.parse(comment.updatedAt) - Date.parse(comment.createdAt) > EDITED_AFTER && <> · {t('comments.edited')}</>}
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
                  void act(
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
        <SanitizedHtml html={comment.html} />
        {(mayAnswer || mayRemove || mayReport) && (
          <div class="comment-actions" ref={answer}>
            {mayAnswer && (
              <button
                type="button"
                class="comment-act"
                aria-expanded={answering}
                aria-label={t('comments.replyTo', { name })}
                onClick={() => setAnswering(!answering)}
              >
                {t('comments.reply')}
              </button>
            )}
            {mayRemove && (
              <button
                type="button"
                class="comment-act"
                disabled={busy}
                aria-label={t('comments.deleteOf', { name })}
                onClick={() => void remove()}
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
        {answering && (
          <CommentForm
            label={t('comments.yourReply', { name })}
            submit={t('comments.reply')}
            send={send}
            onCancel={close}
            hint={commentFormHint(place)}
          />
        )}
        {children}
      </div>
    </article>
  )
}

/** What whoever writes here should know. */
export function commentFormHint({ video }: CommentContext): string | undefined {
  return Number(video.commentsPolicy.id) === COMMENTS_POLICY_IDS.approval && !mayApproveComments(currentUser.value, video)
    ? t('comments.reviewed')
    : undefined
}
