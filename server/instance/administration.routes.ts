import { administrationContract, type CustomConfig } from '../../shared/administration.ts'
import { removeActorImages, setActorImages } from '../actors/actor-images.ts'
import { findInstanceActorId } from './instance.query.ts'
import { implementContract } from '../core/route.ts'
import { changeCustomConfig, deleteCustomConfig, getCustomConfig, replaceCustomConfig } from './custom-config.ts'
import { checkHealth } from './health.ts'

/** Routes for administrators: health and configuration. */
export const administrationRoutes = implementContract(administrationContract, {
  'GET /server/health': async () => await checkHealth(),
  'GET /config/custom': async () => (await getCustomConfig()) as CustomConfig,
  'PUT /config/custom': async ({ body }) => (await replaceCustomConfig(body)) as CustomConfig,
  'PATCH /config/custom': async ({ body }) => (await changeCustomConfig(body)) as CustomConfig,
  'POST /config/instance-avatar/pick': async ({ files }) =>
    void (await setActorImages(await findInstanceActorId(), 'avatar', files.avatarfile, 'avatarfile')),
  'DELETE /config/instance-avatar': async () => await removeActorImages(await findInstanceActorId(), 'avatar'),
  'POST /config/instance-banner/pick': async ({ files }) =>
    void (await setActorImages(await findInstanceActorId(), 'banner', files.bannerfile, 'bannerfile')),
  'DELETE /config/instance-banner': async () => await removeActorImages(await findInstanceActorId(), 'banner'),
  'DELETE /config/custom': async () => (await deleteCustomConfig()) as CustomConfig
})
