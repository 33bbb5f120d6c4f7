import { createHash } from 'node:crypto'
import { Router } from 'express'
import type { Contract } from '../../shared/contract.ts'
import { limitRate } from '../core/request-rate-limit.ts'

/** Routes of the API documentation: `/openapi.json` (OpenAPI 3.1) and `/docs` (HTML); both are generated at the first request. */
export function openapiRouter(contracts: Contract[]): Router {
  const router = Router()
  let cached: { json: string; html: string; policy: string } | null = null
  const getDocumentation = async (): Promise<NonNullable<typeof cached>> => {
    if (cached) return cached
    // The generator is imported at the first request.
    const [{ openapiDocument }, { openapiPage, OPENAPI_PAGE_STYLE: STYLE }] = await Promise.all([
      import('./openapi.document.ts'),
      import('./openapi.page.ts')
    ])
    const document = openapiDocument(contracts)
    const style = createHash('sha256').update(STYLE).digest('base64')
    const policy = [
      "default-src 'none'",
      `style-src 'sha256-${style}'`,
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'"
    ].join('; ')
    return (cached = { json: JSON.stringify(document), html: openapiPage(document), policy })
  }
  router.get('/openapi.json', limitRate('api'), async (_request, response) => {
    response.type('application/json').send((await getDocumentation()).json)
  })
  router.get('/docs', limitRate('api'), async (_request, response) => {
    const { html, policy } = await getDocumentation()
    response.setHeader('Content-Security-Policy', policy)
    response.type('html').send(html)
  })
  return router
}
