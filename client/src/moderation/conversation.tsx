import type { JSX } from 'preact'
import { useId, useState } from 'preact/hooks'
import type { AbuseMessage } from '../../../shared/abuses.ts'
import { api } from '../api.ts'
import { isNotFoundError } from '../api-error.ts'
import { formatAge, formatDate, t } from '../i18n/i18n.ts'
import { apiErrorText } from '../api-error-text.ts'
import { currentUser } from '../session.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { TextArea } from '../ui/field.tsx'
import { showToast } from '../ui/toast.tsx'

const MODERATOR = 1
const LONGEST = 3000

/** What moderators and whoever reported say to each other about a report, opened when it is asked for. */
export function Conversation({ id, count, about }: { id: number; count: number; about: string }): JSX.Element {
  const [open, setOpen] = useState(false)
  const [messages, setMessages] = useState<AbuseMessage[] | null>(null)
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const place = useId()
  const known = messages?.length ?? count
  const params = { id }
  const load = async () => setMessages((await api('GET /abuses/:id/messages', { params })).data)
  const act = async (what: () => Promise<unknown>) => {
    setBusy(true)
    setProblem(null)
    try {
      await what()
      await load()
    } catch (error) {
      setProblem(apiErrorText(error))
    } finally {
      setBusy(false)
    }
  }
  const toggle = () => {
    setOpen(!open)
    if (!open) void act(async () => undefined)
  }
  const send = (event: Event) => {
    event.preventDefault()
    if (busy || text.trim() === '') return
    void act(async () => {
      await api('POST /abuses/:id/messages', { params, body: { message: text.trim() } })
      setText('')
    })
  }
  const remove = (messageId: number) =>
    void act(async () => {
      await api('DELETE /abuses/:id/messages/:messageId', { params: { id, messageId } }).catch((error: unknown) => {
        if (!isNotFoundError(error)) throw error
      })
      showToast(t('reports.messageDeleted'))
    })
  return (
    <div class="talk">
      <Button
        look="quiet"
        aria-expanded={open}
        aria-controls={place}
        aria-label={t('reports.talkOf', { count: known, name: about })}
        onClick={toggle}
      >
        {t('reports.talk', { count: known })}
      </Button>
      <div id={place} hidden={!open} aria-busy={busy}>
        {messages && messages.length > 0 && (
          <ul class="talk-lines" role="list">
            {messages.map(message => (
              <Line key={message.id} message={message} onDelete={() => remove(message.id)} />
            ))}
          </ul>
        )}
        <form class="talk-form" onSubmit={send}>
          <TextArea label={t('reports.yourMessage')} value={text} onText={setText} rows={3} maxLength={LONGEST} error={problem} />
          <Button look="primary" type="submit" busy={busy} disabled={text.trim().length < 2}>
            {t('reports.sendMessage')}
          </Button>
        </form>
      </div>
    </div>
  )
}

function Line({
  message: { account, byModerator, message, createdAt },
  onDelete
}: {
  message: AbuseMessage
  onDelete: () => void
}): JSX.Element {
  const name = account?.displayName ?? t('reports.nobody')
  const mine = currentUser.value !== null && (currentUser.value.role.id <= MODERATOR || currentUser.value.account.name === account?.name)
  return (
    <li class={byModerator ? 'talk-line talk-moderator' : 'talk-line'}>
      <p class="soft small">
        {byModerator ? t('reports.moderator', { name }) : name} ·{' '}
        <time dateTime={createdAt} title={formatDate(createdAt, { dateStyle: 'long', timeStyle: 'short' })}>
          {formatAge(createdAt)}
        </time>
      </p>
      <p class="report-words">{message}</p>
      {mine && <IconButton class="talk-delete" label={t('reports.messageDeleteOf', { name })} icon="trash" size={16} onClick={onDelete} />}
    </li>
  )
}
