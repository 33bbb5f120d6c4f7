import { createHash } from 'node:crypto'
import { Router } from 'express'
import type { Contract } from '../../shared/contract.ts'
import { limiter } from '../core/limits.ts'
import { openapiDocument } from './openapi.document.ts'
import { openapiPage, STYLE } from './openapi.page.ts'

const POLICY = [
  "default-src 'none'", `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"
].join('; ')

/** The description of the given routes, for machines (`/openapi.json`, OpenAPI 3.1) and for people (`/docs`); made at the first request. */
export function openapiRouter(contracts: Contract[]): Router {
  const router = Router()
  let made: { json: string, html: string } | null = null
  const describe = () => {
    if (made) return made
    const document = openapiDocument(contracts)
    return made = { json: JSON.stringify(document), html: openapiPage(document) }
  }
  router.get('/openapi.json', (...step) => void limiter('api')(...step), (_request, response) => {
    response.type('application/json').send(describe().json)
  })
  router.get('/docs', (...step) => void limiter('api')(...step), (_request, response) => {
    response.setHeader('Content-Security-Policy', POLICY)
    response.type('html').send(describe().html)
  })
  return router
}
