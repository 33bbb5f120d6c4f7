import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Router, type Response } from 'express'
import { config, instanceOrigin } from '../core/config.ts'
import { negotiateEncoding, type ContentEncoding } from '../core/compression.ts'
import { notFound } from '../core/problem.ts'
import { clientBuildId, clientFolder } from './client-build.ts'

const FILE_NAME = /^(?:assets\/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,200}\.(js|css|svg|png|ico|woff2)$/
const CONTENT_TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2'
}

/** Serves the built client's files, the icons, the web manifest, the service worker and robots.txt. */
export const assetsRouter = Router()

assetsRouter.get('/client/{*path}', async (request, response) => {
  const { path } = request.params as { path?: string[] }
  const name = (path ?? []).join('/')
  const type = CONTENT_TYPES[FILE_NAME.exec(name)?.[1] ?? '']
  if (!type) throw notFound('File')
  response.setHeader('Content-Type', type)
  // Files named by a hash of their content never change; the others may with the next build.
  const isHashed = name.startsWith('assets/')
  response.setHeader('Vary', 'Accept-Encoding')
  const [file, encoding] = chooseEncodedFile(name, negotiateEncoding(request))
  if (encoding) response.setHeader('Content-Encoding', encoding)
  await sendFile(response, file, { maxAge: config.cache.static[isHashed ? 'segments' : 'images'], immutable: isHashed })
})

assetsRouter.get(
  '/favicon.ico',
  async (_request, response) => await sendFile(response, 'favicon.ico', { maxAge: config.cache.static.images })
)

assetsRouter.get('/manifest.webmanifest', (_request, response) => {
  const { name, short_description } = config.instance
  response.setHeader('Cache-Control', 'no-cache')
  response.type('application/manifest+json').send(
    JSON.stringify({
      name,
      short_name: name,
      description: short_description,
      start_url: '/',
      scope: '/',
      display: 'standalone',
      background_color: '#faf8f4',
      theme_color: '#0b6664',
      icons: [
        { src: '/client/icon.svg', type: 'image/svg+xml', sizes: 'any' },
        { src: '/client/icon-192.png', type: 'image/png', sizes: '192x192' },
        { src: '/client/icon-512.png', type: 'image/png', sizes: '512x512' },
        { src: '/client/icon-maskable-512.png', type: 'image/png', sizes: '512x512', purpose: 'maskable' }
      ]
    })
  )
})

// At the root, so that its scope is all pages; the build id makes browsers update it with every build.
assetsRouter.get('/sw.js', (_request, response) => {
  const buildId = clientBuildId()
  const file = join(clientFolder, 'worker.js')
  if (buildId === null || !existsSync(file)) throw notFound('File')
  response.setHeader('Cache-Control', 'no-cache')
  response.setHeader('Content-Security-Policy', "default-src 'none'; connect-src 'self'")
  response.type('text/javascript').send(`// ${buildId}\n${readFileSync(file, 'utf8')}`)
})

assetsRouter.get('/robots.txt', (_request, response) => {
  response.setHeader('Cache-Control', 'no-cache')
  response
    .type('text/plain')
    .send(
      `# ${instanceOrigin()}\nUser-agent: *\nDisallow: /api/\nDisallow: /my/\nDisallow: /settings\nDisallow: /login\nDisallow: /signup\nDisallow: /upload\n`
    )
})

/** Returns the file to send and its encoding: the compressed file beside it where the client accepts that. */
function chooseEncodedFile(name: string, encoding: ContentEncoding): [file: string, encoding: ContentEncoding] {
  const file = encoding && `${name}.${encoding === 'br' ? 'br' : 'gz'}`
  return file && existsSync(join(clientFolder, file)) ? [file, encoding] : [name, null]
}

async function sendFile(response: Response, name: string, options: { maxAge: number; immutable?: boolean }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    response.sendFile(name, { root: clientFolder, dotfiles: 'deny', ...options }, error => {
      if (!error || response.headersSent) return resolve()
      response.removeHeader('Content-Encoding')
      reject((error as { status?: number }).status === 404 ? notFound('File') : error)
    })
  })
}
