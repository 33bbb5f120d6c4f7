import type { User } from '../../../shared/accounts.ts'

/** The numbers of the roles. */
export const USER_ROLE_IDS = { administrator: 0, moderator: 1, user: 2 } as const
const ROOT = 'root'

/** What somebody may do to a user, by the rules of the server. */
export function permissionsOverUser(viewer: User, user: User): { edit: boolean; giveRole: boolean; block: boolean; remove: boolean } {
  const administrator = viewer.role.id === USER_ROLE_IDS.administrator
  const edit = administrator || (viewer.role.id === USER_ROLE_IDS.moderator && user.role.id === USER_ROLE_IDS.user)
  const other = edit && user.username !== ROOT && user.id !== viewer.id
  return { edit, giveRole: administrator && user.username !== ROOT, block: other, remove: other }
}
