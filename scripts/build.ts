import { createHash } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build as bundle, type BuildOptions } from 'esbuild'
import { acquireLockFile } from './launch/lock.ts'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const dist = join(root, 'dist')

/** A part of the program that is built on its own, when one of its sources has changed. */
interface Part {
  name: string
  output: string
  sources: string[]
  build: () => Promise<unknown>
}

const EVERYWHERE = ['package-lock.json', 'tsconfig.json', 'scripts/build.ts']
const PARTS: Part[] = [
  {
    name: 'launcher',
    output: 'launch.js',
    sources: ['scripts/launch', 'server/core'],
    build: () => compile('scripts/launch/main.ts', 'launch.js')
  },
  { name: 'server', output: 'server/main.js', sources: ['server', 'shared'], build: buildServer },
  { name: 'client', output: 'client/index.html', sources: ['client', 'shared', 'vite.config.ts'], build: buildClient }
]

// Finding, reading and compiling hundreds of small files is half of the time a start takes, so the libraries go into the bundle;
// what has a binary, finds files beside itself or is read only now and then stays outside. The dialects of other databases are never asked
// for.
const OUTSIDE = [
  'sharp',
  'undici',
  'bcrypt',
  'fluent-ffmpeg',
  'umzug',
  'multer',
  '@uploadx/core',
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
const COMMONJS = [
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

/** Builds what is stale into dist/, one build at a time; dist/.built is as old as the sources that were read. */
async function main(): Promise<void> {
  const began = new Date()
  mkdirSync(dist, { recursive: true })
  const release = await lock()
  try {
    await Promise.all(PARTS.map(buildWhenStale))
    writeFileSync(join(dist, '.built'), '')
    utimesSync(join(dist, '.built'), began, began)
  } finally {
    release()
  }
}

async function buildWhenStale({ name, output, sources, build }: Part): Promise<void> {
  const stamp = join(dist, `.${name}`)
  const state = fingerprint([...sources, ...EVERYWHERE])
  if (existsSync(join(dist, output)) && existsSync(stamp) && readFileSync(stamp, 'utf8') === state) return
  console.log(`Building the ${name}`)
  rmSync(stamp, { force: true })
  await build()
  writeFileSync(stamp, state)
}

async function buildServer(): Promise<void> {
  const began = Date.now()
  // Split, so that what a server needs only now and then is read only then.
  await compile('server/main.ts', 'server/main.js', {
    outfile: undefined,
    outdir: join(dist, 'server'),
    splitting: true,
    chunkNames: '[name]-[hash]',
    packages: undefined,
    external: OUTSIDE,
    mainFields: ['module', 'main'],
    // Names stay: Sequelize knows models by theirs.
    minifyWhitespace: true,
    minifySyntax: true,
    sourcemap: 'linked',
    sourcesContent: false,
    banner: { js: COMMONJS },
    // Dates are UTC everywhere: the table of the world's time zones would be read for nothing.
    alias: { 'moment-timezone': join(root, 'node_modules/moment-timezone/moment-timezone.js') }
  })
  copyFileSync(join(root, 'server/media/ffmpeg-guard.sh'), join(dist, 'server/ffmpeg-guard.sh'))
  // A server that runs from the last build still reads parts of it; those of older builds go.
  for (const name of readdirSync(join(dist, 'server'))) {
    if (statSync(join(dist, 'server', name)).mtimeMs < began - 86_400_000) rmSync(join(dist, 'server', name))
  }
}

async function buildClient(): Promise<void> {
  const { build } = await import('vite')
  await build({ configFile: join(root, 'vite.config.ts'), logLevel: 'warn' })
}

function compile(entry: string, output: string, more: BuildOptions = {}): Promise<unknown> {
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
    ...more
  }
  return bundle(options)
}

function fingerprint(sources: string[]): string {
  const hash = createHash('sha256')
  for (const file of sources.flatMap(files).filter(isSource).sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(root, file)))
      .update('\0')
  return hash.digest('hex')
}

/** The files at or below a path of the project, as paths of the project. */
function files(path: string): string[] {
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

async function lock(): Promise<() => void> {
  for (;;) {
    const lock = acquireLockFile(join(dist, '.lock'))
    if (typeof lock === 'function') return lock
    await sleep(100)
  }
}
