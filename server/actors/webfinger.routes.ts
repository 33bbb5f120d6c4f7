import { Router } from 'express'
import { config, instanceHost, instanceOrigin } from '../core/config.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { invalidParams, notFound } from '../core/problem.ts'
import { findLocalActor } from './actor-serializer.codec.ts'

/** WebFinger (RFC 7033): the actor of `acct:name@host`; and host-meta (RFC 6415), by which older servers find it. */
export const webfingerRouter = Router()

webfingerRouter.get('/.well-known/webfinger', limitRate('activity_pub'), async (request, response) => {
  const { resource } = request.query
  const [, name, host] = typeof resource === 'string' ? (/^acct:([^@]+)@(.+)$/.exec(resource) ?? []) : []
  if (!config.federation.enabled || !name || host?.toLowerCase() !== instanceHost().toLowerCase())
    throw invalidParams([{ type: 'field', value: resource, msg: 'Invalid value', path: 'resource', location: 'query' }])
  const actor = (await findLocalActor({ kind: 'account', name })) ?? (await findLocalActor({ kind: 'channel', name }))
  if (!actor) throw notFound('Actor')
  response.setHeader('Access-Control-Allow-Origin', '*')
  response.json({
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
