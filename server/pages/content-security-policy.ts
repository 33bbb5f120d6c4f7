import { createHash } from 'node:crypto'
import type { RequestHandler } from 'express'
import helmet from 'helmet'
import { config, instanceOrigin } from '../core/config.ts'
import { inlineScript } from './client-build.ts'

const SELF = ["'self'"]
const DIRECTIVES = {
  defaultSrc: SELF,
  scriptSrc: [
    ...SELF,
    ...(['head-script', 'early-playback'] as const).map(
      name => () => `'sha256-${createHash('sha256').update(inlineScript(name)).digest('base64')}'`
    )
  ],
  styleSrc: SELF,
  fontSrc: SELF,
  connectSrc: SELF,
  formAction: SELF,
  baseUri: SELF,
  manifestSrc: SELF,
  imgSrc: [...SELF, 'data:', 'blob:'],
  mediaSrc: [...SELF, 'blob:'],
  workerSrc: [...SELF, 'blob:'],
  objectSrc: ["'none'"]
}

/**
 * Sets the content security policy of a page: no inline scripts but two known ones, and nothing from other origins but media of remote
 * videos. Other sites may embed the page only with `allowFraming`.
 */
export function setContentSecurityPolicy(allowFraming: boolean): RequestHandler {
  let policyHandler: RequestHandler | null = null
  return (request, response, next) => {
    policyHandler ??= helmet.contentSecurityPolicy({
      useDefaults: false,
      directives: { ...DIRECTIVES, ...remoteMediaSources(), ...(allowFraming ? {} : { frameAncestors: ["'none'"] }) }
    })
    if (!allowFraming) response.setHeader('X-Frame-Options', 'DENY')
    if (config.security.csp.enabled) policyHandler(request, response, next)
    else next()
  }
}

/**
 * Remote videos play from their origin: over https, and over http only where this instance uses http itself
 * (docs/federation.md#remote-media).
 */
function remoteMediaSources(): { mediaSrc?: string[]; connectSrc?: string[] } {
  if (!config.federation.enabled) return {}
  const media = instanceOrigin().startsWith('https:') ? ['https:'] : ['https:', 'http:']
  return { mediaSrc: [...DIRECTIVES.mediaSrc, ...media], connectSrc: [...DIRECTIVES.connectSrc, ...media] }
}
