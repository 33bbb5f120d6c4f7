import type { RequestHandler } from 'express'
import { config } from './config.ts'
import { emitEvent } from './events.ts'

let requestCount = 0
let secondStart = 0

/** Counts GET requests and emits `site.used` when one second has `http.used_from` of them; at most once a second. */
export const markInteractiveUse: RequestHandler = (request, _response, next) => {
  if (request.method === 'GET') {
    const now = Date.now()
    if (now - secondStart >= 1000) {
      secondStart = now
      requestCount = 0
    }
    if (++requestCount === config.http.used_from) emitEvent('site.used', {})
  }
  next()
}
