import { posix } from 'node:path'

/** The layers of server/, lowest first; folders of one layer may not import each other. */
export const LAYERS = [
  ['core'],
  ['storage'],
  ['media'],
  ['fediverse', 'mail'],
  ['actors'],
  ['channels'],
  ['accounts'],
  ['instance', 'notifications', 'groups'],
  ['videos'],
  ['transcoding'],
  ['uploads'],
  ['comments', 'playlists', 'reactions', 'views', 'captions', 'library', 'live', 'search', 'feeds', 'imports', 'studio', 'p2p', 'stats'],
  ['pages', 'moderation', 'redundancy', 'exports'],
  ['app'],
  ['main.ts']
]

/**
 * The layers of client/src, lowest first; `.` are the files directly in it, but for the entry points, which stand on everything. Folders of
 * one layer may not import each other.
 */
export const CLIENT_LAYERS = [
  ['.', 'i18n'],
  ['ui'],
  ['instance'],
  ['page'],
  ['player'],
  ['actors', 'reactions', 'reports'],
  ['videos'],
  ['about', 'accounts', 'captions', 'channels', 'comments', 'library', 'live', 'playlists', 'search', 'subscriptions', 'upload'],
  ['watch', 'admin', 'notifications', 'studio'],
  ['embed', 'federation', 'moderation', 'design'],
  ['app'],
  ['main.tsx', 'embed.tsx']
]

/** The folder that owns each table: its rules are there, and only folders of its layer or above may read or write it. */
export const TABLE_OWNERS: Record<string, string[]> = {
  core: ['changes', 'custom_config', 'instances', 'rate_limit_refusals', 'uptime'],
  fediverse: [
    ...['deliveries', 'incoming', 'ineffective_activities', 'object_refreshes', 'outgoing', 'peers', 'processed_activities'],
    'tombstones'
  ],
  actors: [
    ...['accounts', 'actor_images', 'actors', 'blocked_accounts', 'blocked_hosts', 'channels', 'follows', 'retired_keys', 'retired_names'],
    'wanted_follows'
  ],
  accounts: ['oauth_tokens', 'users'],
  videos: [
    ...['additional_captions', 'quote_authorizations', 'remote_files', 'remote_playlists', 'storyboards', 'streaming_playlists'],
    ...['thumbnails', 'torrents', 'video_captions', 'video_chapters', 'video_files', 'video_passwords', 'video_shares', 'video_sources'],
    'videos'
  ],
  transcoding: ['encoding_chunks', 'encoding_splits', 'transcodings'],
  uploads: ['upload_reservations', 'uploads'],
  comments: ['comment_attachments', 'comment_removals', 'comments'],
  playlists: ['playlist_elements', 'playlists'],
  reactions: ['reactions'],
  views: ['view_hosts', 'view_marks', 'watches'],
  moderation: ['abuse_messages', 'abuses'],
  redundancy: ['redundancies']
}

/** Which tables of folders above or beside it a file reads all the same, and why. */
export const UPWARD_TABLE_READS: Record<string, { tables: string[]; reason: string }> = {
  'server/accounts/quota.ts': {
    tables: ['streaming_playlists', 'video_files', 'video_sources', 'videos'],
    reason: 'a quota is the sum of the files of a user'
  },
  'server/accounts/users.query.ts': {
    tables: ['abuses', 'comments', 'playlists', 'videos'],
    reason: 'administrators see what a user has, counted in the statement that lists the users'
  },
  'server/channels/channels.query.ts': { tables: ['videos'], reason: 'channels are listed with the number of their videos' },
  'server/channels/channels.ts': { tables: ['users'], reason: 'who owns a channel' },
  'server/channels/subscriptions.routes.ts': { tables: ['videos'], reason: 'subscriptions are sorted by the newest video' },
  'server/comments/crawl-commenters.ts': { tables: ['reactions'], reason: 'which of the reactions of a commenter are known' },
  'server/fediverse/confirm-at-origin.ts': { tables: ['actors', 'follows'], reason: 'hosts that somebody here follows are asked first' },
  'server/instance/health.query.ts': {
    tables: ['streaming_playlists', 'transcodings', 'uploads', 'video_files', 'video_sources', 'videos'],
    reason: 'the state of everything, on one page'
  },
  'server/instance/statistics.query.ts': {
    tables: ['abuses', 'playlists', 'streaming_playlists', 'video_files', 'video_sources', 'videos'],
    reason: 'NodeInfo and the statistics count everything'
  },
  'server/videos/make-torrents.job.ts': { tables: ['transcodings'], reason: 'files that are being encoded have no torrent yet' },
  'server/videos/media-origins.ts': { tables: ['redundancies'], reason: 'copies on other hosts are played, too' },
  'server/videos/quote-request.inbox.ts': { tables: ['comments'], reason: 'a quote is authorized while its comment is there' },
  'server/videos/remote-video.shape.ts': { tables: ['redundancies'], reason: 'copies on other hosts are part of a video for clients' },
  'server/videos/rename-files.job.ts': { tables: ['transcodings'], reason: 'files that are being encoded are renamed when that has ended' },
  'server/videos/rename-video-files.ts': {
    tables: ['transcodings'],
    reason: 'files that are being encoded are renamed when that has ended'
  },
  'server/videos/sweep-orphan-files.job.ts': { tables: ['transcodings'], reason: 'files that are being encoded have no row yet' },
  'server/videos/uploaded-file.ts': { tables: ['transcodings'], reason: 'an uploaded file stays until its video is encoded' },
  'server/videos/video.outbox.ts': { tables: ['redundancies'], reason: 'who holds a copy is told that it ends' }
}

/** Which tables of folders above it a file writes, and why. */
export const UPWARD_TABLE_WRITES: Record<string, { tables: string[]; reason: string }> = {
  'server/actors/resolve-actor.ts': { tables: ['videos'], reason: 'the videos of a remote actor go with it, in one statement' },
  'server/channels/channels.ts': {
    tables: ['videos'],
    reason: 'the videos of a channel go with it; its support text is written into them'
  },
  'server/videos/video.outbox.ts': { tables: ['redundancies'], reason: 'copies on other hosts end in the transaction that hides a video' }
}

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
    ...files.flatMap(({ path, code }) => tableFaults(path, code)),
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
  // Texts and what a request needs know each other.
  return targetLayer === ownLayer && targetLayer !== 0 ? ['imports go down, not sideways'] : []
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

const OWNER_OF_TABLE = new Map(Object.entries(TABLE_OWNERS).flatMap(([folder, tables]) => tables.map(table => [table, folder] as const)))

/** The tables that SQL in a source reads or writes; names of common table expressions are among them. */
export function findTables(code: string): { reads: Set<string>; writes: Set<string> } {
  const written = /\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?"?([a-z_]+)"?/g
  // `FROM a x, b AS y`: each item of the list begins with a table.
  const read = /(?<!DELETE\s+)\b(?:FROM|JOIN|USING)\s+((?:[a-z_"]+(?:\s+(?:AS\s+)?[a-z_"]+)?\s*,\s*)*[a-z_"]+)/g
  return {
    writes: new Set([...code.matchAll(written)].map(([, table]) => table!)),
    reads: new Set([...code.matchAll(read)].flatMap(([, list]) => list!.split(',').map(item => /[a-z_]+/.exec(item)?.[0] ?? '')))
  }
}

function tableFaults(path: string, code: string): string[] {
  const [top, folder] = path.split('/')
  const layerOf = (name: string) => LAYERS.findIndex(line => line.includes(name))
  if (top !== 'server' || layerOf(folder!) === -1) return []
  const isAbove = (table: string) => {
    const owner = OWNER_OF_TABLE.get(table)
    return owner !== undefined && owner !== folder && layerOf(owner) >= layerOf(folder!)
  }
  const { reads, writes } = findTables(code)
  const faults = (verb: string, tables: Set<string>, allowed: string[] = []) => [
    ...[...tables]
      .filter(table => isAbove(table) && !allowed.includes(table))
      .map(table => `${path} ${verb} the table ${table} of ${OWNER_OF_TABLE.get(table)}, which is not below it`),
    ...allowed.filter(table => !tables.has(table)).map(table => `${path} no longer ${verb} the table ${table}: take it off the list`)
  ]
  return [...faults('reads', reads, UPWARD_TABLE_READS[path]?.tables), ...faults('writes', writes, UPWARD_TABLE_WRITES[path]?.tables)]
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
