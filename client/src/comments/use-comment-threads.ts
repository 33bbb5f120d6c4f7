import { useEffect, useRef, useState } from 'preact/hooks'
import type { Comment } from '../../../shared/comments.ts'
import { api } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import type { CommentContext } from './comment-permissions.ts'

const PAGE_SIZE = 15

/** The orders of threads; the first is the default. */
export const THREAD_SORTS = ['-createdAt', 'createdAt', '-totalReplies'] as const
export type ThreadSort = (typeof THREAD_SORTS)[number]

type ThreadList = { items: Comment[]; total: number | null; fetchedCount: number }
type CommentThreads = {
  items: Comment[]
  /** The number of comments and replies; null until the first page is loaded. */
  count: number | null
  more: boolean
  busy: boolean
  failed: boolean
  next: () => void
  add: (comment: Comment) => void
  /** Adds `by` (which may be negative) to `count`. */
  changeCount: (by: number) => void
}

const EMPTY_LIST: ThreadList = { items: [], total: null, fetchedCount: 0 }

/** The threads of a video, loaded page by page once `enabled`, and again when the order or the login changes. */
export function useCommentThreads({ video, headers }: CommentContext, sort: ThreadSort, enabled: boolean): CommentThreads {
  const [list, setList] = useState<ThreadList>(EMPTY_LIST)
  const [count, setCount] = useState<number | null>(null)
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState(false)
  const lastRequest = useRef(0)
  const retryFrom = useRef(EMPTY_LIST)
  const loggedIn = isLoggedIn.value

  const load = async (from: ThreadList) => {
    const request = ++lastRequest.current
    retryFrom.current = from
    setBusy(true)
    setFailed(false)
    try {
      const page = await api('GET /videos/:id/comment-threads', {
        params: { id: video.uuid },
        query: { start: from.fetchedCount, count: PAGE_SIZE, sort },
        headers
      })
      if (request !== lastRequest.current) return
      const knownIds = new Set(from.items.map(({ id }) => id))
      // An empty page is the end: deletions since the last page make the total too large.
      setList({
        items: [...from.items, ...page.data.filter(({ id }) => !knownIds.has(id))],
        fetchedCount: from.fetchedCount + page.data.length,
        total: page.data.length === 0 ? from.fetchedCount : page.total
      })
      setCount(page.totalNotDeletedComments)
    } catch {
      if (request === lastRequest.current) setFailed(true)
    } finally {
      if (request === lastRequest.current) setBusy(false)
    }
  }
  useEffect(() => {
    if (enabled) void load(EMPTY_LIST)
  }, [enabled, sort, loggedIn])

  const changeCount = (by: number) => setCount(before => (before === null ? null : Math.max(0, before + by)))
  return {
    items: list.items,
    count,
    busy,
    failed,
    more: list.total !== null && list.fetchedCount < list.total,
    next: () => void load(failed ? retryFrom.current : list),
    add: comment => {
      setList(before => ({ items: [comment, ...before.items], fetchedCount: before.fetchedCount + 1, total: (before.total ?? 0) + 1 }))
      changeCount(1)
    },
    changeCount
  }
}
