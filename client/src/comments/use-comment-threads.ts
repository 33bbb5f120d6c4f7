import { useEffect, useRef, useState } from 'preact/hooks'
import type { Comment } from '../../../shared/comments.ts'
import { api } from '../api.ts'
import { isLoggedIn } from '../credentials.ts'
import type { CommentContext } from './comment-permissions.ts'

/** So many threads come at once. */
const COUNT = 15

/** The orders of threads; the first is how they are shown at first. */
export const THREAD_SORTS = ['-createdAt', 'createdAt', '-totalReplies'] as const
export type ThreadSort = (typeof THREAD_SORTS)[number]

type List = { items: Comment[]; total: number | null; seen: number }
type Threads = {
  items: Comment[]
  /** How many comments and answers there are; null while nobody has said. */
  count: number | null
  more: boolean
  busy: boolean
  failed: boolean
  next: () => void
  add: (comment: Comment) => void
  /** Notes that so many more, or fewer, comments are seen. */
  counted: (by: number) => void
}

const NOTHING: List = { items: [], total: null, seen: 0 }

/** The threads below a video, asked for once `wanted`. */
export function useCommentThreads({ video, headers }: CommentContext, sort: ThreadSort, wanted: boolean): Threads {
  const [list, setList] = useState<List>(NOTHING)
  const [count, setCount] = useState<number | null>(null)
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState(false)
  const asked = useRef(0)
  const latest = useRef(NOTHING)
  const who = isLoggedIn.value

  const load = async (from: List) => {
    const mine = ++asked.current
    latest.current = from
    setBusy(true)
    setFailed(false)
    try {
      const page = await api('GET /videos/:id/comment-threads', {
        params: { id: video.uuid },
        query: { start: from.seen, count: COUNT, sort },
        headers
      })
      if (mine !== asked.current) return
      const known = new Set(from.items.map(({ id }) => id))
      // A page without anything is the end, whatever was deleted meanwhile.
      setList({
        items: [...from.items, ...page.data.filter(({ id }) => !known.has(id))],
        seen: from.seen + page.data.length,
        total: page.data.length === 0 ? from.seen : page.total
      })
      setCount(page.totalNotDeletedComments)
    } catch {
      if (mine === asked.current) setFailed(true)
    } finally {
      if (mine === asked.current) setBusy(false)
    }
  }
  useEffect(() => {
    if (wanted) void load(NOTHING)
  }, [wanted, sort, who])

  const counted = (by: number) => setCount(before => (before === null ? null : Math.max(0, before + by)))
  return {
    items: list.items,
    count,
    busy,
    failed,
    more: list.total !== null && list.seen < list.total,
    next: () => void load(failed ? latest.current : list),
    add: comment => {
      setList(before => ({ items: [comment, ...before.items], seen: before.seen + 1, total: (before.total ?? 0) + 1 }))
      counted(1)
    },
    counted
  }
}
