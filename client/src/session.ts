import { computed, signal } from '@preact/signals'
import type { User } from '../../shared/accounts.ts'
import { api } from './api.ts'
import { isLoggedIn, saveSession } from './credentials.ts'
import { onLocalStorageChange, readLocalStorage, writeLocalStorage } from './browser-storage.ts'

const user = signal(readLocalStorage<User>('me'))
onLocalStorageChange('me', () => {
  user.value = readLocalStorage('me')
})

/** The logged-in user, as last received from the server; null without a session. */
export const currentUser = computed(() => (isLoggedIn.value ? user.value : null))

/** Logs in by the password grant; throws ApiError (`invalid_grant`, `access_denied`). */
export async function logIn(username: string, password: string): Promise<void> {
  const client = await api('GET /oauth-clients/local')
  saveSession(await api('POST /users/token', { form: true, body: { ...client, grant_type: 'password', username, password } }))
  await loadCurrentUser()
}

/** Ends the session in this browser, and on the server if it can be reached. */
export async function logOut(): Promise<void> {
  try {
    await api('POST /users/revoke-token')
  } catch {
    /* the session in this browser ends in any case, also when it has expired on the server */
  }
  forgetSession()
}

/** Ends the session in this browser only: the server has ended it, or cannot. */
export function forgetSession(): void {
  saveSession(null)
  saveUser(null)
}

/** Loads the logged-in user from the server and saves it in this browser. Throws ApiError. */
export async function loadCurrentUser(): Promise<User> {
  const loaded = await api('GET /users/me')
  saveUser(loaded)
  return loaded
}

function saveUser(next: User | null): void {
  user.value = next
  writeLocalStorage('me', next)
}
