import type { accounts } from '../../shared/accounts.ts'
import { Problem } from '../core/problem.ts'
import type { Handlers } from '../core/route.ts'
import { Account } from '../actors/account.model.ts'
import { removeActorImages, setActorImages } from '../actors/actor-images.ts'
import { assertLongEnough } from './password.ts'
import { quotaUsed } from './quota.ts'
import { register } from './registration.ts'
import { isRoot } from './user.policy.ts'
import { removeUser, updateOwn } from './users.ts'
import { findUser } from './users.query.ts'

/** Registering, and the own account. */
export const meHandlers = {
  'POST /users/register': async ({ body: { channel, ...user } }) => {
    assertLongEnough(user.password)
    if (channel?.name === user.username) throw new Problem(400, null, 'The channel name cannot be the same as the username.')
    await register({ ...user, channelName: channel?.name, channelDisplayName: channel?.displayName })
  },
  'GET /users/me': async ({ viewer }) => ({ ...(await findUser(viewer.id)), specialPlaylists: [] }),
  'PUT /users/me': async ({ viewer, body }) => {
    assertLongEnough(body.password)
    await updateOwn(viewer.id, body)
  },
  'DELETE /users/me': async ({ viewer }) => {
    if (isRoot(viewer)) throw new Problem(400, null, 'You cannot delete your root account.')
    await removeUser(viewer)
  },
  'GET /users/me/video-quota-used': async ({ viewer }) => {
    const { total, daily } = await quotaUsed(viewer.id)
    return { videoQuotaUsed: total, videoQuotaUsedDaily: daily }
  },
  'POST /users/me/avatar/pick': async ({ viewer, files }) => ({
    avatars: await setActorImages(await ownActor(viewer.accountId), 'avatar', files.avatarfile, 'avatarfile')
  }),
  'DELETE /users/me/avatar': async ({ viewer }) => await removeActorImages(await ownActor(viewer.accountId), 'avatar')
} satisfies Partial<Handlers<typeof accounts>>

async function ownActor(accountId: number): Promise<number> {
  return (await Account.findByPk(accountId, { rejectOnEmpty: true })).actorId
}
