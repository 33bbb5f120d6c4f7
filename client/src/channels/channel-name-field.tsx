import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { api } from '../api.ts'
import { t } from '../i18n/i18n.ts'
import { TextField } from '../ui/field.tsx'

const NAME_PATTERN = /^[a-z0-9]([a-z0-9_.-]*[a-z0-9])?$/
const MAX_NAME_LENGTH = 50
/** Milliseconds without input before the server is asked whether the name is free. */
const CHECK_DELAY = 300

/** The state of a name; `unknown` where the check failed. */
type NameState = 'empty' | 'invalid' | 'checking' | 'free' | 'taken' | 'unknown'

/**
 * The field for the name in a new channel's address; shows during input whether the name is valid and free. `rejectedName` is a name that
 * the server refused as taken when the form was sent.
 */
export function ChannelNameField({
  name,
  rejectedName,
  onName
}: {
  name: string
  rejectedName: string | null
  onName: (name: string) => void
}): JSX.Element {
  const state = useNameState(name)
  const error =
    state === 'invalid'
      ? t('signup.usernameError')
      : state === 'taken' || (rejectedName !== null && rejectedName === name)
        ? t('channels.taken')
        : null
  return (
    <div class="channel-name">
      <TextField
        label={t('channels.name')}
        hint={t('channels.nameHint', { address: `${location.host}/c/${name || '…'}` })}
        error={error}
        required
        maxLength={MAX_NAME_LENGTH}
        autocomplete="off"
        autocapitalize="none"
        spellcheck={false}
        value={name}
        onText={text => onName(text.toLowerCase())}
      />
      <p class="small channel-name-state" role="status">
        {error ? '' : state === 'checking' ? t('channels.asking') : state === 'free' ? t('channels.free') : ''}
      </p>
    </div>
  )
}

/** Returns a valid channel name made from a display name: lower case, no diacritics, `_` for other characters; may be empty. */
export function channelNameFromDisplayName(displayName: string): string {
  return displayName
    .normalize('NFD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, '_')
    .slice(0, MAX_NAME_LENGTH)
    .replace(/^[_.-]+|[_.-]+$/g, '')
}

function useNameState(name: string): NameState {
  const [checked, setChecked] = useState<{ name: string; state: NameState } | null>(null)
  const localState: NameState | null = name === '' ? 'empty' : NAME_PATTERN.test(name) ? null : 'invalid'
  useEffect(() => {
    if (localState) return
    const controller = new AbortController()
    const checkName = async () => {
      try {
        const { free } = await api('GET /users/me/channel-names/:name', { params: { name }, signal: controller.signal })
        setChecked({ name, state: free ? 'free' : 'taken' })
      } catch {
        if (!controller.signal.aborted) setChecked({ name, state: 'unknown' })
      }
    }
    const timer = setTimeout(() => void checkName(), CHECK_DELAY)
    return () => {
      clearTimeout(timer)
      controller.abort()
    }
  }, [name])
  return localState ?? (checked?.name === name ? checked.state : 'checking')
}
