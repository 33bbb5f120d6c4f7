import type { accountsContract } from '../../shared/accounts.ts'
import { Problem } from '../core/problem.ts'
import type { RouteHandlers } from '../core/route.ts'
import { AccountModel } from '../actors/account.model.ts'
import { removeActorImages, setActorImages } from '../actors/actor-images.ts'
import { getQuotaUsage } from './quota.ts'
import { registerUser } from './registration.ts'
import { readBearerToken } from './session.ts'
import { removeOwnUser, updateOwnUser } from './users.ts'
import { findUser, listSpecialPlaylists } from './users.query.ts'

/** Handlers of the registration and of the user's own account. */
export const meHandlers = {
  'POST /users/register': async ({ body: { channel, ...user } }) => {
    if (channel?.name === user.username) throw new Problem(400, null, 'The channel name cannot be the same as the username.')
    await registerUser({ ...user, channelName: channel?.name, channelDisplayName: channel?.displayName })
  },
  'GET /users/me': async ({ viewer }) => ({
    ...(await findUser(viewer.id)),
    specialPlaylists: await listSpecialPlaylists(viewer.accountId)
  }),
  'PUT /users/me': async ({ viewer, body, request }) => {
    await updateOwnUser({ id: viewer.id, token: readBearerToken(request), ip: request.ip }, body)
  },
  'DELETE /users/me': async ({ viewer, body, request }) =>
    await removeOwnUser({ id: viewer.id, token: readBearerToken(request), ip: request.ip }, body?.currentPassword),
  'GET /users/me/video-quota-used': async ({ viewer }) => {
    const { total, daily } = await getQuotaUsage(viewer.id)
    return { videoQuotaUsed: total, videoQuotaUsedDaily: daily }
  },
  'POST /users/me/avatar/pick': async ({ viewer, files }) => ({
    avatars: await setActorImages(await actorIdOfAccount(viewer.accountId), 'avatar', files.avatarfile, 'avatarfile')
  }),
  'DELETE /users/me/avatar': async ({ viewer }) => await removeActorImages(await actorIdOfAccount(viewer.accountId), 'avatar')
} satisfies Partial<RouteHandlers<typeof accountsContract>>

async function actorIdOfAccount(accountId: number): Promise<number> {
  return (await AccountModel.findByPk(accountId, { rejectOnEmpty: true })).actorId
}
