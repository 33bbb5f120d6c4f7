import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const client = join(import.meta.dirname, 'client')
const server = 'http://127.0.0.1:9000'
const compress = { br: promisify(brotliCompress), gz: promisify(gzip) }

/** The client's folder is Vite's root, whoever starts the build and from wherever. */
const root: Plugin = { name: 'bobine:root', config: () => ({ root: client }) }

/** Writes every script and style compressed beside itself: the server sends them as they lie. */
const compressed: Plugin = {
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
 * Parts of hls.js that nothing here uses: rights management, subtitles (tracks of the page show them), advertisements, reports to networks
 * of servers.
 */
const UNUSED = [
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
 * Leaves those parts out, a quarter of the library: its default configuration names them, so no bundler can see that they are not needed.
 */
const lean: Plugin = {
  name: 'bobine:lean',
  transform: {
    filter: { id: /hls\.js\/dist\/hls\.mjs$/ },
    handler(code) {
      for (const name of UNUSED) code = replaceOnce(code, new RegExp(`^  ${name}: \\w+ ?(,?)$`, 'm'), `  ${name}: undefined$1`)
      // Such a line keeps the class although nobody uses it.
      return replaceOnce(code, /^EMEController\.CDMCleanupPromise = void 0;$/m, '')
    }
  }
}

function replaceOnce(code: string, pattern: RegExp, by: string): string {
  if (code.match(new RegExp(pattern, 'gm'))?.length !== 1) throw new Error(`hls.js has changed: ${pattern} is not there exactly once`)
  return code.replace(pattern, by)
}

/** The texts that only the pages of the administration show, by what their keys begin with. */
export const ADMIN_TEXTS = ['encoder', 'federation', 'health', 'jobs', 'site', 'users']

/** Cuts every language in two: what everybody loads, and `?admin`. */
const texts: Plugin = {
  name: 'bobine:texts',
  enforce: 'pre',
  transform: {
    filter: { id: /client\/src\/i18n\/(?!i18n|languages|catalogue)[\w-]+\.ts(\?admin)?$/ },
    handler(code, id) {
      const admin = id.endsWith('?admin')
      return propertiesOf(this.parse(code, { lang: 'ts' }).body)
        .filter(({ key }) => ADMIN_TEXTS.includes(key.value.split('.', 1)[0]!) !== admin)
        .reduceRight((kept, { start, end }) => kept.slice(0, start) + kept.slice(end).replace(/^,/, ''), code)
    }
  }
}

type TextProperty = { key: { value: string }; start: number; end: number }

/** The texts of a language: the properties of the object that its file exports. */
function propertiesOf(body: unknown[]): TextProperty[] {
  type Node = { type: string; declaration?: Node; expression?: Node; properties?: TextProperty[] }
  let node = (body as Node[]).find(({ type }) => type === 'ExportDefaultDeclaration')?.declaration
  // `satisfies` and `as` stand around it.
  while (node?.expression) node = node.expression
  if (!node?.properties) throw new Error('A catalogue of texts exports something else than an object')
  return node.properties
}

const KEPT_FOR = 7 * 24 * 3600 * 1000

/** Removes files of builds that are older than a week: a page that was opened before an update still finds the rest of its code. */
const swept: Plugin = {
  name: 'bobine:swept',
  apply: 'build',
  writeBundle({ dir }, bundle) {
    const folder = join(dir!, 'assets')
    for (const name of readdirSync(folder)) {
      const file = join(folder, name)
      if (!bundle[`assets/${name}`] && Date.now() - statSync(file).mtimeMs > KEPT_FOR) rmSync(file)
    }
  }
}

/** Builds client/ to dist/client: two pages (the site and the embedded player) that server/pages fills in. */
export default defineConfig(({ command }) => ({
  plugins: [root, lean, texts, compressed, swept],
  base: command === 'build' ? '/client/' : '/',
  // Not import.meta.env.DEV: a build under tests would be taken for development.
  define: { DEVELOPMENT: command === 'serve' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, 'dist/client'),
    emptyOutDir: false,
    manifest: 'manifest.json',
    // All styles together are smaller than a picture, and no page waits for its own.
    cssCodeSplit: false,
    target: ['chrome111', 'edge111', 'firefox114', 'safari16.4'],
    // Scripts and pictures inside the page would need a weaker content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: {
        site: join(client, 'index.html'),
        embed: join(client, 'embed.html'),
        headScript: join(client, 'src/head-script.ts'),
        earlyPlayback: join(client, 'src/early-playback.ts')
      },
      output: {
        codeSplitting: {
          groups: [
            {
              name: 'player',
              test: /client\/src\/(player\/(?!hls|prefetch-loader|early-playback)|videos\/(use-video|player-source|parse-start-time|password-form)|embed\/embed-options)/,
              priority: 1
            },
            // What most pages share comes in one file: on a slow line a request costs more than a few kilobytes.
            {
              name: 'base',
              test: /node_modules\/(@preact|preact)|client\/src\/([a-z-]+\.tsx?$(?<!(main|embed|head-script|early-playback)\.tsx?)|i18n\/(i18n|languages)|ui\/(?!markdown-renderer)|shell\/(?!app|routes|shell)|player\/(prefetch-loader|early-playback)|instance\/config|videos\/(video-card|video-labels)|channels\/(actor-header|crawl-progress)\.|subscriptions\/subscribe-button\.|moderation\/(report-form|report-reasons)\.)/,
              priority: 2
            }
          ]
        }
      }
    }
  },
  server: { proxy: Object.fromEntries(['/api', '/static', '/lazy-static', '/download'].map(path => [path, server])) }
}))
