import { posix } from 'node:path'
import { CLIENT_LAYERS, LAYERS } from './layers.ts'
import { findTableFaults } from './table-owners.ts'

/** The only places where SQL leaves the program; everywhere else it is written with the `sql` tag, which binds its values. */
const SQL_FILES = ['server/core/sql.ts', 'server/core/migrate.ts']
/**
 * The only places that open a connection to another server; everything else asks through them, and so through their guard
 * (docs/federation.md#public-addresses-only).
 */
const NETWORK_FILES = ['server/fediverse/ssrf-guard.ts', 'server/fediverse/http-get.ts', 'server/fediverse/http-post.ts']
const NETWORK = /^(undici|axios|got|node-fetch|ky|superagent|(node:)?(tls|dgram|http2))$/
const FORBIDDEN_NAMES = /^(utils?|helpers?|libs?|commons?|constants?|managers?|services?)$/
const IMPORT =
  /(?:^|[\n;])\s*(?:import\s*|(?:import|export)\b\s*(type\b(?!\s*from))?([\w$\s{},*]*?)\bfrom\s*)['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]\s*\)/g

/** The only place where advisory locks are named. */
const LOCKS_FILE = 'server/core/locks.ts'

/** A tree of sources: path from the project's folder to text. */
export type SourceFiles = Record<string, string>
type Import = { target: string; typeOnly: boolean }

/** Every way in which the sources break ARCHITECTURE.md, one sentence each; tests may import what they like. */
export function findArchitectureViolations(sources: SourceFiles): string[] {
  const files = Object.entries(sources)
    .filter(([path]) => !/\.test\.tsx?$|(^|\/)test\//.test(path))
    .map(([path, text]) => ({ path, code: withoutComments(text) }))
  const graph = new Map(files.map(({ path, code }) => [path, imports(path, code)]))
  return [
    ...Object.keys(sources).flatMap(nameFaults),
    ...files.flatMap(({ path, code }) => textFaults(path, code)),
    ...files.flatMap(({ path, code }) => findTableFaults(path, code)),
    ...[...graph].flatMap(([path, targets]) => targets.flatMap(target => importFaults(path, target))),
    ...circles(graph)
  ]
}

function importFaults(path: string, { target, typeOnly }: Import): string[] {
  const [from, to] = [path.split('/')[0], target.split('/')[0]]
  const local = /\.(ts|tsx|js|mjs|json|css|svg)$/.test(target) && ['server', 'shared', 'client', 'scripts', 'migrations'].includes(to!)
  const fault = (why: string) => [`${path} imports ${target}: ${why}`]
  if (from === 'shared' && to !== 'shared' && target !== 'zod') return fault('shared imports only zod')
  if (from === 'client' && target === 'zod' && !typeOnly) return fault('zod stays out of the browser')
  if (from === 'client' && to === 'shared' && local && !typeOnly) return fault('the client imports only types from shared')
  if (from === 'client' && local && !['client', 'shared'].includes(to!)) return fault('the client imports only client and shared')
  if (from === 'client' && local && to === 'client')
    return layerFault(CLIENT_LAYERS, clientFolder(path), clientFolder(target)).flatMap(fault)
  if (from === 'server' && !typeOnly && NETWORK.test(target) && !NETWORK_FILES.includes(path))
    return fault('other servers are asked through fediverse/remote-fetch')
  if (from !== 'server' || !local) return []
  if (to === 'shared') return []
  if (to !== 'server') return fault('the server imports only server and shared')
  return layerFault(LAYERS, path.split('/')[1]!, target.split('/')[1]!).flatMap(fault)
}

/** What is wrong with an import of one folder by another, if anything. */
function layerFault(layers: string[][], mine: string, other: string): string[] {
  if (mine === other) return []
  const [ownLayer, targetLayer] = [mine, other].map(name => layers.findIndex(line => line.includes(name)))
  if (ownLayer === -1 || targetLayer === -1) return [`${ownLayer === -1 ? mine : other} is in no layer`]
  if (targetLayer! > ownLayer!) return ['imports go down, not up']
  return targetLayer === ownLayer ? ['imports go down, not sideways'] : []
}

/** The layer's name of a file below client/src: its folder, an entry point, or `.`. */
function clientFolder(path: string): string {
  const [, , first, second] = path.split('/')
  return second !== undefined || CLIENT_LAYERS.at(-1)!.includes(first!) ? first! : '.'
}

function textFaults(path: string, code: string): string[] {
  const found: string[] = []
  const configured = path.startsWith('server/core/config') || path.startsWith('scripts/')
  if (
    !configured &&
    /\bprocess\s*(\.\s*env\b|\[\s*['"]env)|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from\s*['"](node:)?process['"]/.test(
      code
    )
  )
    found.push(`${path} reads process.env: only core/config does`)
  if (
    path.startsWith('server/') &&
    !NETWORK_FILES.includes(path) &&
    /(?<![\w.$])fetch\s*\(|\bhttps?\s*\.\s*(get|request)\s*\(|import\s*\{[^}]*\b(get|request|connect|createConnection)\b[^}]*\}\s*from\s*['"](node:)?(https?|net)['"]|\bnew\s+WebSocket\s*\(/.test(
      code
    )
  ) {
    found.push(`${path} asks the network by itself: fediverse/remote-fetch does`)
  }
  if (path.startsWith('server/') && !SQL_FILES.includes(path)) {
    if (path !== LOCKS_FILE && /\bpg_(try_)?advisory_|\bpg_locks\b/.test(code))
      found.push(`${path} uses an advisory lock by itself: core/locks has them all`)
    if (/\bnew\s+Sql\s*\(/.test(code)) found.push(`${path} makes Sql from strings: only the sql tag does`)
    if (/\b(sequelize|client|pool|pg|db|connection|database)\s*(\?\.|\.)\s*query\s*[(<]/i.test(code))
      found.push(`${path} sends a query by itself: core/sql does`)
    if (/(?<!\bz\.)\bliteral\s*\(\s*(?:(?!['"]|`[^`$]*`)|['"][^'"\n]*['"]\s*\+)/.test(code))
      found.push(`${path} builds a literal from values`)
    if (/(?<![\w)\]])`\s*(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|WITH|CREATE|ALTER|DROP|TRUNCATE)\s[^`]*\$\{/.test(code))
      found.push(`${path} writes SQL with values in its text`)
    if (/['"]\s*(SELECT|INSERT\s+INTO|UPDATE|DELETE\s+FROM|DROP|ALTER)\s[^'"\n]*['"]\s*\+/.test(code))
      found.push(`${path} joins SQL from strings`)
  }
  return found
}

function nameFaults(path: string): string[] {
  const bad = path
    .split('/')
    .map(part => part.split('.')[0]!)
    .find(name => FORBIDDEN_NAMES.test(name))
  return bad === undefined || path === 'server/test/services.ts' || path === 'server/test/services.test.ts'
    ? []
    : [`${path}: "${bad}" says nothing about what is inside`]
}

function imports(path: string, code: string): Import[] {
  return [...code.matchAll(IMPORT)].map(([, type, names, from, dynamic]) => {
    const specifier = (from ?? dynamic)!
    const inner = /\{([^}]*)\}/
      .exec(names ?? '')?.[1]
      ?.split(',')
      .map(name => name.trim())
      .filter(Boolean)
    const allTypes = inner !== undefined && inner.length > 0 && /^\s*\{/.test(names!) && inner.every(name => name.startsWith('type '))
    return {
      target: specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier,
      typeOnly: type !== undefined || allTypes
    }
  })
}

function circles(graph: Map<string, Import[]>): string[] {
  const state = new Map<string, 'open' | 'done'>()
  const found: string[] = []
  const visit = (path: string, trail: string[]): void => {
    if (state.get(path) === 'done' || !graph.has(path)) return
    if (state.get(path) === 'open') {
      found.push(`a circle of files: ${[...trail.slice(trail.indexOf(path)), path].join(' -> ')}`)
      return
    }
    state.set(path, 'open')
    for (const { target } of graph.get(path)!) visit(target, [...trail, path])
    state.set(path, 'done')
  }
  for (const path of graph.keys()) visit(path, [])
  return found
}

/** Comments out, strings and templates kept: what a comment says is no code. */
function withoutComments(text: string): string {
  return text.replace(
    /("(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\[^]|[^`\\])*`)|\/\/[^\n]*|\/\*[^]*?\*\//g,
    (_, string: string | undefined) => string ?? ' '
  )
}
