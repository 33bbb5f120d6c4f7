import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Router, type Response } from 'express'
import { config, instanceOrigin } from '../core/config.ts'
import { negotiateEncoding, type ContentEncoding } from '../core/compression.ts'
import { notFound } from '../core/problem.ts'
import { clientBuildId, clientFolder } from './client-build.ts'

const NAME = /^(?:assets\/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,200}\.(js|css|svg|png|ico|woff2)$/
const TYPES: Record<string, string> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  ico: 'image/x-icon',
  woff2: 'font/woff2'
}

/** The built client's files, the icons, the web manifest, the service worker, robots.txt. */
export const assetsRouter = Router()

assetsRouter.get('/client/{*path}', async (request, response) => {
  const { path } = request.params as { path?: string[] }
  const name = (path ?? []).join('/')
  const type = TYPES[NAME.exec(name)?.[1] ?? '']
  if (!type) throw notFound('File')
  response.setHeader('Content-Type', type)
  // What the build names after its content never changes; the rest may with the next version.
  const hashed = name.startsWith('assets/')
  response.setHeader('Vary', 'Accept-Encoding')
  const [file, encoding] = compressed(name, negotiateEncoding(request))
  if (encoding) response.setHeader('Content-Encoding', encoding)
  await sendFile(response, file, { maxAge: config.cache.static[hashed ? 'segments' : 'images'], immutable: hashed })
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

// At the root, as it stands for all pages; its name for the build makes browsers renew what it keeps.
assetsRouter.get('/sw.js', (_request, response) => {
  const name = clientBuildId()
  const file = join(clientFolder, 'worker.js')
  if (name === null || !existsSync(file)) throw notFound('File')
  response.setHeader('Cache-Control', 'no-cache')
  response.setHeader('Content-Security-Policy', "default-src 'none'; connect-src 'self'")
  response.type('text/javascript').send(`// ${name}\n${readFileSync(file, 'utf8')}`)
})

assetsRouter.get('/robots.txt', (_request, response) => {
  response.setHeader('Cache-Control', 'no-cache')
  response
    .type('text/plain')
    .send(
      `# ${instanceOrigin()}\nUser-agent: *\nDisallow: /api/\nDisallow: /my/\nDisallow: /settings\nDisallow: /login\nDisallow: /signup\nDisallow: /upload\n`
    )
})

/** The file to send for a name: the compressed one that the build wrote beside it, where the client takes it. */
function compressed(name: string, encoding: ContentEncoding): [file: string, encoding: ContentEncoding] {
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
