import type { Request } from 'express'
import { expect, test } from 'vitest'
import { acceptsActivityPub } from './activitypub-response.ts'

const PROFILE = 'profile="https://www.w3.org/ns/activitystreams"'

test.each([
  [true, 'application/activity+json'],
  [true, 'APPLICATION/Activity+JSON'],
  [true, `application/ld+json; ${PROFILE}`],
  [true, `application/ld+json; ${PROFILE}, text/html;q=0.1`],
  [true, `text/html;q=0.1,Application/LD+Json;${PROFILE};q=0.5`],
  [true, `application/ld+json;profile="a, text/html", application/activity+json`],
  [true, 'application/activity+json, application/ld+json, */*;q=0.1'],
  [true, 'application/activity+json, text/html'],
  [false, 'text/html, application/activity+json'],
  [false, `text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8`],
  [false, 'application/activity+json;q=0.1, text/html'],
  [false, 'application/activity+json;q=0'],
  [false, 'application/json'],
  [false, '*/*'],
  [false, ''],
  [false, `${'"'.repeat(10_000)}, application/x`]
])('%s: %s', (expected, accept) => {
  expect(acceptsActivityPub({ headers: { accept } } as Request)).toBe(expected)
})
