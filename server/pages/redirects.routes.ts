import { Router, type Request, type Response } from 'express'
import { longUuid, shortUuid } from '../../shared/short-uuid.ts'
import { config, instanceHost } from '../core/config.ts'

/** Addresses without parameters that PeerTube's clients have, or had, and where the same is here. */
const PLACES: [to: string, ...from: string[]][] = [
  ['/', '/home', '/videos', '/videos/overview', '/videos/recently-added'],
  ['/?sort=trending', '/videos/trending', '/videos/most-liked', '/videos/most-viewed', '/videos/hot', '/videos/best'],
  ['/?sort=local', '/videos/local'],
  ['/search', '/videos/search'],
  ['/upload', '/videos/upload', '/videos/publish'],
  ['/my/videos', '/my-library', '/my-library/videos', '/my-account/videos'],
  ['/my/channels', '/my-library/video-channels', '/my-account/video-channels'],
  ['/my/new-channel', '/my-library/video-channels/create'],
  ['/my/subscriptions', '/my-library/subscriptions', '/my-account/subscriptions', '/videos/subscriptions'],
  ['/my/reports', '/my-account/abuses'],
  ['/settings', '/my-account', '/my-account/settings'],
  ['/about', '/about/instance', '/about/peertube', '/about/contact', '/about/follows'],
  ['/admin/federation', '/admin/follows', '/admin/follows/following-list', '/admin/settings/follows/following-list'],
  ['/admin/federation?tab=followers', '/admin/follows/followers-list', '/admin/settings/follows/followers-list'],
  ['/admin/reports', '/admin/moderation/abuses/list']
]

/**
 * Other forms of addresses lead to the canonical one: `/w/<short UUID>`, `/c/<channel>`, `/a/<account>` and the rooms of this site.
 * Documents of ActivityPub were served before.
 */
export const redirectsRouter = Router()

for (const [to, ...from] of PLACES) redirectsRouter.get(from, (request, response) => moved(request, response, to))

redirectsRouter.get(['/videos/watch/:id', '/videos/:id/watch'], (request, response) =>
  moved(request, response, watchPath(request.params.id))
)
redirectsRouter.get('/w/:id', async (request, response, next) => {
  const { id } = request.params
  const uuid = longUuid(id)
  if (uuid) return shortUuid(uuid) === id ? next() : moved(request, response, watchPath(id))
  if (!/^[1-9]\d{0,8}$/.test(id)) return next()
  const { findPublicShortUuid } = await import('./watch.page.ts')
  const short = await findPublicShortUuid(id)
  // Whether a number leads anywhere depends on who may watch, which can change.
  return short ? moved(request, response, `/w/${short}`, false) : next()
})
redirectsRouter.get(['/videos/update/:id', '/videos/manage/:id'], (request, response) =>
  moved(request, response, watchPath(request.params.id).replace('/w/', '/my/videos/'))
)
redirectsRouter.get('/videos/browse', (request, response) => {
  const { sort, scope } = request.query
  moved(
    request,
    response,
    scope === 'local' ? '/?sort=local' : /trending|hot|best|views|likes/.test(String(sort)) ? '/?sort=trending' : '/',
    true,
    ''
  )
})
redirectsRouter.get('/remote-interaction', (request, response) =>
  moved(request, response, `/search?search=${encodeURIComponent(String(request.query.uri ?? ''))}`)
)

for (const part of ['', '/videos', '/about', '/video-playlists']) {
  redirectsRouter.get([`/video-channels/:name${part}`, ...(part ? [`/c/:name${part}`] : [])], (request, response) =>
    moved(request, response, `/c/${plainHandle(String(request.params.name))}`)
  )
}
for (const part of ['', '/videos', '/about', '/video-channels']) {
  redirectsRouter.get([`/accounts/:name${part}`, ...(part ? [`/a/:name${part}`] : [])], (request, response) =>
    moved(request, response, `/a/${plainHandle(String(request.params.name))}`)
  )
}
redirectsRouter.get(['/c/:name', '/a/:name'], (request, response, next) => {
  const name = String(request.params.name)
  const plain = plainHandle(name)
  return decodeURIComponent(plain) === name ? next() : moved(request, response, `${request.path.slice(0, 3)}${plain}`)
})
redirectsRouter.get(['/my-library/video-channels/update/:name', '/my-library/video-channels/manage/:name'], (request, response) =>
  moved(request, response, `/my/channels/${plainHandle(String(request.params.name))}`)
)
redirectsRouter.get(
  ['/@:name', '/@:name/videos', '/@:name/about', '/@:name/video-channels', '/@:name/video-playlists'],
  async (request, response, next) => {
    const { findActorPagePath } = await import('./actor.page.ts')
    const path = await findActorPagePath(String(request.params.name))
    return path ? moved(request, response, path) : next()
  }
)

/** Sends on to where a page lives; its query goes along unless the place has one of its own, and the browser keeps the fragment. */
function moved(request: Request, response: Response, path: string, lasting = true, query = queryOf(request)): void {
  // Other servers read documents at some of these addresses.
  response.setHeader('Vary', 'Accept')
  response.setHeader('Cache-Control', lasting ? `public, max-age=${Math.floor(config.cache.static.images / 1000)}` : 'no-cache')
  response.redirect(lasting ? 301 : 302, path.includes('?') ? path : path + query)
}

function queryOf({ originalUrl }: Request): string {
  const start = originalUrl.indexOf('?')
  return start === -1 ? '' : originalUrl.slice(start)
}

function watchPath(id: unknown): string {
  const uuid = longUuid(String(id))
  return `/w/${uuid ? shortUuid(uuid) : encodeURIComponent(String(id))}`
}

/** A handle as it stands in canonical addresses: without the sign in front, and without our own host. */
function plainHandle(handle: string): string {
  const [name = '', ...places] = handle.replace(/^@/, '').split('@')
  const place = places.join('@')
  return encodeURIComponent(place === '' || place.toLowerCase() === instanceHost().toLowerCase() ? name : `${name}@${place}`).replaceAll(
    '%40',
    '@'
  )
}
