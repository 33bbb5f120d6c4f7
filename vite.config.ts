import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const clientFolder = join(import.meta.dirname, 'client')
const apiServer = 'http://127.0.0.1:9000'
const compress = { br: promisify(brotliCompress), gz: promisify(gzip) }

/** Sets Vite's root to the client folder, independent of the working directory. */
const rootPlugin: Plugin = { name: 'bobine:root', config: () => ({ root: clientFolder }) }

/** Writes a .br and a .gz file beside every script and style sheet; the server sends them unchanged. */
const compressionPlugin: Plugin = {
  name: 'bobine:compressed',
  apply: 'build',
  generateBundle: {
    order: 'post',
    async handler(_options, bundle) {
      await Promise.all(
        Object.entries(bundle)
          .filter(([fileName]) => /\.(js|css)$/.test(fileName))
          .map(async ([fileName, file]) => {
            const bytes = Buffer.from(file.type === 'chunk' ? file.code : file.source)
            const [br, gz] = await Promise.all([
              compress.br(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }),
              compress.gz(bytes, { level: 9 })
            ])
            this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: br })
            this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gz })
          })
      )
    }
  }
}

/**
 * Controllers of hls.js that the player does not use: DRM, subtitles (the player uses track elements), interstitials, reports to CDNs
 * (CMCD), content steering.
 */
const UNUSED_CONTROLLERS = [
  'subtitleStreamController',
  'subtitleTrackController',
  'timelineController',
  'emeController',
  'cmcdController',
  'contentSteeringController',
  'iframeController',
  'interstitialsController'
]

/**
 * Removes those controllers, a quarter of hls.js: its default configuration refers to them, so the bundler cannot tell that they are
 * unused.
 */
const hlsControllersPlugin: Plugin = {
  name: 'bobine:lean',
  transform: {
    filter: { id: /hls\.js\/dist\/hls\.mjs$/ },
    handler(code) {
      for (const name of UNUSED_CONTROLLERS) code = replaceOnce(code, new RegExp(`^  ${name}: \\w+ ?(,?)$`, 'm'), `  ${name}: undefined$1`)
      // This assignment would keep the unused class in the bundle.
      return replaceOnce(code, /^EMEController\.CDMCleanupPromise = void 0;$/m, '')
    }
  }
}

/** Replaces the only match of a pattern. Throws if there is none or more than one. */
function replaceOnce(code: string, pattern: RegExp, replacement: string): string {
  if (code.match(new RegExp(pattern, 'gm'))?.length !== 1) throw new Error(`hls.js has changed: ${pattern} is not there exactly once`)
  return code.replace(pattern, replacement)
}

/** The prefixes of the keys of those texts that only some pages show: those of the administration, and those of creators, who have an account. */
export const TEXT_GROUPS = {
  admin: ['encoder', 'federation', 'files', 'health', 'jobs', 'moderation', 'site', 'users'],
  creator: ['bulk', 'deletion', 'upload']
}

const textGroupOf = (key: string): string | undefined =>
  Object.entries(TEXT_GROUPS).find(([, prefixes]) => prefixes.includes(key.split('.', 1)[0]!))?.[0]

/** Splits every catalogue in modules: one for each group (`?admin`, `?creator`), and one for all other texts. */
const textsPlugin: Plugin = {
  name: 'bobine:texts',
  enforce: 'pre',
  transform: {
    filter: { id: /client\/src\/i18n\/(?!i18n|languages|catalogue)[\w-]+\.ts(\?\w+)?$/ },
    handler(code, id) {
      const group = id.split('?')[1]
      return textPropertiesOf(this.parse(code, { lang: 'ts' }).body)
        .filter(({ key }) => textGroupOf(key.value) !== group)
        .reduceRight((remaining, { start, end }) => remaining.slice(0, start) + remaining.slice(end).replace(/^,/, ''), code)
    }
  }
}

type TextProperty = { key: { value: string }; start: number; end: number }

/** Returns the properties of the object that a catalogue exports. Throws if it exports anything else. */
function textPropertiesOf(body: unknown[]): TextProperty[] {
  type Node = { type: string; declaration?: Node; expression?: Node; properties?: TextProperty[] }
  let node = (body as Node[]).find(({ type }) => type === 'ExportDefaultDeclaration')?.declaration
  // The object may be wrapped in `satisfies` or `as`.
  while (node?.expression) node = node.expression
  if (!node?.properties) throw new Error('A catalogue of texts exports something else than an object')
  return node.properties
}

const MAX_AGE_MS = 7 * 24 * 3600 * 1000

/** Removes files of earlier builds after a week: a page opened before an update can still load the rest of its code. */
const cleanupPlugin: Plugin = {
  name: 'bobine:swept',
  apply: 'build',
  writeBundle({ dir }, bundle) {
    const folder = join(dir!, 'assets')
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      if (!bundle[`assets/${name}`] && Date.now() - statSync(file).mtimeMs > MAX_AGE_MS) rmSync(file)
    }
  }
}

/** Builds client/ to dist/client: two HTML templates (the site and the embedded player) that server/pages fills in. */
export default defineConfig(({ command }) => ({
  plugins: [rootPlugin, hlsControllersPlugin, textsPlugin, compressionPlugin, cleanupPlugin],
  base: command === 'build' ? '/client/' : '/',
  // Not import.meta.env.DEV, which is also true in a build that tests start.
  define: { DEVELOPMENT: command === 'serve' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, 'dist/client'),
    emptyOutDir: false,
    manifest: 'manifest.json',
    // One file for all styles is smaller than an image, and no page has to load styles of its own.
    cssCodeSplit: false,
    target: ['chrome111', 'edge111', 'firefox114', 'safari16.4'],
    // Inline scripts and images would need a weaker content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: {
        site: join(clientFolder, 'index.html'),
        embed: join(clientFolder, 'embed.html'),
        headScript: join(clientFolder, 'src/head-script.ts'),
        earlyPlayback: join(clientFolder, 'src/early-playback.ts')
      },
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'player',
              test: /client\/src\/(player\/(?!hls|prefetch-loader|early-playback)|videos\/(use-video|player-source|parse-start-time|parse-subtitle|password-form|video-unavailable)|embed\/embed-options)/,
              priority: 1
            },
            // One file for what most pages share: on a slow connection a request costs more than a few kilobytes.
            {
              name: 'base',
              test: /node_modules\/(@preact|preact)|client\/src\/([a-z-]+\.tsx?$(?<!(main|embed|head-script|early-playback|image-error-text)\.tsx?)|i18n\/(i18n|languages)|ui\/(?!markdown-renderer|image-field)|page\/|app\/(header|service-worker)\.|player\/(prefetch-loader|early-playback)|instance\/(config|instance-mark)\.|videos\/(video-card|video-labels)|actors\/|channels\/crawl-progress\.|comments\/comment-content\.|playlists\/watch-later\.|reports\/)/,
              priority: 2
            }
          ]
        }
      }
    }
  },
  server: { proxy: Object.fromEntries(['/api', '/static', '/lazy-static', '/download'].map(path => [path, apiServer])) }
}))
