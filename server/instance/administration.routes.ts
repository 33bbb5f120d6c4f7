import { administrationContract, type CustomConfig } from '../../shared/administration.ts'
import { implementContract } from '../core/route.ts'
import { changeCustomConfig, deleteCustomConfig, getCustomConfig, replaceCustomConfig } from './custom-config.ts'
import { checkHealth } from './health.ts'

/** Routes for administrators: health and configuration. */
export const administrationRoutes = implementContract(administrationContract, {
  'GET /server/health': async () => await checkHealth(),
  'GET /config/custom': async () => (await getCustomConfig()) as CustomConfig,
  'PUT /config/custom': async ({ body }) => (await replaceCustomConfig(body)) as CustomConfig,
  'PATCH /config/custom': async ({ body }) => (await changeCustomConfig(body)) as CustomConfig,
  'DELETE /config/custom': async () => (await deleteCustomConfig()) as CustomConfig
})
