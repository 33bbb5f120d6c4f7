import { createHash } from 'node:crypto'
import { Router, type ErrorRequestHandler, type Request, type RequestHandler, type Response } from 'express'
import { config } from '../core/config.ts'
import { compressText, negotiateEncoding, type ContentEncoding } from '../core/compression.ts'
import { getCachedOrCompute } from '../core/versioned-cache.ts'
import { limitRate } from '../core/request-rate-limit.ts'
import { notFound, Problem } from '../core/problem.ts'
import { getServerConfig } from '../instance/server-config.ts'
import { assetsRouter } from './assets.routes.ts'
import { pageTemplate } from './client-build.ts'
import { renderHtmlDocument, renderHtmlDocumentWithoutScripts } from './html-document.ts'
import { parseHomeList, homePage } from './home.page.ts'
import { clientRenderedPage, messagePage, offlinePage } from './message.page.ts'
import { redirectsRouter } from './redirects.routes.ts'
import { oembedRouter } from './oembed.routes.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'
import { setContentSecurityPolicy } from './content-security-policy.ts'
import { searchPage, parseSearchText } from './search.page.ts'
import { requestLanguage, requestTheme, pageTextsOf } from './page-texts.ts'

// The libraries for Markdown come in with the first page that has some, not with the server.
const watch = async () => await import('./watch.page.ts')
const actor = async () => await import('./actor.page.ts')

type Make = (request: Request, asking: PageContext) => Promise<ServerRenderedPage> | ServerRenderedPage

/** Pages whose content only the client knows, by path and source file. */
const CLIENT_PAGES: [path: string, source: string][] = [
  ['/upload', 'src/upload/upload.page.tsx'],
  ['/login', 'src/accounts/login.page.tsx'],
  ['/signup', 'src/accounts/signup.page.tsx'],
  ['/settings', 'src/accounts/settings.page.tsx'],
  ['/about', 'src/instance/about.page.tsx'],
  ['/my/videos', 'src/videos/my-videos.page.tsx'],
  ['/my/videos/:id', 'src/videos/edit-video.page.tsx'],
  ['/my/subscriptions', 'src/subscriptions/subscriptions.page.tsx'],
  ['/my/reports', 'src/moderation/my-reports.page.tsx'],
  ['/my/channels', 'src/channels/my-channels.page.tsx'],
  ['/my/new-channel', 'src/channels/new-channel.page.tsx'],
  ['/my/channels/:handle', 'src/channels/edit-channel.page.tsx'],
  ['/admin', 'src/admin/admin.page.tsx'],
  ['/admin/health', 'src/admin/health.page.tsx'],
  ['/admin/users', 'src/admin/users.page.tsx'],
  ['/admin/jobs', 'src/admin/jobs.page.tsx'],
  ['/admin/settings', 'src/admin/instance-settings.page.tsx'],
  ['/admin/federation', 'src/federation/federation.page.tsx'],
  ['/admin/reports', 'src/moderation/reports.page.tsx']
]

/**
 * Everything a browser opens: pages with head, first data and readable content, and the files of the client. It takes what no other router
 * took.
 */
export const pagesRouter = Router()

pagesRouter.use(limitRate('client'))
pagesRouter.use(assetsRouter, redirectsRouter, oembedRouter)
pagesRouter.get(
  '/',
  ...page(
    'site',
    async (request, asking) => await homePage(parseHomeList(request.query.sort), asking),
    request => parseHomeList(request.query.sort)
  )
)
pagesRouter.get('/w/:id', ...page('site', async (request, asking) => await (await watch()).watchPage(String(request.params.id), asking)))
pagesRouter.get(
  '/c/:handle',
  ...page('site', async (request, asking) => await (await actor()).channelPage(String(request.params.handle), asking))
)
pagesRouter.get(
  '/a/:name',
  ...page('site', async (request, asking) => await (await actor()).accountPage(String(request.params.name), asking))
)
pagesRouter.get(
  '/videos/embed/:id',
  ...page('embed', async (request, asking) => await (await watch()).embedPage(String(request.params.id), asking))
)
pagesRouter.get(
  '/search',
  ...page(
    'site',
    async (request, asking) => await searchPage(parseSearchText(request.query.search), asking),
    request => parseSearchText(request.query.search)
  )
)
pagesRouter.get('/offline', ...page('site', (_request, asking) => offlinePage(asking), undefined, renderHtmlDocumentWithoutScripts))
for (const [path, source] of CLIENT_PAGES) pagesRouter.get(path, ...page('site', (_request, asking) => clientRenderedPage(source, asking)))

pagesRouter.get(
  '/{*path}',
  ...page('site', (_request, asking) => messagePage(asking.words.missing, asking, 404, 'src/instance/not-found.page.tsx'))
)
pagesRouter.use(() => {
  throw notFound('Page')
})

/** Refusals as a page, for those who read pages; everything else is written by the app. */
const refuse: ErrorRequestHandler = (error, request, response, next) => {
  if (
    !(error instanceof Problem) ||
    response.headersSent ||
    pageTemplate('site') === null ||
    !request.accepts('html') ||
    !/text\/html/.test(request.headers.accept ?? '')
  )
    return next(error)
  const language = requestLanguage(request)
  const words = pageTextsOf(language)
  const instance = { name: config.instance.name, shortDescription: config.instance.short_description, settings: undefined }
  const text = error.status === 404 ? words.missing : error.status === 429 ? words.tooMany : words.failed
  const page = messagePage(text, { language, words, instance }, error.status, 'src/instance/not-found.page.tsx')
  for (const [name, value] of Object.entries(error.extra.headers ?? {})) response.setHeader(name, value)
  response
    .status(error.status)
    .setHeader('Cache-Control', 'no-store')
    .type('html')
    .send(renderHtmlDocumentWithoutScripts(page, { frame: 'site', language, theme: requestTheme(request), instance }))
}
pagesRouter.use(setContentSecurityPolicy(false), refuse)

/**
 * The handlers of a page. Everybody gets the same page (logins never reach it), so it may be kept while the database has not changed;
 * `part` says what besides the path makes it another one.
 */
function page(
  frame: 'site' | 'embed',
  make: Make,
  part: (request: Request) => string = () => '',
  write = renderHtmlDocument
): RequestHandler[] {
  return [
    setContentSecurityPolicy(frame === 'embed'),
    async (request, response) => {
      const language = requestLanguage(request)
      const theme = requestTheme(request)
      const encoding = negotiateEncoding(request)
      const bytes = await getCachedOrCompute(
        `page ${language} ${theme} ${encoding} ${frame} ${part(request)} ${request.path}`,
        async () => {
          const all = await getServerConfig()
          const instance = { name: all.instance.name, shortDescription: all.instance.shortDescription, settings: all }
          const made = await make(request, { language, words: pageTextsOf(language), instance })
          const body = await compressText(write(made, { frame, language, theme, instance }), encoding)
          return Buffer.concat([Buffer.from(String(made.status)), createHash('sha1').update(body).digest(), body])
        }
      )
      send(request, response, bytes, encoding, language)
    }
  ]
}

const STATUS = 3
const HASH = 20

function send(request: Request, response: Response, bytes: Buffer, encoding: ContentEncoding, language: string): void {
  response.status(Number(bytes.subarray(0, STATUS)))
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.setHeader('Content-Language', language)
  response.setHeader('Cache-Control', 'no-cache')
  response.setHeader('Vary', 'Accept, Accept-Language, Accept-Encoding, Cookie')
  response.setHeader('ETag', `"${bytes.subarray(STATUS, STATUS + HASH).toString('base64url')}"`)
  if (request.fresh) return void response.status(304).end()
  if (encoding) response.setHeader('Content-Encoding', encoding)
  const body = bytes.subarray(STATUS + HASH)
  response.setHeader('Content-Length', body.length)
  response.end(request.method === 'HEAD' ? undefined : body)
}
