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

const MODERATOR_ROLE_ID = 1
const MAX_MESSAGE_LENGTH = 3000

/** The messages between the moderators and the reporter about a report, loaded when they are opened; `count` is their number. */
export function Conversation({ id, count, subject }: { id: number; count: number; subject: string }): JSX.Element {
  const [open, setOpen] = useState(false)
  const [messages, setMessages] = useState<AbuseMessage[] | null>(null)
  const [text, setText] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string | null>(null)
  const panelId = useId()
  const messageCount = messages?.length ?? count
  const params = { id }
  const load = async () => setMessages((await api('GET /abuses/:id/messages', { params })).data)
  const runAction = async (action: () => Promise<unknown>) => {
    setBusy(true)
    setProblem(null)
    try {
      await action()
      await load()
    } catch (error) {
      setProblem(apiErrorText(error))
    } finally {
      setBusy(false)
    }
  }
  const toggle = () => {
    setOpen(!open)
    if (!open) void runAction(async () => undefined)
  }
  const sendMessage = (event: Event) => {
    event.preventDefault()
    if (busy || text.trim() === '') return
    void runAction(async () => {
      await api('POST /abuses/:id/messages', { params, body: { message: text.trim() } })
      setText('')
    })
  }
  const deleteMessage = (messageId: number) =>
    void runAction(async () => {
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
        aria-controls={panelId}
        aria-label={t('reports.talkOf', { count: messageCount, name: subject })}
        onClick={toggle}
      >
        {t('reports.talk', { count: messageCount })}
      </Button>
      <div id={panelId} hidden={!open} aria-busy={busy}>
        {messages && messages.length > 0 && (
          <ul class="talk-lines" role="list">
            {messages.map(message => (
              <ConversationMessage key={message.id} message={message} onDelete={() => deleteMessage(message.id)} />
            ))}
          </ul>
        )}
        <form class="talk-form" onSubmit={sendMessage}>
          <TextArea
            label={t('reports.yourMessage')}
            value={text}
            onText={setText}
            rows={3}
            maxLength={MAX_MESSAGE_LENGTH}
            error={problem}
          />
          <Button look="primary" type="submit" busy={busy} disabled={text.trim().length < 2}>
            {t('reports.sendMessage')}
          </Button>
        </form>
      </div>
    </div>
  )
}

function ConversationMessage({
  message: { account, byModerator, message, createdAt },
  onDelete
}: {
  message: AbuseMessage
  onDelete: () => void
}): JSX.Element {
  const name = account?.displayName ?? t('reports.nobody')
  const mayDelete =
    currentUser.value !== null && (currentUser.value.role.id <= MODERATOR_ROLE_ID || currentUser.value.account.name === account?.name)
  return (
    <li class={byModerator ? 'talk-line talk-moderator' : 'talk-line'}>
      <p class="soft small">
        {byModerator ? t('reports.moderator', { name }) : name} ·{' '}
        <time dateTime={createdAt} title={formatDate(createdAt, { dateStyle: 'long', timeStyle: 'short' })}>
          {formatAge(createdAt)}
        </time>
      </p>
      <p class="report-words">{message}</p>
      {mayDelete && (
        <IconButton class="talk-delete" label={t('reports.messageDeleteOf', { name })} icon="trash" size={16} onClick={onDelete} />
      )}
    </li>
  )
}
