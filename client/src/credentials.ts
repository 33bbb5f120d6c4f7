import { computed, signal } from '@preact/signals'
import { ApiError, problemOf } from './api-error.ts'
import { onForeignChange, read, write } from './storage.ts'

type Session = { access: string, refresh: string }

const session = signal(read<Session>('session'))
onForeignChange('session', () => { session.value = read('session') })

/** Whether somebody is logged in in this browser. */
export const isLoggedIn = computed(() => session.value !== null)

/** The token to send along, without subscribing to its changes. */
export function accessToken(): string | null {
  return session.peek()?.access ?? null
}

/** Begins a session with the tokens of a grant; null ends it. */
export function keepSession(tokens: { access_token: string, refresh_token: string } | null): void {
  const next = tokens && { access: tokens.access_token, refresh: tokens.refresh_token }
  session.value = next
  write('session', next)
}

let refreshing: Promise<string | null> | null = null

/**
 * Exchanges the refresh token for a new pair after the server refused `refused`; gives the new access token, null when the session is over.
 * One exchange at a time, in all tabs: a refresh token works once.
 */
export async function refreshSession(refused: string): Promise<string | null> {
  refreshing ??= exclusively(async () => await exchange(refused)).finally(() => { refreshing = null })
  return await refreshing
}

async function exchange(refused: string): Promise<string | null> {
  const known = read<Session>('session') ?? session.peek()
  if (!known) return null
  if (known.access !== refused) {
    // Another tab was faster.
    session.value = known
    return known.access
  }
  const response = await askForTokens(known.refresh).catch(() => { throw new ApiError(0, 'network', 'The server cannot be reached') })
  if (response.ok) {
    const token = await response.json() as { access_token: string, refresh_token: string }
    keepSession(token)
    return token.access_token
  }
  const problem = await problemOf(response)
  if (response.status !== 400 && response.status !== 401) throw new ApiError(problem.status, problem.code, problem.message)
  keepSession(null)
  return null
}

async function askForTokens(refresh: string): Promise<Response> {
  const client = await (await fetch('/api/v1/oauth-clients/local')).json() as Record<string, string>
  return await fetch('/api/v1/users/token', { method: 'POST', body: new URLSearchParams({ ...client, grant_type: 'refresh_token', refresh_token: refresh }) })
}

async function exclusively<T>(act: () => Promise<T>): Promise<T> {
  return 'locks' in navigator ? await navigator.locks.request('bobine.refresh', act) : await act()
}
