import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Comment, CommentTree } from '../../../shared/comments.ts'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { showToast } from '../ui/toast.tsx'
import { CommentItem, commentElementId } from './comment-item.tsx'
import type { CommentContext } from './comment-permissions.ts'

type Props = {
  comment: Comment
  /** The whole thread, where the address of the page leads to it: it is open, and the comment of the fragment has the focus. */
  linked?: CommentTree
  context: CommentContext
  onCount: (by: number) => void
  onRemoved: () => void
}

/** A thread: its first comment, and its replies, loaded when they are first opened. */
export function CommentThread({ comment, linked, context, onCount, onRemoved }: Props): JSX.Element | null {
  const { video, headers } = context
  const [root, setRoot] = useState(comment)
  const [replies, setReplies] = useState<CommentTree[] | null>(linked?.children ?? null)
  const [open, setOpen] = useState(linked !== undefined)
  const [busy, setBusy] = useState(false)
  const [focused, setFocused] = useState<{ id: number } | null>(linked ? { id: linkedCommentId(linked) } : null)
  const count = replies ? countReplies(replies) : root.totalReplies

  const loadReplies = async () => {
    setBusy(true)
    try {
      const tree = await api('GET /videos/:id/comment-threads/:threadId', { params: { id: video.uuid, threadId: root.id }, headers })
      setReplies(tree.children)
      setOpen(true)
    } catch (error) {
      showToast(apiErrorText(error), { bad: true })
    } finally {
      setBusy(false)
    }
  }
  useEffect(() => {
    if (focused) document.getElementById(commentElementId(focused.id))?.focus()
  }, [focused])

  const showReply = async (reply: Comment) => {
    onCount(1)
    await loadReplies()
    setFocused({ id: reply.id })
  }
  const asDeleted = (original: Comment): Comment => ({
    ...original,
    isDeleted: true,
    text: '',
    html: '',
    account: null,
    heldForReview: false
  })
  const deleteRoot = () => {
    onCount(-1)
    setRoot(asDeleted(root))
    if (count === 0) onRemoved()
    else setFocused({ id: root.id })
  }
  const deleteReply = ({ comment: reply, children }: CommentTree) => {
    onCount(-1)
    updateReply(reply.id, asDeleted)
    // The deleted element had the focus: move it to a remaining one.
    if (root.isDeleted && count === 1) onRemoved()
    else setFocused({ id: children.some(isVisible) ? reply.id : root.id })
  }
  const updateReply = (id: number, update: (comment: Comment) => Comment) =>
    setReplies(before => before && updateInTrees(before, id, update))
  const renderReplies = (trees: CommentTree[]): JSX.Element => (
    <ul class="replies" role="list">
      {trees.filter(isVisible).map(tree => (
        <li key={tree.comment.id}>
          <CommentItem
            comment={tree.comment}
            context={context}
            onReply={showReply}
            onApprove={() => updateReply(tree.comment.id, held => ({ ...held, heldForReview: false }))}
            onDelete={() => deleteReply(tree)}
          >
            {tree.children.some(isVisible) && renderReplies(tree.children)}
          </CommentItem>
        </li>
      ))}
    </ul>
  )
  if (root.isDeleted && count === 0) return null
  return (
    <li>
      <CommentItem
        comment={root}
        context={context}
        onReply={showReply}
        onApprove={() => setRoot({ ...root, heldForReview: false })}
        onDelete={deleteRoot}
      >
        {count > 0 && (
          <button
            type="button"
            class="comment-act comment-more"
            aria-expanded={open}
            aria-busy={busy || undefined}
            onClick={() => {
              if (open) setOpen(false)
              else if (replies) setOpen(true)
              else void loadReplies()
            }}
          >
            {t(open ? 'comments.hideReplies' : 'comments.showReplies', { count })}
          </button>
        )}
        {open && replies?.some(isVisible) && renderReplies(replies)}
      </CommentItem>
    </li>
  )
}

/** The comment of the thread that the fragment names, else its first one. */
function linkedCommentId(tree: CommentTree): number {
  const contains = ({ comment, children }: CommentTree): boolean =>
    location.hash === `#${commentElementId(comment.id)}` || children.some(contains)
  return contains(tree) ? Number(location.hash.replace(/\D/g, '')) : tree.comment.id
}

/** Whether a comment is shown: a deleted one only while it has visible replies. */
function isVisible({ comment, children }: CommentTree): boolean {
  return !comment.isDeleted || children.some(isVisible)
}

function countReplies(trees: CommentTree[]): number {
  return trees.reduce((sum, { comment, children }) => sum + (comment.isDeleted ? 0 : 1) + countReplies(children), 0)
}

function updateInTrees(trees: CommentTree[], id: number, update: (comment: Comment) => Comment): CommentTree[] {
  return trees.map(({ comment, children }) => ({
    comment: comment.id === id ? update(comment) : comment,
    children: updateInTrees(children, id, update)
  }))
}
