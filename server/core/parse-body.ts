import express, { type RequestHandler } from 'express'
import { config } from './config.ts'
import { Problem } from './problem.ts'

/** The error of a body that did not arrive in time; the connection is closed after it. */
export function bodyTimeoutProblem(): Problem {
  return new Problem(408, 'request_timeout', 'The body took too long.', { headers: { Connection: 'close' } })
}

let parsers: RequestHandler[] | null = null

/**
 * Parses a JSON or form body of at most `http.max_body` bytes, which must arrive within `http.body_timeout`; other bodies pass unread.
 * Stands behind the rate limit and the authentication of its route. Throws Problem 408, and the errors of body-parser: 400, 413, 415.
 */
export const parseBody: RequestHandler = (request, response, next) => {
  if (!request.is(['json', 'urlencoded'])) return next()
  const { max_body: limit, max_fields: parameterLimit, body_timeout } = config.http
  // Made with the first body, as the configuration is loaded after the modules.
  const [parseJson, parseForm] = (parsers ??= [express.json({ limit }), express.urlencoded({ extended: false, limit, parameterLimit })])
  let isDone = false
  const done = (error?: unknown) => {
    if (isDone) return
    isDone = true
    clearTimeout(timer)
    next(error)
  }
  const timer = setTimeout(() => done(bodyTimeoutProblem()), body_timeout)
  parseJson!(request, response, error => (error ? done(error) : void parseForm!(request, response, done)))
}
