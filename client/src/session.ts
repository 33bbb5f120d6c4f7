import { computed, signal } from '@preact/signals'
import type { User } from '../../shared/accounts.ts'
import { api } from './api.ts'
import { isLoggedIn, saveSession } from './credentials.ts'
import { onLocalStorageChange, readLocalStorage, writeLocalStorage } from './browser-storage.ts'

const user = signal(readLocalStorage<User>('me'))
onLocalStorageChange('me', () => {
  user.value = readLocalStorage('me')
})

/** Who is logged in, as last heard; null for a guest. */
export const currentUser = computed(() => (isLoggedIn.value ? user.value : null))

/** Logs in by the password grant; throws ApiError (`invalid_grant`, `access_denied`). */
export async function logIn(username: string, password: string): Promise<void> {
  const client = await api('GET /oauth-clients/local')
  saveSession(await api('POST /users/token', { form: true, body: { ...client, grant_type: 'password', username, password } }))
  await loadCurrentUser()
}

/** Ends the session here, and on the server if it can be reached. */
export async function logOut(): Promise<void> {
  try {
    await api('POST /users/revoke-token')
  } catch {
    /* an expired session is ended all the same */
  }
  saveSession(null)
  keepUser(null)
}

/** Asks the server who is logged in and remembers it. */
export async function loadCurrentUser(): Promise<User> {
  const answer = await api('GET /users/me')
  keepUser(answer)
  return answer
}

function keepUser(next: User | null): void {
  user.value = next
  writeLocalStorage('me', next)
}
