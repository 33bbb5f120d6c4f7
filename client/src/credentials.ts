import { computed, signal } from '@preact/signals'
import { ApiError, parseErrorResponse } from './api-error.ts'
import { onLocalStorageChange, readLocalStorage, writeLocalStorage } from './browser-storage.ts'

type Session = { access: string; refresh: string }

const session = signal(readLocalStorage<Session>('session'))
onLocalStorageChange('session', () => {
  session.value = readLocalStorage('session')
})

/** Whether this browser has a session. */
export const isLoggedIn = computed(() => session.value !== null)

/** Returns the current access token, without subscribing to its changes; null without a session. */
export function accessToken(): string | null {
  return session.peek()?.access ?? null
}

/** Starts a session with the tokens of a grant; null ends the session. */
export function saveSession(tokens: { access_token: string; refresh_token: string } | null): void {
  const next = tokens && { access: tokens.access_token, refresh: tokens.refresh_token }
  session.value = next
  writeLocalStorage('session', next)
}

let pendingRefresh: Promise<string | null> | null = null

/**
 * Milliseconds until a value that another tab stored is visible here: browsers synchronise locks and localStorage between their processes
 * separately.
 */
const STORAGE_LAG_MS = 1000

/**
 * Exchanges the refresh token for a new pair after the server rejected the access token `rejected`. Returns the new access token, or null
 * when the session has ended; throws ApiError when the server cannot be reached or fails.
 * Only one exchange runs at a time over all tabs: a refresh token can be used once (RFC 9700 §4.14.2).
 */
export async function refreshSession(rejected: string): Promise<string | null> {
  pendingRefresh ??= withRefreshLock(async waited => await exchangeRefreshToken(rejected, waited)).finally(() => {
    pendingRefresh = null
  })
  return await pendingRefresh
}

/** `waited`: another tab held the lock, so it has most likely exchanged the token already. */
async function exchangeRefreshToken(rejected: string, waited: boolean): Promise<string | null> {
  const current = waited ? ((await waitForSessionOfOtherTab(rejected)) ?? readStoredSession()) : readStoredSession()
  if (!current) return null
  if (current.access !== rejected) return adoptSession(current)
  const response = await requestTokens(current.refresh).catch(() => {
    throw new ApiError(0, 'network', 'The server cannot be reached')
  })
  if (response.ok) {
    const token = (await response.json()) as { access_token: string; refresh_token: string }
    saveSession(token)
    return token.access_token
  }
  const problem = await parseErrorResponse(response)
  if (response.status !== 400 && response.status !== 401) throw new ApiError(problem.status, problem.code, problem.message)
  const other = await waitForSessionOfOtherTab(rejected)
  if (other) return adoptSession(other)
  saveSession(null)
  return null
}

function readStoredSession(): Session | null {
  return readLocalStorage<Session>('session') ?? session.peek()
}

/** Waits for a session that another tab stores in place of the rejected one; null when there is none within STORAGE_LAG_MS. */
async function waitForSessionOfOtherTab(rejected: string): Promise<Session | null> {
  for (const end = performance.now() + STORAGE_LAG_MS; performance.now() < end;) {
    const current = readStoredSession()
    if (current?.access !== rejected) return current
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return null
}

function adoptSession(current: Session): string {
  session.value = current
  return current.access
}

async function requestTokens(refresh: string): Promise<Response> {
  const client = (await (await fetch('/api/v1/oauth-clients/local')).json()) as Record<string, string>
  return await fetch('/api/v1/users/token', {
    method: 'POST',
    body: new URLSearchParams({ ...client, grant_type: 'refresh_token', refresh_token: refresh })
  })
}

/** Runs `callback` while no other tab does; `waited`: whether it had to wait for another tab. */
async function withRefreshLock<T>(callback: (waited: boolean) => Promise<T>): Promise<T> {
  if (!('locks' in navigator)) return await callback(false)
  const name = 'bobine.refresh'
  const immediate = await navigator.locks.request(name, { ifAvailable: true }, async lock => lock && { result: await callback(false) })
  return immediate ? immediate.result : await navigator.locks.request(name, async () => await callback(true))
}
