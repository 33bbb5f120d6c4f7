import type { RequestHandler } from 'express'
import { config } from './config.ts'
import { emitEvent } from './events.ts'

let asked = 0
let since = 0

/** Notes that people use the site: once a second at most, when so many asked for something in it (`http.used_from`). */
export const markInteractiveUse: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET') {
    const now = Date.now()
    if (now - since >= 1000) {
      since = now
      asked = 0
    }
    if (++asked === config.http.used_from) emitEvent('site.used', {})
  }
  next()
}
