import { createHash } from 'node:crypto'
import type { Request, Response } from 'express'
import helmet from 'helmet'
import { config } from '../core/config.ts'
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
 * Sets the content security policy of a page: no inline scripts but two known ones, and nothing from other origins but media from
 * `mediaSources`, the origins of the remote videos that it shows. Other sites may embed the page only with `allowFraming`.
 */
export function setContentSecurityPolicy(
  request: Request,
  response: Response,
  { allowFraming, mediaSources = [] }: { allowFraming: boolean; mediaSources?: string[] }
): void {
  if (!allowFraming) response.setHeader('X-Frame-Options', 'DENY')
  if (!config.security.csp.enabled) return
  helmet.contentSecurityPolicy({
    useDefaults: false,
    directives: {
      ...DIRECTIVES,
      mediaSrc: [...DIRECTIVES.mediaSrc, ...mediaSources],
      connectSrc: [...DIRECTIVES.connectSrc, ...mediaSources],
      ...(allowFraming ? {} : { frameAncestors: ["'none'"] })
    }
  })(request, response, error => {
    if (error) throw error
  })
}
