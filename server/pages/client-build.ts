import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '../core/config.ts'

/** Where the built client lies. */
export const clientFolder = join(projectFolder, 'dist/client')

const FILES = ['manifest.json', 'index.html', 'embed.html']

type Chunk = { file: string; css?: string[]; imports?: string[] }
type Built = {
  stamp: string
  name: string
  manifest: Record<string, Chunk>
  templates: Record<'site' | 'embed', string>
  inside: Record<'head-script' | 'early-playback', string>
}
const NOTHING: Built = {
  stamp: '',
  name: '',
  manifest: {},
  templates: { site: '', embed: '' },
  inside: { 'head-script': '', 'early-playback': '' }
}
let known: Built | null = null

/** The frame of a page as the build wrote it; null where the client has not been built. */
export function pageTemplate(name: 'site' | 'embed'): string | null {
  return built()?.templates[name] ?? null
}

/**
 * A script that stands inside pages (client/src/head-script.ts, client/src/early-playback.ts); empty where the client has not been built.
 */
export function inlineScript(name: keyof Built['inside']): string {
  return (built() ?? NOTHING).inside[name]
}

/** Names the build; null where there is none. */
export function clientBuildId(): string | null {
  return built()?.name ?? null
}

/** The styles and scripts that a source file of the client needs, besides those of the frame's own. */
export function findClientAssets(...sources: string[]): { styles: string[]; scripts: string[] } {
  const { manifest, templates } = built() ?? NOTHING
  const files = new Set<string>()
  const styles = new Set<string>()
  const visit = (key: string) => {
    const chunk = manifest[key]
    if (!chunk || files.has(chunk.file)) return
    files.add(chunk.file)
    for (const style of chunk.css ?? []) styles.add(style)
    for (const one of chunk.imports ?? []) visit(one)
  }
  sources.forEach(visit)
  const missing = (file: string) => !templates.site.includes(file)
  return { styles: [...styles].filter(missing), scripts: [...files].filter(missing) }
}

/** Reads what the build wrote, again when it has built anew. */
function built(): Built | null {
  const times = FILES.map(name => statSync(join(clientFolder, name), { throwIfNoEntry: false })?.mtimeMs)
  if (times.includes(undefined)) return null
  const stamp = times.join()
  if (known?.stamp === stamp) return known
  const [manifest, site, embed] = FILES.map(name => readFileSync(join(clientFolder, name), 'utf8')) as [string, string, string]
  const name = createHash('sha1').update(manifest).update(site).digest('base64url')
  const chunks = JSON.parse(manifest) as Built['manifest']
  // In a function: its names are nobody else's.
  const inside = (name: string) => `(() => {${readFileSync(join(clientFolder, chunks[`src/${name}.ts`]!.file), 'utf8').trim()}})()`
  return (known = {
    stamp,
    name,
    manifest: chunks,
    templates: { site, embed },
    inside: { 'head-script': inside('head-script'), 'early-playback': inside('early-playback') }
  })
}
