import { createHash } from 'node:crypto'
import { Router, type ErrorRequestHandler, type Request, type Response } from 'express'
import { longUuid } from '../../shared/short-uuid.ts'
import { config } from '../core/config.ts'
import { compressText, negotiateEncoding, type ContentEncoding } from '../core/compression.ts'
import { databaseProblem } from '../core/database-errors.ts'
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
import { oembedRouter, SUBTITLE } from './oembed.routes.ts'
import type { PageContext, ServerRenderedPage } from './server-rendered-page.ts'
import { setContentSecurityPolicy } from './content-security-policy.ts'
import { searchPage, parseSearchText } from './search.page.ts'
import { requestLanguage, requestTheme, pageTextsOf } from './page-texts.ts'

// The Markdown libraries are loaded with the first page that needs them, not at start.
const importWatchPage = async () => await import('./watch.page.ts')
const importPlaylistPage = async () => await import('./playlist.page.ts')
const importActorPage = async () => await import('./actor.page.ts')

/** Pages whose content only the client knows: path and source file of the client. */
const CLIENT_PAGES: [path: string, source: string][] = [
  ['/upload', 'src/upload/upload.page.tsx'],
  ['/login', 'src/accounts/login.page.tsx'],
  ['/signup', 'src/accounts/signup.page.tsx'],
  ['/settings', 'src/accounts/settings.page.tsx'],
  ['/about', 'src/about/about.page.tsx'],
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
  ['/admin/comments', 'src/moderation/comments.page.tsx'],
  ['/admin/reports', 'src/moderation/reports.page.tsx']
]

/**
 * Serves everything a browser opens: pages with head, content and API responses, and the files of the client. Mounted last: it answers
 * every path that no other router handles.
 */
export const pagesRouter = Router()

pagesRouter.use(limitRate('client'))
pagesRouter.use(assetsRouter, redirectsRouter, oembedRouter)
servePage(
  '/',
  'site',
  request => parseHomeList(request.query.sort),
  async (list, context) => await homePage(list, context)
)
servePage(
  '/w/:id',
  'site',
  request => ({ id: String(request.params.id), subtitle: parseSubtitle(request.query.subtitle) }),
  async ({ id, subtitle }, context) => await (await importWatchPage()).watchPage(id, subtitle, context)
)
servePage(
  '/w/p/:id',
  'site',
  readPlaylistInput,
  async ({ id, videoId }, context) => await (await importPlaylistPage()).playlistPage(id, videoId, context)
)
servePage(
  '/video-playlists/embed/:id',
  'embed',
  readPlaylistInput,
  async ({ id, videoId }, context) => await (await importPlaylistPage()).embedPlaylistPage(id, videoId, context)
)
servePage(
  '/c/:handle',
  'site',
  request => String(request.params.handle),
  async (handle, context) => await (await importActorPage()).channelPage(handle, context)
)
servePage(
  '/a/:name',
  'site',
  request => String(request.params.name),
  async (name, context) => await (await importActorPage()).accountPage(name, context)
)
servePage(
  '/videos/embed/:id',
  'embed',
  request => String(request.params.id),
  async (id, context) => await (await importWatchPage()).embedPage(id, context)
)
servePage(
  '/search',
  'site',
  request => parseSearchText(request.query.search),
  async (text, context) => await searchPage(text, context)
)
servePage(
  '/offline',
  'site',
  () => null,
  (_, context) => offlinePage(context),
  renderHtmlDocumentWithoutScripts
)
for (const [path, source] of CLIENT_PAGES)
  servePage(
    path,
    'site',
    () => null,
    (_, context) => clientRenderedPage(source, context)
  )

servePage(
  '/{*path}',
  'site',
  () => null,
  (_, context) => messagePage(context.texts.missing, context, 404, 'src/app/not-found.page.tsx')
)
pagesRouter.use(() => {
  throw notFound('Page')
})

/** `video`: the short UUID of the element that the player has come to (client/src/videos/media-policy.ts). */
function readPlaylistInput({ params, query }: Request): { id: string; videoId: string | null } {
  return { id: String(params.id), videoId: typeof query.video === 'string' && longUuid(query.video) !== null ? query.video : null }
}

/** Parses a language tag (BCP 47) of captions; null for anything else. */
function parseSubtitle(value: unknown): string | null {
  return typeof value === 'string' && SUBTITLE.test(value) ? value : null
}

/** Renders errors as a page for browsers; everything else is left to the error handler of the app. */
const renderProblemPage: ErrorRequestHandler = (cause, request, response, next) => {
  const error = databaseProblem(cause) ?? (cause as unknown)
  if (
    !(error instanceof Problem) ||
    response.headersSent ||
    pageTemplate('site') === null ||
    !request.accepts('html') ||
    !/text\/html/.test(request.headers.accept ?? '')
  )
    return next(cause)
  setContentSecurityPolicy(request, response, { allowFraming: false })
  const language = requestLanguage(request)
  const texts = pageTextsOf(language)
  const instance = { name: config.instance.name, shortDescription: config.instance.short_description, avatars: [], settings: undefined }
  const text =
    error.status === 404 ? texts.missing : error.status === 429 ? texts.tooMany : error.status === 503 ? texts.unavailable : texts.failed
  const errorPage = messagePage(text, { language, texts, instance }, error.status, 'src/app/not-found.page.tsx')
  for (const [name, value] of Object.entries(error.extra.headers ?? {})) response.setHeader(name, value)
  response
    .status(error.status)
    .setHeader('Cache-Control', 'no-store')
    .type('html')
    .send(renderHtmlDocumentWithoutScripts(errorPage, { template: 'site', language, theme: requestTheme(request), instance }))
}
pagesRouter.use(renderProblemPage)

/**
 * Serves a page. Pages do not depend on the user, so they are cached while the database has not changed: `read` returns all that the page
 * depends on besides language and theme, as JSON, and `build` knows nothing else of the request.
 */
function servePage<T extends PageInput>(
  path: string,
  template: 'site' | 'embed',
  read: (request: Request) => T,
  build: (input: T, context: PageContext) => Promise<ServerRenderedPage> | ServerRenderedPage,
  renderDocument = renderHtmlDocument
): void {
  pagesRouter.get(path, async (request, response) => {
    const language = requestLanguage(request)
    const theme = requestTheme(request)
    const encoding = negotiateEncoding(request)
    const input = read(request)
    const savesData = request.get('save-data') === 'on'
    const cached = await getCachedOrCompute(JSON.stringify(['page', path, language, theme, encoding, savesData, input]), async () => {
      const serverConfig = await getServerConfig()
      const instance = {
        name: serverConfig.instance.name,
        shortDescription: serverConfig.instance.shortDescription,
        avatars: serverConfig.instance.avatars,
        settings: serverConfig
      }
      const { earlyPlayback, ...builtPage } = await build(input, { language, texts: pageTextsOf(language), instance })
      const body = await compressText(
        renderDocument(savesData ? builtPage : { ...builtPage, earlyPlayback }, { template, language, theme, instance }),
        encoding
      )
      return new CachedPage(builtPage.status, body, Object.values(builtPage.mediaOrigins ?? {}).flat())
    })
    setContentSecurityPolicy(request, response, { allowFraming: template === 'embed', mediaSources: cached.mediaSources })
    sendCachedPage(request, response, cached, encoding, language)
  })
}

/** What a page may depend on. */
type PageInput = string | null | { [name: string]: string | null }

/** A page as it is sent; `mediaSources` are the origins of the remote videos that it plays. */
class CachedPage {
  readonly status: number
  readonly body: Buffer
  readonly mediaSources: string[]
  readonly etag: string
  constructor(status: number, body: Buffer, mediaSources: string[]) {
    this.status = status
    this.body = body
    this.mediaSources = mediaSources
    this.etag = `"${createHash('sha1').update(body).digest('base64url')}"`
  }

  get length(): number {
    return this.body.length
  }
}

function sendCachedPage(
  request: Request,
  response: Response,
  { status, body, etag }: CachedPage,
  encoding: ContentEncoding,
  language: string
): void {
  response.status(status)
  response.setHeader('Content-Type', 'text/html; charset=utf-8')
  response.setHeader('Content-Language', language)
  response.setHeader('Cache-Control', 'no-cache')
  response.setHeader('Vary', 'Accept, Accept-Language, Accept-Encoding, Cookie, Save-Data')
  response.setHeader('ETag', etag)
  if (request.fresh) return void response.status(304).end()
  if (encoding) response.setHeader('Content-Encoding', encoding)
  response.setHeader('Content-Length', body.length)
  response.end(request.method === 'HEAD' ? undefined : body)
}
