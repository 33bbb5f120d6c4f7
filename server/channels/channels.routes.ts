import { channelsContract } from '../../shared/channels.ts'
import { paging } from '../core/paging.ts'
import { implementContract, type Viewer } from '../core/route.ts'
import { isLocalActorNameTaken } from '../actors/local-actors.ts'
import { assertMayGiveName, mayGiveName } from '../actors/reserved-names.ts'
import { removeActorImages, setActorImages } from '../actors/actor-images.ts'
import { createAdditionalChannel, findManagedChannel, removeChannelWithVideos, updateChannel } from './channels.ts'
import { findChannel, listAccountChannels, listLocalChannels } from './channels.query.ts'

/** Routes of channels: list, create, change, remove, avatar and banner. */
export const channelsRoutes = implementContract(channelsContract, {
  'GET /video-channels': async ({ query: { sort, ...rest } }) => await listLocalChannels({ ...paging(rest), sort }),
  'POST /video-channels': async ({ body, viewer }) => {
    assertMayGiveName(viewer, body.name)
    const { id } = await createAdditionalChannel({ ...body, accountId: viewer.accountId })
    return { videoChannel: { id } }
  },
  'GET /users/me/channel-names/:name': async ({ params, viewer }) => ({
    free: mayGiveName(viewer, params.name) && !(await isLocalActorNameTaken(params.name))
  }),
  'GET /video-channels/:channelHandle': async ({ params }) => await findChannel(params.channelHandle),
  'PUT /video-channels/:channelHandle': async ({ params, viewer, body }) =>
    await updateChannel((await findManagedChannel(params.channelHandle, viewer)).id, body),
  'DELETE /video-channels/:channelHandle': async ({ params, viewer }) =>
    await removeChannelWithVideos(await findManagedChannel(params.channelHandle, viewer)),
  'POST /video-channels/:channelHandle/avatar/pick': async ({ params, viewer, files }) => ({
    avatars: await setActorImages(await managedActorId(params.channelHandle, viewer), 'avatar', files.avatarfile, 'avatarfile')
  }),
  'POST /video-channels/:channelHandle/banner/pick': async ({ params, viewer, files }) => ({
    banners: await setActorImages(await managedActorId(params.channelHandle, viewer), 'banner', files.bannerfile, 'bannerfile')
  }),
  'DELETE /video-channels/:channelHandle/avatar': async ({ params, viewer }) =>
    await removeActorImages(await managedActorId(params.channelHandle, viewer), 'avatar'),
  'DELETE /video-channels/:channelHandle/banner': async ({ params, viewer }) =>
    await removeActorImages(await managedActorId(params.channelHandle, viewer), 'banner'),
  'GET /accounts/:name/video-channels': async ({ params, query: { sort, search, withStats, ...rest } }) =>
    await listAccountChannels(params.name, { ...paging(rest), sort, search, withStats })
})

async function managedActorId(handle: string, viewer: Viewer): Promise<number> {
  return (await findManagedChannel(handle, viewer)).actorId
}
