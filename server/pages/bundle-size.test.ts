import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import en from '../../client/src/i18n/en.ts'
import { ADMIN_TEXTS } from '../../vite.config.ts'
import { ensureBuilt } from '../test/ensure-built.ts'
import { clientFolder } from './client-build.ts'

type Chunk = { file: string; imports?: string[]; dynamicImports?: string[]; css?: string[] }
let manifest: Record<string, Chunk>
beforeAll(async () => {
  await ensureBuilt()
  manifest = JSON.parse(readFileSync(join(clientFolder, 'manifest.json'), 'utf8')) as typeof manifest
})

/** The scripts that run before a page of the site is drawn. */
function scripts(...sources: string[]): string[] {
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
  ['watch', 'index.html', 'src/videos/watch.page.tsx', 58_000, 6],
  ['home', 'index.html', 'src/videos/home.page.tsx', 39_000, 5],
  ['embed', 'embed.html', 'embed.html', 53_000, 5]
])('the %s page keeps to its budget of script, gzipped, and asks for few files', (_, frame, source, bytes, count) => {
  for (const language of ['en', 'fr']) {
    const files = scripts(frame, source, `src/i18n/${language}.ts`)
    expect(gzipped(files)).toBeLessThanOrEqual(bytes)
    expect(files.length).toBeLessThanOrEqual(count)
    expect(files.some(file => file.includes('/hls-'))).toBe(false)
  }
})

it('the texts of the administration come with its pages, and no other page needs them', () => {
  const ofAdmin = (key: string) => ADMIN_TEXTS.includes(key.split('.')[0]!)
  const isPage = (key: string) => /^src\/(admin|federation)\/|^src\/moderation\/reports\.page|^src\/i18n\//.test(key)
  const reached = new Set<string>()
  const visit = (key: string) => {
    if (reached.has(key) || isPage(key)) return
    reached.add(key)
    for (const one of [...(manifest[key]!.imports ?? []), ...(manifest[key]!.dynamicImports ?? [])]) visit(one)
  }
  for (const frame of ['index.html', 'embed.html']) visit(frame)
  expect(reached.size).toBeGreaterThan(20)
  const code = (keys: Iterable<string>) => [...keys].map(key => readFileSync(join(clientFolder, manifest[key]!.file), 'utf8')).join('\n')
  const used = (text: string) => Object.keys(en).filter(key => new RegExp(`[\`'"]${key.replace('.', '\\.')}[\`'"]`).test(text))
  expect(used(code(reached)).filter(ofAdmin)).toEqual([])
  expect(used(code(reached)).length).toBeGreaterThan(300)
  for (const language of ['en', 'fr']) {
    const [everybodys, administrators] = [used(code([`src/i18n/${language}.ts`])), used(code([`src/i18n/${language}.ts?admin`]))]
    expect([everybodys.some(ofAdmin), administrators.every(ofAdmin), administrators.length > 200]).toEqual([false, true, true])
    expect([...everybodys, ...administrators].sort()).toEqual(Object.keys(en).sort())
  }
})

it("the player's library comes without the parts that nothing uses", () => {
  const { file } = manifest['src/player/hls.ts']!
  expect(file).toMatch(/\/hls-[^/]+\.js$/)
  expect(gzipped([file])).toBeLessThanOrEqual(140_000)
  const code = readFileSync(join(clientFolder, file), 'utf8')
  const found = (words: string[]) => words.filter(word => code.includes(word))
  expect(found(['com.widevine.alpha', 'CMCD', 'generateRequest', 'application/ttml', 'content-steering'])).toEqual([])
  // Sound of its own, byte ranges and old servers' segments are in use.
  const used = ['audio-stream-controller', 'BYTERANGE', 'video/mp2t']
  expect(found(used)).toEqual(used)
})

it('all styles are one small file', () => {
  const page = readFileSync(join(clientFolder, 'index.html'), 'utf8')
  const styles = [...page.matchAll(/<link rel="stylesheet"[^>]*href="\/client\/([^"]+)"/g)].map(([, file]) => file!)
  expect(styles).toHaveLength(1)
  expect(gzipped(styles)).toBeLessThanOrEqual(16_000)
})
