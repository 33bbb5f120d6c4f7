import { attemptLimit } from '../core/attempt-limit.ts'
import { invalidParams, Problem } from '../core/problem.ts'
import { matchesPassword } from './password.ts'

/** Whose password is checked; the hash is that of the stored password. */
type PasswordHolder = { id: number; passwordHash: string }

/** Wrong passwords of a user from one address, at a login and wherever the current password is asked for (`rates_limit.login`). */
const wrongPasswords = attemptLimit('login')

/**
 * Whether this is the user's password; without a user it takes as long and is false. A wrong one is counted, by user and address, a right one
 * forgets those before. Throws 429 beyond `rates_limit.login`, also for the right one.
 */
export async function checkUserPassword(user: PasswordHolder | undefined, password: string, ip: string | undefined): Promise<boolean> {
  if (!user) return await matchesPassword(password, undefined)
  const attempt = { subject: `user ${user.id}`, ip }
  // Counted before it is compared: guesses that arrive at once are not more than the limit.
  await wrongPasswords.count(attempt)
  if (!(await matchesPassword(password, user.passwordHash))) return false
  await wrongPasswords.reset(attempt)
  return true
}

/** Throws 400 without a password, 401 current_password_is_invalid for a wrong one, 429 as `checkUserPassword`. */
export async function assertCurrentPassword(user: PasswordHolder, password: string | undefined, ip: string | undefined): Promise<void> {
  if (password === undefined)
    throw invalidParams([
      {
        type: 'field',
        msg: 'Is needed to change the password or the e-mail address',
        path: 'currentPassword',
        location: 'body'
      }
    ])
  if (!(await checkUserPassword(user, password, ip))) throw new Problem(401, 'current_password_is_invalid', 'currentPassword is invalid.')
}
