import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build as bundle, type BuildOptions } from 'esbuild'
import { acquireLockFile } from './launch/lock.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')

/** A part of the program that is built separately, whenever one of its sources has changed. */
interface BuildTarget {
  name: string
  output: string
  sources: string[]
  build: () => Promise<unknown>
}

const COMMON_SOURCES = ['package-lock.json', 'tsconfig.json', 'scripts/build.ts']
const TARGETS: BuildTarget[] = [
  {
    name: 'launcher',
    output: 'launch.js',
    sources: ['scripts/launch', 'server/core'],
    build: () => compile('scripts/launch/main.ts', 'launch.js')
  },
  { name: 'server', output: 'server/main.js', sources: ['server', 'shared'], build: buildServer },
  { name: 'client', output: 'client/index.html', sources: ['client', 'shared', 'vite.config.ts'], build: buildClient }
]

// Finding, reading and compiling hundreds of small files takes half of the start time, so libraries are bundled. Packages with binaries,
// packages that read files beside themselves, rarely used packages and Sequelize's other dialects (never used) stay external.
const EXTERNAL_PACKAGES = [
  'sharp',
  'undici',
  'bcrypt',
  'fluent-ffmpeg',
  'umzug',
  'multer',
  'zod-openapi',
  'sanitize-html',
  'markdown-it',
  '@node-oauth/oauth2-server',
  'jsonld',
  'pg-native',
  'pg-hstore',
  'mysql2',
  'mariadb',
  'tedious',
  'sqlite3',
  'oracledb',
  'ibm_db',
  'snowflake-sdk',
  'odbc',
  './node_modules/iconv-lite/encodings/tables/*',
  ...['db2', 'mariadb', 'mssql', 'mysql', 'oracle', 'snowflake', 'sqlite'].map(
    dialect => `./node_modules/sequelize/lib/dialects/${dialect}/index.js`
  )
]
const COMMONJS_BANNER = [
  "import { createRequire as $makeRequire } from 'node:module'",
  "import { dirname as $folderOf } from 'node:path'",
  "import { fileURLToPath as $pathOf } from 'node:url'",
  'const require = $makeRequire(import.meta.url)',
  'const __filename = $pathOf(import.meta.url)',
  'const __dirname = $folderOf(__filename)'
].join(';')

await main().catch(error => {
  console.error((error as Error).message)
  process.exit(1)
})

/** Builds outdated targets into dist/, one build at a time; the modification time of dist/.built is the time at which the build started. */
async function main(): Promise<void> {
  const startedAt = new Date()
  mkdirSync(dist, { recursive: true })
  const release = await acquireBuildLock()
  try {
    await Promise.all(TARGETS.map(buildWhenStale))
    writeFileSync(join(dist, '.built'), '')
    utimesSync(join(dist, '.built'), startedAt, startedAt)
  } finally {
    release()
  }
}

async function buildWhenStale({ name, output, sources, build }: BuildTarget): Promise<void> {
  const stampFile = join(dist, `.${name}`)
  const hash = fingerprint([...sources, ...COMMON_SOURCES])
  if (existsSync(join(dist, output)) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) return
  console.log(`Building the ${name}`)
  rmSync(stampFile, { force: true })
  await build()
  writeFileSync(stampFile, hash)
}

async function buildServer(): Promise<void> {
  const startedAt = Date.now()
  // Code splitting, so that rarely used code is loaded only when it is used.
  await compile('server/main.ts', 'server/main.js', {
    outfile: undefined,
    outdir: join(dist, 'server'),
    splitting: true,
    chunkNames: '[name]-[hash]',
    packages: undefined,
    external: EXTERNAL_PACKAGES,
    mainFields: ['module', 'main'],
    // Identifiers are not minified: Sequelize knows models by their class names.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    banner: { js: COMMONJS_BANNER },
    // Without the time zone data, as all dates are UTC.
    alias: { 'moment-timezone': join(root, 'node_modules/moment-timezone/moment-timezone.js') }
  })
  copyFileSync(join(root, 'server/media/ffmpeg-guard.sh'), join(dist, 'server/ffmpeg-guard.sh'))
  // A running server may still load chunks of the previous build; chunks older than a day are removed.
  for (const name of readdirSync(join(dist, 'server'))) {
    if (statSync(join(dist, 'server', name)).mtimeMs < startedAt - 86_400_000) rmSync(join(dist, 'server', name))
  }
}

async function buildClient(): Promise<void> {
  const { build } = await import('vite')
  await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'warn' })
}

function compile(entry: string, output: string, overrides: BuildOptions = {}): Promise<unknown> {
  const options: BuildOptions = {
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(dist, output),
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: true,
    logLevel: 'error',
    ...overrides
  }
  return bundle(options)
}

function fingerprint(sources: string[]): string {
  const hash = createHash('sha256')
  for (const file of sources.flatMap(listFiles).filter(isSource).sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

/** The files at or below a path; all paths are relative to the project. */
function listFiles(path: string): string[] {
  const full = join(root, path)
  const stats = statSync(full, { throwIfNoEntry: false })
  if (!stats) return []
  if (!stats.isDirectory()) return [path]
  return readdirSync(full, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
}

function isSource(file: string): boolean {
  return !/\.test\.tsx?$|(^|\/)test\//.test(file)
}

async function acquireBuildLock(): Promise<() => void> {
  for (;;) {
    const acquireBuildLock = acquireLockFile(join(dist, '.lock'))
    if (typeof acquireBuildLock === 'function') return acquireBuildLock
    await sleep(100)
  }
}
