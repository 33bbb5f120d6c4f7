import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { Comment, CommentTree } from '../../../shared/comments.ts'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { showToast } from '../ui/toast.tsx'
import { CommentItem, commentElementId } from './comment-item.tsx'
import type { CommentContext } from './comment-permissions.ts'

type Props = { comment: Comment; place: CommentContext; onCount: (by: number) => void; onGone: () => void }

/** A thread: its first comment, and the answers when somebody wants to see them. */
export function CommentThread({ comment, place, onCount, onGone }: Props): JSX.Element | null {
  const { video, headers } = place
  const [root, setRoot] = useState(comment)
  const [answers, setAnswers] = useState<CommentTree[] | null>(null)
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [focused, setFocused] = useState<{ id: number } | null>(null)
  const count = answers ? countOf(answers) : root.totalReplies

  const load = async () => {
    setBusy(true)
    try {
      const tree = await api('GET /videos/:id/comment-threads/:threadId', { params: { id: video.uuid, threadId: root.id }, headers })
      setAnswers(tree.children)
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

  const onAnswer = async (made: Comment) => {
    onCount(1)
    await load()
    setFocused({ id: made.id })
  }
  const gone = (one: Comment): Comment => ({ ...one, isDeleted: true, text: '', html: '', account: null, heldForReview: false })
  const deleteRoot = () => {
    onCount(-1)
    setRoot(gone(root))
    if (count === 0) onGone()
    else setFocused({ id: root.id })
  }
  const deleteAnswer = ({ comment: one, children }: CommentTree) => {
    onCount(-1)
    change(one.id, gone)
    // The focus goes to what is left.
    if (root.isDeleted && count === 1) onGone()
    else setFocused({ id: children.some(isSeen) ? one.id : root.id })
  }
  const change = (id: number, how: (one: Comment) => Comment) => setAnswers(before => before && changed(before, id, how))
  const draw = (trees: CommentTree[]): JSX.Element => (
    <ul class="replies" role="list">
      {trees.filter(isSeen).map(tree => (
        <li key={tree.comment.id}>
          <CommentItem
            comment={tree.comment}
            place={place}
            onAnswer={onAnswer}
            onApprove={() => change(tree.comment.id, held => ({ ...held, heldForReview: false }))}
            onDelete={() => deleteAnswer(tree)}
          >
            {tree.children.some(isSeen) && draw(tree.children)}
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
        place={place}
        onAnswer={onAnswer}
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
              else if (answers) setOpen(true)
              else void load()
            }}
          >
            {t(open ? 'comments.hideReplies' : 'comments.showReplies', { count })}
          </button>
        )}
        {open && answers?.some(isSeen) && draw(answers)}
      </CommentItem>
    </li>
  )
}

/** A deleted comment is shown only where it holds answers. */
function isSeen({ comment, children }: CommentTree): boolean {
  return !comment.isDeleted || children.some(isSeen)
}

function countOf(trees: CommentTree[]): number {
  return trees.reduce((sum, { comment, children }) => sum + (comment.isDeleted ? 0 : 1) + countOf(children), 0)
}

function changed(trees: CommentTree[], id: number, how: (one: Comment) => Comment): CommentTree[] {
  return trees.map(({ comment, children }) => ({
    comment: comment.id === id ? how(comment) : comment,
    children: changed(children, id, how)
  }))
}
