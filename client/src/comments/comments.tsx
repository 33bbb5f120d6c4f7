import type { JSX } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
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
import { CommentForm } from './comment-form.tsx'
import './comments.css'

/** So far before it comes into view the list is asked for. */
const AHEAD = '600px'
const SORT_NAMES = { '-createdAt': 'comments.newest', createdAt: 'comments.oldest', '-totalReplies': 'comments.mostReplies' } as const

/** What people say about a video, here and on other servers. */
export function Comments({ video, headers }: CommentContext): JSX.Element {
  const place = { video, headers }
  const { url } = useLocation()
  const section = useRef<HTMLElement>(null)
  const title = useRef<HTMLHeadingElement>(null)
  const [near, setNear] = useState(false)
  const [sort, setSort] = useState<ThreadSort>(THREAD_SORTS[0])
  const closed = Number(video.commentsPolicy.id) === COMMENTS_POLICY_IDS.closed
  const { items, count, more, busy, failed, next, add, counted } = useCommentThreads(place, sort, near && !closed)
  useEffect(() => {
    const watcher = new IntersectionObserver(
      ([entry]) => {
        if (entry!.isIntersecting) setNear(true)
      },
      { rootMargin: AHEAD }
    )
    watcher.observe(section.current!)
    return () => watcher.disconnect()
  }, [])
  const send = async (text: string) => {
    const { comment } = await api('POST /videos/:id/comment-threads', { params: { id: video.uuid }, headers, body: { text } })
    showToast(t(comment.heldForReview ? 'comments.sentForReview' : 'comments.published'))
    add(comment)
  }
  const all = count ?? video.comments
  const user = currentUser.value
  return (
    <section class="comments" ref={section} aria-labelledby="comments-title" aria-busy={busy}>
      <div class="comments-head">
        <h2 id="comments-title" ref={title} tabIndex={-1} data-quiet-focus>
          {closed ? t('comments.title') : t('comments.count', { count: all, number: formatCount(all) })}
        </h2>
        {!closed && all > 1 && (
          <select
            class="input comments-sort"
            aria-label={t('comments.sort')}
            value={sort}
            onChange={event => setSort(event.currentTarget.value as ThreadSort)}
          >
            {THREAD_SORTS.map(one => (
              <option key={one} value={one} selected={one === sort}>
                {t(SORT_NAMES[one])}
              </option>
            ))}
          </select>
        )}
      </div>
      {closed && <p class="soft">{t('comments.closed')}</p>}
      {!closed && !isLoggedIn.value && (
        <p class="comments-guest">
          <span class="soft">{t('comments.guest')}</span>
          <ButtonLink href={`/login?next=${encodeURIComponent(url)}`}>{t('shell.login')}</ButtonLink>
        </p>
      )}
      {!closed && user && (
        <div class="comments-write">
          <Avatar of={user.account} size="m" />
          <CommentForm label={t('comments.yours')} submit={t('comments.send')} send={send} hint={commentFormHint(place)} />
        </div>
      )}
      {!closed && (
        <>
          <ul class="comments-list" role="list">
            {items.map(comment => (
              <CommentThread
                key={`${comment.id} ${isLoggedIn.value}`}
                comment={comment}
                place={place}
                onCount={counted}
                onGone={() => title.current?.focus()}
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
