import { spawn, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { build as bundle } from 'esbuild'
import { Client } from 'pg'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { projectFolder as root } from '../server/core/config.ts'
import { composeFile } from './compose.ts'
import { SERVER_NODE_FLAGS } from './launch/server-process.ts'
import { findFreePort } from './launch/launcher-run.ts'

const { web } = composeFile.services
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface Step {
  word: string
  rest: string
}
interface Stage {
  image: string
  name: string | undefined
  steps: Step[]
}

const stages = readStages(read('Dockerfile'))
const ignored = read('.dockerignore').trim().split('\n')

function readStages(text: string): Stage[] {
  const found: Stage[] = []
  for (const line of text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter(Boolean)) {
    const [, word, rest] = /^([A-Z]+)\s+(.+)$/.exec(line)!
    const from = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(rest!)
    if (word === 'FROM') found.push({ image: from![1]!, name: from![2], steps: [] })
    else found.at(-1)!.steps.push({ word: word!, rest: rest! })
  }
  return found
}

/** The COPY steps of a stage: where from (another stage or the project), what, and to which folder or name. */
function copies(stage: Stage): { from?: string; sources: string[]; target: string }[] {
  return stage.steps
    .filter(({ word }) => word === 'COPY')
    .map(({ rest }) => {
      const words = rest.split(/\s+/)
      const from = words[0]!.startsWith('--from=') ? words.shift()!.slice('--from='.length) : undefined
      return { from, sources: words.slice(0, -1), target: words.at(-1)! }
    })
}

test('the stages use known words, a Node that is new enough, and copy what exists', () => {
  const engine = /(\d+)/.exec((JSON.parse(read('package.json')) as { engines: { node: string } }).engines.node)![1]
  expect(stages).toHaveLength(2)
  for (const stage of stages) {
    expect(Number(/^node:(\d+)-/.exec(stage.image)![1])).toBeGreaterThanOrEqual(Number(engine))
    for (const { word } of stage.steps) expect(['WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'VOLUME', 'EXPOSE', 'CMD']).toContain(word)
    for (const { from, sources } of copies(stage)) {
      if (from !== undefined) expect(stages.map(({ name }) => name)).toContain(from)
      else for (const source of sources) expect(existsSync(join(root, source)) && !ignored.includes(source), source).toBe(true)
    }
  }
  const words = (word: string) => stages[1]!.steps.filter(step => step.word === word).map(({ rest }) => rest)
  expect(words('USER')).toEqual(['node'])
  expect(words('ENV')).toContain(`NODE_OPTIONS=${SERVER_NODE_FLAGS.join(' ')}`)
})

test('the image that runs has every package that the program imports', async () => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> }
  const folder = join(image, 'dist/server')
  const entryPoints = readdirSync(folder)
    .filter(file => file.endsWith('.js'))
    .map(file => join(folder, file))
  const { metafile } = await bundle({
    entryPoints,
    outdir: folder,
    bundle: true,
    write: false,
    metafile: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
    logLevel: 'error'
  })
  // What libraries try to require beside (pg-native, …) they can do without.
  const asked = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, kind }) => external && kind !== 'require-call')
    .map(({ path }) => path)
  const packages = new Set(
    asked
      .filter(name => !isBuiltin(name))
      .map(name =>
        name
          .split('/')
          .slice(0, name.startsWith('@') ? 2 : 1)
          .join('/')
      )
  )
  expect([...packages]).toContain('sharp')
  expect([...packages].filter(name => !(name in dependencies))).toEqual([])
})

// There is no engine here to build with: the steps are done by hand in two folders, with the packages that are installed.
let folder: string
let image: string
const name = 'test_docker'

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bobine-docker-'))
  const build = lay(stages[0]!, join(folder, 'build'), {})
  symlinkSync(join(root, 'node_modules'), join(build, 'node_modules'))
  const compile = stages[0]!.steps
    .find(({ word, rest }) => word === 'RUN' && rest.includes('build.ts'))!
    .rest.split('&&')[0]!
    .trim()
    .split(' ')
  const built = spawnSync(compile[0]!, compile.slice(1), { cwd: build, encoding: 'utf8' })
  expect(built.status, built.stderr).toBe(0)
  image = lay(stages[1]!, join(folder, 'image'), { build })
  await onCluster('CREATE DATABASE test_docker')
}, 120_000)

afterAll(async () => {
  await onCluster('DROP DATABASE IF EXISTS test_docker WITH (FORCE)')
  rmSync(folder, { recursive: true, force: true })
})

async function onCluster(statement: string): Promise<void> {
  const { host, port, username } = inject('postgres')
  const client = new Client({ host, port, user: username, database: 'postgres' })
  await client.connect()
  await client.query(statement).finally(() => client.end())
}

function lay(stage: Stage, target: string, built: Record<string, string>): string {
  mkdirSync(target)
  for (const copy of copies(stage)) {
    for (const source of copy.sources) {
      const to = copy.target === './' ? join(target, basename(source)) : join(target, copy.target)
      const from = copy.from === undefined ? join(root, source) : join(built[copy.from]!, source.replace(/^\/app\//, ''))
      if (source.endsWith('node_modules')) symlinkSync(join(root, 'node_modules'), to)
      else cpSync(from, to, { recursive: true })
    }
  }
  return target
}

test('the stages laid out by hand make a server that starts as Compose starts it and passes its health check', async () => {
  const port = await findFreePort()
  const { host, port: databasePort, username } = inject('postgres')
  const config = {
    ...JSON.parse(web!.environment!.BOBINE_CONFIG!),
    listen: { hostname: '127.0.0.1', port },
    storage: { root: join(folder, 'data') },
    redis: { socket: inject('redis').socket, prefix: name }
  }
  const environment = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH}`,
    BOBINE_CONFIG: JSON.stringify(config),
    DATABASE_URL: `postgres://${username}@localhost:${databasePort}/${name}?host=${encodeURIComponent(host)}`
  }
  const server = spawn(web!.command![0]!, web!.command!.slice(1), { cwd: image, env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', data => (output += String(data)))
  const ended = new Promise(resolve => server.once('exit', resolve))
  try {
    const [, program, ...parameters] = web!.healthcheck!.test.map(word => word.replace(':9000', `:${port}`))
    const healthy = () => spawnSync(program!, parameters).status === 0
    expect(healthy()).toBe(false)
    await expect.poll(() => (server.exitCode === null ? healthy() : output), { timeout: 30_000, interval: 200 }).toBe(true)
    server.kill('SIGTERM')
    expect(await ended).toBe(0)
  } finally {
    server.kill('SIGKILL')
    await ended
  }
})
