import { computed, signal } from '@preact/signals'
import { ApiError, parseErrorResponse } from './api-error.ts'
import { onLocalStorageChange, readLocalStorage, writeLocalStorage } from './browser-storage.ts'

type Session = { access: string; refresh: string }

const session = signal(readLocalStorage<Session>('session'))
onLocalStorageChange('session', () => {
  session.value = readLocalStorage('session')
})

/** Whether somebody is logged in in this browser. */
export const isLoggedIn = computed(() => session.value !== null)

/** The token to send along, without subscribing to its changes. */
export function accessToken(): string | null {
  return session.peek()?.access ?? null
}

/** Begins a session with the tokens of a grant; null ends it. */
export function saveSession(tokens: { access_token: string; refresh_token: string } | null): void {
  const next = tokens && { access: tokens.access_token, refresh: tokens.refresh_token }
  session.value = next
  writeLocalStorage('session', next)
}

let refreshing: Promise<string | null> | null = null

/**
 * How long (ms) what another tab stored may take to be seen here: locks and localStorage travel between a browser's processes by different
 * ways.
 */
const STORAGE_LAG = 1000

/**
 * Exchanges the refresh token for a new pair after the server refused `refused`; gives the new access token, null when the session is over.
 * One exchange at a time, in all tabs: a refresh token works once (RFC 9700 §4.14.2).
 */
export async function refreshSession(refused: string): Promise<string | null> {
  refreshing ??= exclusively(async waited => await exchange(refused, waited)).finally(() => {
    refreshing = null
  })
  return await refreshing
}

/** `waited`: another tab had the lock, so it has most likely exchanged the token. */
async function exchange(refused: string, waited: boolean): Promise<string | null> {
  const known = waited ? ((await storedByOthers(refused)) ?? stored()) : stored()
  if (!known) return null
  if (known.access !== refused) return adopt(known)
  const response = await askForTokens(known.refresh).catch(() => {
    throw new ApiError(0, 'network', 'The server cannot be reached')
  })
  if (response.ok) {
    const token = (await response.json()) as { access_token: string; refresh_token: string }
    saveSession(token)
    return token.access_token
  }
  const problem = await parseErrorResponse(response)
  if (response.status !== 400 && response.status !== 401) throw new ApiError(problem.status, problem.code, problem.message)
  const other = await storedByOthers(refused)
  if (other) return adopt(other)
  saveSession(null)
  return null
}

function stored(): Session | null {
  return readLocalStorage<Session>('session') ?? session.peek()
}

/** The session that another tab stores in place of the refused one; null if none does soon. */
async function storedByOthers(refused: string): Promise<Session | null> {
  for (const end = performance.now() + STORAGE_LAG; performance.now() < end;) {
    const known = stored()
    if (known?.access !== refused) return known
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return null
}

function adopt(known: Session): string {
  session.value = known
  return known.access
}

async function askForTokens(refresh: string): Promise<Response> {
  const client = (await (await fetch('/api/v1/oauth-clients/local')).json()) as Record<string, string>
  return await fetch('/api/v1/users/token', {
    method: 'POST',
    body: new URLSearchParams({ ...client, grant_type: 'refresh_token', refresh_token: refresh })
  })
}

/** Acts while no other tab does; tells whether one had to be waited for. */
async function exclusively<T>(act: (waited: boolean) => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return await act(false)
  const name = 'bobine.refresh'
  const free = await navigator.locks.request(name, { ifAvailable: true }, async lock => lock && { result: await act(false) })
  return free ? free.result : await navigator.locks.request(name, async () => await act(true))
}
