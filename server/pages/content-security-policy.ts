import { createHash } from 'node:crypto'
import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { config, instanceOrigin } from '../core/config.ts'
import { inlineScript } from './client-build.ts'

const OURSELVES = ["'self'"]
const DIRECTIVES = {
  defaultSrc: OURSELVES,
  scriptSrc: [
    ...OURSELVES,
    ...(['head-script', 'early-playback'] as const).map(
      name => () => `'sha256-${createHash('sha256').update(inlineScript(name)).digest('base64')}'`
    )
  ],
  styleSrc: OURSELVES,
  fontSrc: OURSELVES,
  connectSrc: OURSELVES,
  formAction: OURSELVES,
  baseUri: OURSELVES,
  manifestSrc: OURSELVES,
  imgSrc: [...OURSELVES, 'data:', 'blob:'],
  mediaSrc: [...OURSELVES, 'blob:'],
  workerSrc: [...OURSELVES, 'blob:'],
  objectSrc: ["'none'"]
}

/**
 * The content security policy of a page: nothing inline but two known scripts, and nothing from elsewhere but the media of other servers'
 * videos. Only `framed` pages may stand inside other sites' pages.
 */
export function setContentSecurityPolicy(framed: boolean): RequestHandler {
  let content: RequestHandler | null = null
  return (request, response, next) => {
    content ??= helmet.contentSecurityPolicy({
      useDefaults: false,
      directives: { ...DIRECTIVES, ...elsewhere(), ...(framed ? {} : { frameAncestors: ["'none'"] }) }
    })
    if (!framed) response.setHeader('X-Frame-Options', 'DENY')
    if (config.security.csp.enabled) content(request, response, next)
    else next()
  }
}

/**
 * Videos of other servers play from there: over https, and over http only where this instance itself does
 * (docs/federation.md#remote-media).
 */
function elsewhere(): { mediaSrc?: string[]; connectSrc?: string[] } {
  if (!config.federation.enabled) return {}
  const media = instanceOrigin().startsWith('https:') ? ['https:'] : ['https:', 'http:']
  return { mediaSrc: [...DIRECTIVES.mediaSrc, ...media], connectSrc: [...DIRECTIVES.connectSrc, ...media] }
}
