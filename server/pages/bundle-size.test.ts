import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import en from '../../client/src/i18n/en.ts'
import { TEXT_GROUPS } from '../../vite.config.ts'
import { ensureBuilt } from '../test/ensure-built.ts'
import { clientFolder } from './client-build.ts'

type Chunk = { file: string; imports?: string[]; dynamicImports?: string[]; css?: string[] }
let manifest: Record<string, Chunk>
beforeAll(async () => {
  await ensureBuilt()
  manifest = JSON.parse(readFileSync(join(clientFolder, 'manifest.json'), 'utf8')) as typeof manifest
})

/** The scripts that run before a page is drawn. */
function initialScripts(...sources: string[]): string[] {
  const files = new Set<string>()
  const visit = (key: string) => {
    const { file, imports = [] } = manifest[key]!
    if (files.has(file)) return
    files.add(file)
    imports.forEach(visit)
  }
  sources.forEach(visit)
  return [...files]
}

const gzipped = (files: string[]) => files.reduce((sum, file) => sum + statSync(join(clientFolder, `${file}.gz`)).size, 0)

it.each([
  ['watch', 'index.html', 'src/watch/watch.page.tsx', 59_900, 6],
  ['home', 'index.html', 'src/videos/home.page.tsx', 39_000, 5],
  ['embed', 'embed.html', 'embed.html', 53_000, 5]
])('the scripts of the %s page keep to their limits in gzipped bytes and number of files', (_, entry, source, bytes, count) => {
  for (const language of ['en', 'fr']) {
    const files = initialScripts(entry, source, `src/i18n/${language}.ts`)
    expect(gzipped(files)).toBeLessThanOrEqual(bytes)
    expect(files.length).toBeLessThanOrEqual(count)
    expect(files.some(file => file.includes('/hls-'))).toBe(false)
  }
})

it.each([
  ['admin', /^src\/(admin|federation)\/|^src\/(moderation\/(reports|comments)\.page|videos\/video-files)|^src\/i18n\//, 200],
  ['creator', /^src\/(upload\/|videos\/my-videos\.page|accounts\/settings\.page|i18n\/)/, 40]
] as const)('the texts of the group %s are loaded with its pages only', (group, pages, count) => {
  const isOfGroup = (key: string) => TEXT_GROUPS[group].includes(key.split('.')[0]!)
  const reached = new Set<string>()
  const visit = (key: string) => {
    if (reached.has(key) || pages.test(key)) return
    reached.add(key)
    for (const imported of [...(manifest[key]!.imports ?? []), ...(manifest[key]!.dynamicImports ?? [])]) visit(imported)
  }
  for (const entry of ['index.html', 'embed.html']) visit(entry)
  expect(reached.size).toBeGreaterThan(20)
  const readScripts = (keys: Iterable<string>) =>
    [...keys].map(key => readFileSync(join(clientFolder, manifest[key]!.file), 'utf8')).join('\n')
  const textKeysIn = (text: string) => Object.keys(en).filter(key => new RegExp(`[\`'"]${key.replace('.', '\\.')}[\`'"]`).test(text))
  expect(textKeysIn(readScripts(reached)).filter(isOfGroup)).toEqual([])
  expect(textKeysIn(readScripts(reached)).length).toBeGreaterThan(300)
  for (const language of ['en', 'fr']) {
    const [siteTexts, groupTexts] = [
      textKeysIn(readScripts([`src/i18n/${language}.ts`])),
      textKeysIn(readScripts([`src/i18n/${language}.ts?${group}`]))
    ]
    expect([siteTexts.some(isOfGroup), groupTexts.every(isOfGroup), groupTexts.length > count]).toEqual([false, true, true])
  }
})

it('every text is in one chunk of its language', () => {
  for (const language of ['en', 'fr']) {
    const chunks = ['', '?admin', '?creator'].map(group =>
      readFileSync(join(clientFolder, manifest[`src/i18n/${language}.ts${group}`]!.file), 'utf8')
    )
    const occurrences = Object.keys(en).filter(
      key => chunks.filter(text => new RegExp(`[\`'"]${key.replace('.', '\\.')}[\`'"]`).test(text)).length !== 1
    )
    expect(occurrences).toEqual([])
  }
})

it('hls.js is bundled without the features that are not used', () => {
  const { file } = manifest['src/player/hls.ts']!
  expect(file).toMatch(/\/hls-[^/]+\.js$/)
  expect(gzipped([file])).toBeLessThanOrEqual(140_000)
  const code = readFileSync(join(clientFolder, file), 'utf8')
  const containedIn = (words: string[]) => words.filter(word => code.includes(word))
  expect(containedIn(['com.widevine.alpha', 'CMCD', 'generateRequest', 'application/ttml', 'content-steering'])).toEqual([])
  // Separate audio tracks, byte ranges and MPEG-TS segments of older servers are in use.
  const used = ['audio-stream-controller', 'BYTERANGE', 'video/mp2t']
  expect(containedIn(used)).toEqual(used)
})

it('all styles are in one small file', () => {
  const page = readFileSync(join(clientFolder, 'index.html'), 'utf8')
  const styles = [...page.matchAll(/<link rel="stylesheet"[^>]*href="\/client\/([^"]+)"/g)].map(([, file]) => file!)
  expect(styles).toHaveLength(1)
  expect(gzipped(styles)).toBeLessThanOrEqual(16_000)
})
