import { administration, type CustomConfig } from '../../shared/administration.ts'
import { implement } from '../core/route.ts'
import { changeCustom, forgetCustom, readCustom } from './custom-config.ts'
import { health } from './health.ts'

/** What administrators see and set. */
export const administrationRoutes = implement(administration, {
  'GET /server/health': async () => await health(),
  'GET /config/custom': async () => (await readCustom()) as CustomConfig,
  'PUT /config/custom': async ({ body }) => (await changeCustom(body)) as CustomConfig,
  'DELETE /config/custom': async () => (await forgetCustom()) as CustomConfig
})
