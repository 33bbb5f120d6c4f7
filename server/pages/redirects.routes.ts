import { Router, type Request, type Response } from 'express'
import { longUuid, shortUuid } from '../../shared/short-uuid.ts'
import { config, instanceHost } from '../core/config.ts'

/** Paths of PeerTube's clients, current and past, and the path of the same page here. */
const STATIC_REDIRECTS: [to: string, ...from: string[]][] = [
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
 * Redirects other forms of a URL to the canonical one: `/w/<short UUID>`, `/c/<channel>`, `/a/<account>` and the other pages. ActivityPub
 * documents are served by routers before this one.
 */
export const redirectsRouter = Router()

for (const [to, ...from] of STATIC_REDIRECTS) redirectsRouter.get(from, (request, response) => redirect(request, response, to))

redirectsRouter.get(['/videos/watch/:id', '/videos/:id/watch'], (request, response) =>
  redirect(request, response, watchPath(request.params.id))
)
redirectsRouter.get('/w/:id', async (request, response, next) => {
  const { id } = request.params
  const [, videoId, threadId] = /^([^;]+);threadId=([1-9]\d{0,8})$/.exec(id) ?? []
  if (threadId !== undefined) {
    const query = queryOf(request)
    return redirect(request, response, `${watchPath(videoId)}?threadId=${threadId}${query.replace('?', '&')}#comment-${threadId}`)
  }
  const uuid = longUuid(id)
  if (uuid) return shortUuid(uuid) === id ? next() : redirect(request, response, watchPath(id))
  if (!/^[1-9]\d{0,8}$/.test(id)) return next()
  const { findPublicShortUuid } = await import('./watch.page.ts')
  const short = await findPublicShortUuid(id)
  // Temporary: whether an id leads to a video depends on its privacy, which can change.
  return short ? redirect(request, response, `/w/${short}`, false) : next()
})
redirectsRouter.get(['/video-playlists/:id', '/videos/watch/playlist/:id', '/my-library/video-playlists/:id'], (request, response) =>
  redirect(request, response, playlistPath(request.params.id))
)
redirectsRouter.get('/w/p/:id', async (request, response, next) => {
  const { id } = request.params
  const uuid = longUuid(id)
  if (uuid) return shortUuid(uuid) === id ? next() : redirect(request, response, playlistPath(id))
  if (!/^[1-9]\d{0,8}$/.test(id)) return next()
  const { findPublicPlaylistShortUuid } = await import('./playlist.page.ts')
  const short = await findPublicPlaylistShortUuid(id)
  return short ? redirect(request, response, `/w/p/${short}`, false) : next()
})
redirectsRouter.get(['/videos/update/:id', '/videos/manage/:id'], (request, response) =>
  redirect(request, response, watchPath(request.params.id).replace('/w/', '/my/videos/'))
)
redirectsRouter.get('/videos/browse', (request, response) => {
  const { sort, scope } = request.query
  redirect(
    request,
    response,
    scope === 'local' ? '/?sort=local' : /trending|hot|best|views|likes/.test(String(sort)) ? '/?sort=trending' : '/',
    true,
    ''
  )
})
redirectsRouter.get('/remote-interaction', (request, response) =>
  redirect(request, response, `/search?search=${encodeURIComponent(String(request.query.uri ?? ''))}`)
)

for (const part of ['', '/videos', '/about', '/video-playlists']) {
  redirectsRouter.get([`/video-channels/:name${part}`, ...(part ? [`/c/:name${part}`] : [])], (request, response) =>
    redirect(request, response, `/c/${canonicalHandle(String(request.params.name))}`)
  )
}
for (const part of ['', '/videos', '/about', '/video-channels']) {
  redirectsRouter.get([`/accounts/:name${part}`, ...(part ? [`/a/:name${part}`] : [])], (request, response) =>
    redirect(request, response, `/a/${canonicalHandle(String(request.params.name))}`)
  )
}
redirectsRouter.get(['/c/:name', '/a/:name'], (request, response, next) => {
  const name = String(request.params.name)
  const canonical = canonicalHandle(name)
  return decodeURIComponent(canonical) === name ? next() : redirect(request, response, `${request.path.slice(0, 3)}${canonical}`)
})
redirectsRouter.get(['/my-library/video-channels/update/:name', '/my-library/video-channels/manage/:name'], (request, response) =>
  redirect(request, response, `/my/channels/${canonicalHandle(String(request.params.name))}`)
)
redirectsRouter.get(
  ['/@:name', '/@:name/videos', '/@:name/about', '/@:name/video-channels', '/@:name/video-playlists'],
  async (request, response, next) => {
    const { findActorPagePath } = await import('./actor.page.ts')
    const path = await findActorPagePath(String(request.params.name))
    return path ? redirect(request, response, path) : next()
  }
)

/** Redirects to the canonical path; keeps the query unless the path has its own. Browsers keep the fragment. */
function redirect(request: Request, response: Response, path: string, permanent = true, query = queryOf(request)): void {
  // Other servers request ActivityPub documents at some of these URLs.
  response.setHeader('Vary', 'Accept')
  response.setHeader('Cache-Control', permanent ? `public, max-age=${Math.floor(config.cache.static.images / 1000)}` : 'no-cache')
  response.redirect(permanent ? 301 : 302, path.includes('?') ? path : path + query)
}

function queryOf({ originalUrl }: Request): string {
  const start = originalUrl.indexOf('?')
  return start === -1 ? '' : originalUrl.slice(start)
}

function playlistPath(id: unknown): string {
  return watchPath(id).replace('/w/', '/w/p/')
}

function watchPath(id: unknown): string {
  const uuid = longUuid(String(id))
  return `/w/${uuid ? shortUuid(uuid) : encodeURIComponent(String(id))}`
}

/** Returns a handle as in canonical URLs: without the leading @ and without the local host. */
function canonicalHandle(handle: string): string {
  const [name = '', ...hostParts] = handle.replace(/^@/, '').split('@')
  const host = hostParts.join('@')
  return encodeURIComponent(host === '' || host.toLowerCase() === instanceHost().toLowerCase() ? name : `${name}@${host}`).replaceAll(
    '%40',
    '@'
  )
}
