import { Router } from 'express'
import { config, instanceHost, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { invalidParams, notFound } from '../core/problem.ts'
import { canonicalUrl } from '../fediverse/local-addresses.ts'
import { hostOf, httpUrl } from '../fediverse/origin.ts'
import { findLocalActor } from './actor-serializer.codec.ts'

/**
 * WebFinger (RFC 7033): the actor of `acct:name@host`, with or without a leading @, or of any of its addresses here; and host-meta
 * (RFC 6415), by which older servers find it.
 */
export const webfingerRouter = Router()

webfingerRouter.get('/.well-known/webfinger', limitRate('activity_pub'), async (request, response) => {
  response.setHeader('Access-Control-Allow-Origin', '*')
  const { resource } = request.query
  const subject = config.federation.enabled && typeof resource === 'string' ? parseResource(resource) : null
  if (!subject) throw invalidParams([{ type: 'field', value: resource, msg: 'Invalid value', path: 'resource', location: 'query' }])
  const actor =
    'url' in subject
      ? await findLocalActor({ url: await canonicalUrl(subject.url) })
      : ((await findLocalActor({ kind: 'account', ...subject })) ?? (await findLocalActor({ kind: 'channel', ...subject })))
  if (!actor) throw notFound('Actor')
  // RFC 7033 §10.2.
  response.type('application/jrd+json').json({
    subject: `acct:${actor.name}@${instanceHost()}`,
    aliases: [actor.url],
    links: [
      { rel: 'self', type: 'application/activity+json', href: actor.url },
      { rel: 'http://webfinger.net/rel/profile-page', type: 'text/html', href: actor.url },
      { rel: 'http://ostatus.org/schema/1.0/subscribe', template: `${instanceOrigin()}/search?search={uri}` }
    ]
  })
})

webfingerRouter.get('/.well-known/host-meta', limitRate('activity_pub'), (_request, response) => {
  response.type('application/xml').send(`<?xml version="1.0" encoding="UTF-8"?>
<XRD xmlns="http://docs.oasis-open.org/ns/xri/xrd-1.0">
  <Link rel="lrdd" type="application/xrd+xml" template="${instanceOrigin()}/.well-known/webfinger?resource={uri}"/>
</XRD>`)
})

function parseResource(resource: string): { name: string } | { url: string } | null {
  const url = httpUrl(resource)
  if (url) return hostOf(url) === hostOf(instanceOrigin()) ? { url } : null
  const [, name, host] = /^(?:acct:)?@?([^@\0]+)@([^@\0]+)$/i.exec(resource) ?? []
  return name && host?.toLowerCase() === instanceHost().toLowerCase() ? { name } : null
}
