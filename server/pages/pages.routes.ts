import { createHash } from 'node:crypto'
import { Router, type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express'
import { longUuid, shortUuid } from '../../shared/ids.ts'
import { config } from '../core/config.ts'
import { encoded, encodingOf, type Encoding } from '../core/encoded.ts'
import { fresh } from '../core/fresh.ts'
import { counted } from '../core/limits.ts'
import { notFound, Problem } from '../core/problem.ts'
import { settings } from '../instance/settings.ts'
import { assetsRouter } from './assets.routes.ts'
import { template } from './built.ts'
import { framed, plainly } from './frame.ts'
import { homePage } from './home.page.ts'
import { clientPage, messagePage } from './message.page.ts'
import type { Asking, Page } from './page.ts'
import { policy } from './policy.ts'
import { languageOf, themeOf, wordsOf } from './words.ts'

// The libraries for Markdown come in with the first page that has some, not with the server.
const watch = async () => await import('./watch.page.ts')
const actor = async () => await import('./actor.page.ts')

type Make = (request: Request, asking: Asking) => Promise<Page> | Page

/** Pages whose content only the client knows, by path and source file. */
const CLIENT_PAGES: [path: string, source: string][] = [
  ['/search', 'src/search/search.page.tsx'], ['/upload', 'src/upload/upload.page.tsx'], ['/my/videos', 'src/videos/my-videos.page.tsx'], ['/my/videos/:id', 'src/videos/edit.page.tsx'], ['/login', 'src/accounts/login.page.tsx'],
  ['/my/subscriptions', 'src/subscriptions/subscriptions.page.tsx'], ['/my/reports', 'src/moderation/my-reports.page.tsx'], ['/signup', 'src/accounts/signup.page.tsx'], ['/settings', 'src/accounts/settings.page.tsx'], ['/admin/federation', 'src/federation/federation.page.tsx'], ['/admin/reports', 'src/moderation/reports.page.tsx'], ['/about', 'src/instance/about.page.tsx']
]

/** Everything a browser opens: pages with head, first data and readable content, and the files of the client. It takes what no other router took. */
export const pagesRouter = Router()

pagesRouter.use(counted('client'))
pagesRouter.use(assetsRouter)
pagesRouter.get('/', ...page('site', async (_request, asking) => await homePage(asking)))
pagesRouter.get('/w/:id', ...page('site', async (request, asking) => await (await watch()).watchPage(String(request.params.id), asking)))
pagesRouter.get('/c/:handle', ...page('site', async (request, asking) => await (await actor()).channelPage(String(request.params.handle), asking)))
pagesRouter.get('/a/:name', ...page('site', async (request, asking) => await (await actor()).accountPage(String(request.params.name), asking)))
pagesRouter.get('/videos/embed/:id', ...page('embed', async (request, asking) => await (await watch()).embedPage(String(request.params.id), asking)))
for (const [path, source] of CLIENT_PAGES) pagesRouter.get(path, ...page('site', () => clientPage(source)))

pagesRouter.get(['/videos/watch/:id', '/videos/:id/watch'], (request, response) => {
  const id = String(request.params.id)
  const uuid = longUuid(id)
  moved(request, response, `/w/${uuid ? shortUuid(uuid) : encodeURIComponent(id)}`)
})
pagesRouter.get(['/video-channels/:name', '/video-channels/:name/videos', '/c/:name/videos'], (request, response) => moved(request, response, `/c/${encodeURIComponent(String(request.params.name))}`))
pagesRouter.get(['/accounts/:name', '/accounts/:name/videos', '/a/:name/videos'], (request, response) => moved(request, response, `/a/${encodeURIComponent(String(request.params.name))}`))

pagesRouter.get('/{*path}', ...page('site', (_request, asking) => messagePage(asking.words.missing, asking, 404, 'src/instance/not-found.page.tsx')))
pagesRouter.use(() => { throw notFound('Page') })

/** Refusals as a page, for those who read pages; everything else is written by the app. */
const refuse: ErrorRequestHandler = (error, request, response, next) => {
  if (!(error instanceof Problem) || response.headersSent || template('site') === null || !request.accepts('html') || !/text\/html/.test(request.headers.accept ?? '')) return next(error)
  const language = languageOf(request)
  const words = wordsOf(language)
  const instance = { name: config.instance.name, shortDescription: config.instance.short_description, settings: undefined }
  const text = error.status === 404 ? words.missing : error.status === 429 ? words.tooMany : words.failed
  const page = messagePage(text, { language, words, instance }, error.status, 'src/instance/not-found.page.tsx')
  for (const [name, value] of Object.entries(error.extra.headers ?? {})) response.setHeader(name, value)
  response.status(error.status).setHeader('Cache-Control', 'no-store').type('html').send(plainly(page, { frame: 'site', language, theme: themeOf(request), instance }))
}
pagesRouter.use(policy(false), refuse)

/** The handlers of a page. Everybody gets the same page (logins never reach it), so it may be kept while the database has not changed. */
function page(frame: 'site' | 'embed', make: Make): RequestHandler[] {
  return [policy(frame === 'embed'), async (request, response) => {
    const language = languageOf(request)
    const theme = themeOf(request)
    const encoding = encodingOf(request)
    const bytes = await fresh(`page ${language} ${theme} ${encoding} ${frame} ${request.path}`, async () => {
      const all = await settings()
      const instance = { name: all.instance.name, shortDescription: all.instance.shortDescription, settings: all }
      const made = await make(request, { language, words: wordsOf(language), instance })
      const body = await encoded(framed(made, { frame, language, theme, instance }), encoding)
      return Buffer.concat([Buffer.from(String(made.status)), createHash('sha1').update(body).digest(), body])
    })
    send(request, response, bytes, encoding, language)
  }]
}

const STATUS = 3
const HASH = 20

function send(request: Request, response: Response, bytes: Buffer, encoding: Encoding, language: string): void {
  response.status(Number(bytes.subarray(0, STATUS)))
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.setHeader('Content-Language', language)
  response.setHeader('Cache-Control', 'no-cache')
  response.setHeader('Vary', 'Accept-Language, Accept-Encoding, Cookie')
  response.setHeader('ETag', `"${bytes.subarray(STATUS, STATUS + HASH).toString('base64url')}"`)
  if (request.fresh) return void response.status(304).end()
  if (encoding) response.setHeader('Content-Encoding', encoding)
  const body = bytes.subarray(STATUS + HASH)
  response.setHeader('Content-Length', body.length)
  response.end(request.method === 'HEAD' ? undefined : body)
}

function moved(request: Request, response: Response, path: string): void {
  const query = request.originalUrl.indexOf('?')
  response.setHeader('Cache-Control', `public, max-age=${Math.floor(config.cache.static.images / 1000)}`)
  response.redirect(301, path + (query === -1 ? '' : request.originalUrl.slice(query)))
}
