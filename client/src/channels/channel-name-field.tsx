import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { TextField } from '../ui/field.tsx'

const NAME = /^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$/
const LONGEST = 50
/** So long somebody has to stop typing before the server is asked. */
const PAUSE = 300

/** What is known of a name: nothing asked or answered yet, not allowed, or what the server said. */
type NameState = 'empty' | 'wrong' | 'asking' | 'free' | 'taken' | 'unknown'

/**
 * The name in a new channel's address; says while one types whether it is allowed and still to be had. `refused` is what the server did not
 * take after all.
 */
export function ChannelNameField({
  name,
  refused,
  onName
}: {
  name: string
  refused: string | null
  onName: (name: string) => void
}): JSX.Element {
  const state = useNameState(name)
  const error =
    state === 'wrong' ? t('signup.usernameError') : state === 'taken' || (refused !== null && refused === name) ? t('channels.taken') : null
  return (
    <div class="channel-name">
      <TextField
        label={t('channels.name')}
        hint={t('channels.nameHint', { address: `${location.host}/c/${name || '…'}` })}
        error={error}
        required
        maxLength={LONGEST}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={name}
        onText={text => onName(text.toLowerCase())}
      />
      <p class="small channel-name-state" role="status">
        {error ? '' : state === 'asking' ? t('channels.asking') : state === 'free' ? t('channels.free') : ''}
      </p>
    </div>
  )
}

/** A name for an address, made of the name that people read. */
export function channelNameFromDisplayName(displayName: string): string {
  return displayName
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '_')
    .slice(0, LONGEST)
    .replace(/^[_.-]+|[_.-]+$/g, '')
}

function useNameState(name: string): NameState {
  const [answer, setAnswer] = useState<{ name: string; state: NameState } | null>(null)
  const known: NameState | null = name === '' ? 'empty' : NAME.test(name) ? null : 'wrong'
  useEffect(() => {
    if (known) return
    const over = new AbortController()
    const ask = async () => {
      try {
        const { free } = await api('GET /users/me/channel-names/:name', { params: { name }, signal: over.signal })
        setAnswer({ name, state: free ? 'free' : 'taken' })
      } catch {
        if (!over.signal.aborted) setAnswer({ name, state: 'unknown' })
      }
    }
    const timer = setTimeout(() => void ask(), PAUSE)
    return () => {
      clearTimeout(timer)
      over.abort()
    }
  }, [name])
  return known ?? (answer?.name === name ? answer.state : 'asking')
}
