import type { User } from '../../../shared/accounts.ts'

/** The role ids of the API (PeerTube's). */
export const USER_ROLE_IDS = { administrator: 0, moderator: 1, user: 2 } as const
const ROOT_USERNAME = 'root'

/** Returns what `viewer` may do to `user`, by the same rules as the server. */
export function permissionsOverUser(
  viewer: User,
  user: User
): { edit: boolean; changeLogin: boolean; giveRole: boolean; block: boolean; remove: boolean } {
  const isAdministrator = viewer.role.id === USER_ROLE_IDS.administrator
  const edit = isAdministrator || (viewer.role.id === USER_ROLE_IDS.moderator && user.role.id === USER_ROLE_IDS.user)
  const mayBlockOrDelete = edit && user.username !== ROOT_USERNAME && user.id !== viewer.id
  return {
    edit,
    changeLogin: edit && (user.username !== ROOT_USERNAME || user.id === viewer.id),
    giveRole: isAdministrator && user.username !== ROOT_USERNAME,
    block: mayBlockOrDelete,
    remove: mayBlockOrDelete
  }
}
