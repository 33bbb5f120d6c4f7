import { join } from 'node:path'
import { defineConfig, type Plugin } from 'vite'

const client = join(import.meta.dirname, 'client')
const server = 'http://127.0.0.1:9000'

/** The client's folder is Vite's root, whoever starts the build and from wherever. */
const root: Plugin = { name: 'bobine:root', config: () => ({ root: client }) }

/** Builds client/ to dist/client: two pages (the site and the embedded player) that server/pages fills in. */
export default defineConfig({
  plugins: [root],
  base: '/client/',
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: join(import.meta.dirname, 'dist/client'),
    emptyOutDir: true,
    manifest: 'manifest.json',
    target: ['chrome111', 'edge111', 'firefox114', 'safari16.4'],
    // Scripts and pictures inside the page would need a weaker content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { site: join(client, 'index.html'), embed: join(client, 'embed.html') } }
  },
  server: { proxy: Object.fromEntries(['/api', '/static', '/lazy-static', '/download'].map(path => [path, server])) }
})
