import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { config } from '../core/config.ts'

const OURSELVES = ['\'self\'']
const DIRECTIVES = {
  defaultSrc: OURSELVES, scriptSrc: OURSELVES, styleSrc: OURSELVES, fontSrc: OURSELVES, connectSrc: OURSELVES, formAction: OURSELVES, baseUri: OURSELVES, manifestSrc: OURSELVES,
  imgSrc: [...OURSELVES, 'data:', 'blob:'], mediaSrc: [...OURSELVES, 'blob:'], workerSrc: [...OURSELVES, 'blob:'], objectSrc: ['\'none\'']
}

/** The content security policy of a page: nothing from elsewhere, nothing inline. Only `framed` pages may stand inside other sites' pages. */
export function policy(framed: boolean): RequestHandler {
  const content = helmet.contentSecurityPolicy({ useDefaults: false, directives: { ...DIRECTIVES, ...(framed ? {} : { frameAncestors: ['\'none\''] }) } })
  return (request, response, next) => {
    if (!framed) response.setHeader('X-Frame-Options', 'DENY')
    if (config.security.csp.enabled) content(request, response, next)
    else next()
  }
}
