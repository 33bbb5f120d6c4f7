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
      await Promise.all(Object.entries(bundle).filter(([fileName]) => /\.(js|css)$/.test(fileName)).map(async ([fileName, file]) => {
        const bytes = Buffer.from(file.type === 'chunk' ? file.code : file.source)
        const [br, gz] = await Promise.all([compress.br(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }), compress.gz(bytes, { level: 9 })])
        this.emitFile({ type: 'asset', fileName: `${fileName}.br`, source: br })
        this.emitFile({ type: 'asset', fileName: `${fileName}.gz`, source: gz })
      }))
    }
  }
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
  plugins: [root, compressed, swept],
  base: command === 'build' ? '/client/' : '/',
  // Not import.meta.env.DEV: a build under tests would be taken for development.
  define: { DEVELOPMENT: command === 'serve' },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, 'dist/client'),
    emptyOutDir: false,
    manifest: 'manifest.json',
    target: ['chrome111', 'edge111', 'firefox114', 'safari16.4'],
    // Scripts and pictures inside the page would need a weaker content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      checks: { pluginTimings: false },
      input: { site: join(client, 'index.html'), embed: join(client, 'embed.html') },
      output: {
        codeSplitting: {
          groups: [
            { name: 'player', test: /client\/src\/(player\/|videos\/(use-video|source-of|start-of))/, priority: 1 },
            { name: 'base', test: /node_modules\/(@preact|preact)|client\/src\/(i18n\/(i18n|languages)|ui\/(?!markdown-renderer)|api|credentials|first-data|storage|session|use-answer|shell\/(preferences|scroll|title)|instance\/config)/, priority: 2 }
          ]
        }
      }
    }
  },
  server: { proxy: Object.fromEntries(['/api', '/static', '/lazy-static', '/download'].map(path => [path, server])) }
}))
