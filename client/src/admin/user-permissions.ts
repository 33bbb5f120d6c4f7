import type { User } from '../../../shared/accounts.ts'

/** The numbers of the roles. */
export const ROLE = { administrator: 0, moderator: 1, user: 2 } as const
const ROOT = 'root'

/** What somebody may do to a user, by the rules of the server. */
export function rightsOver(viewer: User, user: User): { edit: boolean; giveRole: boolean; block: boolean; remove: boolean } {
  const administrator = viewer.role.id === ROLE.administrator
  const edit = administrator || (viewer.role.id === ROLE.moderator && user.role.id === ROLE.user)
  const other = edit && user.username !== ROOT && user.id !== viewer.id
  return { edit, giveRole: administrator && user.username !== ROOT, block: other, remove: other }
}
