import type { TestInstance } from './instance.ts'

/** Who calls a route in a permission matrix. */
export const ROLES = ['anonymous', 'user', 'otherUser', 'moderator', 'administrator'] as const
/** The access tokens of a permission matrix; a stranger has an empty one. */
export type RoleTokens = Record<(typeof ROLES)[number], string>

/** Creates `user1`, `user2` and `mod1`, and returns the tokens of all roles. */
export async function createRoles(instance: TestInstance): Promise<RoleTokens> {
  return {
    anonymous: '',
    user: (await instance.user('user1')).token,
    otherUser: (await instance.user('user2')).token,
    moderator: (await instance.user('mod1', { role: 1 })).token,
    administrator: await instance.login()
  }
}

/** Calls a route as every role, one after the other, and returns the statuses in the order of `ROLES`. */
export async function statusesByRole(tokens: RoleTokens, call: (token: string) => Promise<{ status: number }>): Promise<number[]> {
  const statuses = []
  for (const role of ROLES) statuses.push((await call(tokens[role])).status)
  return statuses
}
