import type { JSX } from 'preact'
import type { ModeratedComment } from '../../../shared/comments.ts'
import { api } from '../api.ts'
import { displayHandle } from '../actors/actor-header.tsx'
import { CommentContent } from '../comments/comment-content.tsx'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { Button } from '../ui/button.tsx'
import { openConfirmDialog } from '../ui/dialog.tsx'
import { Badge } from '../ui/feedback.tsx'
import { useModerationAction } from './use-moderation-action.ts'

/** A comment in the list of the moderators, with the actions to delete it, or all of its author. */
export function CommentListItem({ comment, onChange }: { comment: ModeratedComment; onChange: () => void }): JSX.Element {
  const { busy, runAction } = useModerationAction(onChange)
  const { id, account, createdAt, heldForReview, video } = comment
  const name = account ? displayHandle(account) : t('reports.nobody')
  const confirmAndDelete = async () => {
    if (await openConfirmDialog({ title: t('comments.deleteTitle'), text: t('comments.deleteText'), yes: t('mine.deleteYes') }))
      await runAction(
        async () => await api('DELETE /videos/:id/comments/:commentId', { params: { id: video.uuid, commentId: id } }),
        t('comments.deleted')
      )
  }
  const confirmAndDeleteAll = async () => {
    const title = t('moderation.deleteAllTitle', { name })
    if (await openConfirmDialog({ title, text: t('moderation.deleteAllText'), yes: t('moderation.deleteAllYes') }))
      await runAction(
        async () => await api('POST /bulk/remove-comments-of', { body: { accountName: name, scope: 'instance' } }),
        t('moderation.allDeleted', { name })
      )
  }
  return (
    <li class="report">
      <p class="soft small">
        {account ? <a href={`/a/${name}`}>{name}</a> : name} ·{' '}
        <time dateTime={createdAt} title={formatDate(createdAt, { dateStyle: 'long', timeStyle: 'short' })}>
          {formatAge(createdAt)}
        </time>{' '}
        · <a href={`/w/${video.uuid}`}>{video.name}</a> {heldForReview && <Badge kind="warn">{t('moderation.held')}</Badge>}
      </p>
      <div class="comment-text">
        <CommentContent comment={comment} />
      </div>
      <div class="report-acts">
        <Button icon="trash" busy={busy} aria-label={t('comments.deleteOf', { name })} onClick={() => void confirmAndDelete()}>
          {t('mine.deleteYes')}
        </Button>
        {account && (
          <Button
            look="quiet"
            icon="trash"
            busy={busy}
            aria-label={t('moderation.deleteAllOf', { name })}
            onClick={() => void confirmAndDeleteAll()}
          >
            {t('moderation.deleteAll')}
          </Button>
        )}
      </div>
    </li>
  )
}
