import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import { api } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import { formatCount, t } from '../i18n/i18n.ts'
import { currentUser } from '../session.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button, ButtonLink } from '../ui/button.tsx'
import { ErrorState } from '../ui/feedback.tsx'
import { showToast } from '../ui/toast.tsx'
import { commentFormHint } from './comment-item.tsx'
import { COMMENTS_POLICY_IDS, type CommentContext } from './comment-permissions.ts'
import { CommentThread } from './comment-thread.tsx'
import { THREAD_SORTS, useCommentThreads, type ThreadSort } from './use-comment-threads.ts'
import { useQuery } from '../use-query.ts'
import { CommentForm } from './comment-form.tsx'
import './comments.css'

/** The distance to the viewport at which the comments are loaded. */
const LOAD_MARGIN = '600px'
const SORT_TEXTS = { '-createdAt': 'comments.newest', createdAt: 'comments.oldest', '-totalReplies': 'comments.mostReplies' } as const

/** The comments of a video, local and remote ones, with the form to write one; the thread of the parameter `threadId` stands first, opened. */
export function Comments({ video, headers }: CommentContext): JSX.Element {
  const context = { video, headers }
  const { url } = useLocation()
  const section = useRef<HTMLElement>(null)
  const title = useRef<HTMLHeadingElement>(null)
  const { query } = useRoute()
  const linkedThreadId = /^[1-9]\d{0,8}$/.test(query.threadId ?? '') ? Number(query.threadId) : null
  const { data: linkedThread } = useQuery(
    'GET /videos/:id/comment-threads/:threadId',
    linkedThreadId === null ? null : { params: { id: video.uuid, threadId: linkedThreadId }, headers }
  )
  const [nearViewport, setNearViewport] = useState(linkedThreadId !== null)
  const [sort, setSort] = useState<ThreadSort>(THREAD_SORTS[0])
  const closed = Number(video.commentsPolicy.id) === COMMENTS_POLICY_IDS.closed
  const { items, count, more, busy, failed, next, add, changeCount } = useCommentThreads(context, sort, nearViewport && !closed)
  useEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry!.isIntersecting) setNearViewport(true)
      },
      { rootMargin: LOAD_MARGIN }
    )
    observer.observe(section.current!)
    return () => observer.disconnect()
  }, [])
  const sendComment = async (text: string) => {
    const { comment } = await api('POST /videos/:id/comment-threads', { params: { id: video.uuid }, headers, body: { text } })
    showToast(t(comment.heldForReview ? 'comments.sentForReview' : 'comments.published'))
    add(comment)
  }
  const total = count ?? video.comments
  const user = currentUser.value
  return (
    <section class="comments" ref={section} aria-labelledby="comments-title" aria-busy={busy}>
      <div class="comments-head">
        <h2 id="comments-title" ref={title} tabIndex={-1} data-quiet-focus>
          {closed ? t('comments.title') : t('comments.count', { count: total, number: formatCount(total) })}
        </h2>
        {!closed && total > 1 && (
          <select
            class="input comments-sort"
            aria-label={t('comments.sort')}
            value={sort}
            onChange={event => setSort(event.currentTarget.value as ThreadSort)}
          >
            {THREAD_SORTS.map(option => (
              <option key={option} value={option} selected={option === sort}>
                {t(SORT_TEXTS[option])}
              </option>
            ))}
          </select>
        )}
      </div>
      {closed && <p class="soft">{t('comments.closed')}</p>}
      {!closed && !isLoggedIn.value && (
        <p class="comments-guest">
          <span class="soft">{t('comments.guest')}</span>
          <ButtonLink href={`/login?next=${encodeURIComponent(url)}`}>{t('app.login')}</ButtonLink>
        </p>
      )}
      {!closed && user && (
        <div class="comments-write">
          <Avatar of={user.account} size="m" />
          <CommentForm label={t('comments.yours')} submitLabel={t('comments.send')} onSend={sendComment} hint={commentFormHint(context)} />
        </div>
      )}
      {!closed && (
        <>
          <ul class="comments-list" role="list">
            {linkedThread && (
              <CommentThread
                key={`linked ${linkedThread.comment.id} ${isLoggedIn.value}`}
                comment={linkedThread.comment}
                linked={linkedThread}
                context={context}
                onCount={changeCount}
                onRemoved={() => title.current?.focus()}
              />
            )}
            {items
              .filter(({ id }) => id !== linkedThread?.comment.id)
              .map(comment => (
                <CommentThread
                  key={`${comment.id} ${isLoggedIn.value}`}
                  comment={comment}
                  context={context}
                  onCount={changeCount}
                  onRemoved={() => title.current?.focus()}
                />
              ))}
          </ul>
          {!failed && !busy && count === 0 && <p class="soft">{t('comments.empty')}</p>}
          {failed && <ErrorState text={t('ui.noConnection')} onRetry={next} />}
          {!failed && more && (
            <div class="endless-end">
              <Button busy={busy} onClick={next}>
                {t('comments.more')}
              </Button>
            </div>
          )}
        </>
      )}
    </section>
  )
}
