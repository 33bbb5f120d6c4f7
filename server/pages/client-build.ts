import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '../core/config.ts'

/** The folder of the built client. */
export const clientFolder = join(projectFolder, 'dist/client')

const BUILD_FILES = ['manifest.json', 'index.html', 'embed.html']

type ManifestChunk = { file: string; css?: string[]; imports?: string[] }
type ClientBuild = {
  stamp: string
  buildId: string
  manifest: Record<string, ManifestChunk>
  templates: Record<'site' | 'embed', string>
  inlineScripts: Record<'head-script' | 'early-playback', string>
}
const EMPTY_BUILD: ClientBuild = {
  stamp: '',
  buildId: '',
  manifest: {},
  templates: { site: '', embed: '' },
  inlineScripts: { 'head-script': '', 'early-playback': '' }
}
let cached: ClientBuild | null = null

/** Returns the HTML template that the build wrote; null where the client is not built. */
export function pageTemplate(name: 'site' | 'embed'): string | null {
  return readClientBuild()?.templates[name] ?? null
}

/**
 * Returns a script that is inlined into pages (client/src/head-script.ts, client/src/early-playback.ts); empty where the client is not
 * built.
 */
export function inlineScript(name: keyof ClientBuild['inlineScripts']): string {
  return (readClientBuild() ?? EMPTY_BUILD).inlineScripts[name]
}

/** Returns a hash that identifies the build; null where there is none. */
export function clientBuildId(): string | null {
  return readClientBuild()?.buildId ?? null
}

/** Returns the styles and scripts that source files of the client need, except those that the page template already includes. */
export function findClientAssets(...sources: string[]): { styles: string[]; scripts: string[] } {
  const { manifest, templates } = readClientBuild() ?? EMPTY_BUILD
  const files = new Set<string>()
  const styles = new Set<string>()
  const addChunk = (key: string) => {
    const chunk = manifest[key]
    if (!chunk || files.has(chunk.file)) return
    files.add(chunk.file)
    for (const style of chunk.css ?? []) styles.add(style)
    for (const imported of chunk.imports ?? []) addChunk(imported)
  }
  sources.forEach(addChunk)
  const notInTemplate = (file: string) => !templates.site.includes(file)
  return { styles: [...styles].filter(notInTemplate), scripts: [...files].filter(notInTemplate) }
}

/** Reads the build, again when its files have changed. */
function readClientBuild(): ClientBuild | null {
  const times = BUILD_FILES.map(name => statSync(join(clientFolder, name), { throwIfNoEntry: false })?.mtimeMs)
  if (times.includes(undefined)) return null
  const stamp = times.join()
  if (cached?.stamp === stamp) return cached
  const [manifest, site, embed] = BUILD_FILES.map(name => readFileSync(join(clientFolder, name), 'utf8')) as [string, string, string]
  const name = createHash('sha1').update(manifest).update(site).digest('base64url')
  const chunks = JSON.parse(manifest) as ClientBuild['manifest']
  // Wrapped in a function, so that its names stay local.
  const wrappedScript = (name: string) => `(() => {${readFileSync(join(clientFolder, chunks[`src/${name}.ts`]!.file), 'utf8').trim()}})()`
  return (cached = {
    stamp,
    buildId: name,
    manifest: chunks,
    templates: { site, embed },
    inlineScripts: { 'head-script': wrappedScript('head-script'), 'early-playback': wrappedScript('early-playback') }
  })
}
