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
import { findFreePort } from './launch/free-port.ts'

const { web } = composeFile.services
const read = (path: string) => readFileSync(join(root, path), 'utf8')

interface DockerInstruction {
  keyword: string
  args: string
}
interface BuildStage {
  image: string
  name: string | undefined
  instructions: DockerInstruction[]
}

const stages = parseDockerfile(read('Dockerfile'))
const dockerignored = read('.dockerignore').trim().split('\n')

function parseDockerfile(text: string): BuildStage[] {
  const parsed: BuildStage[] = []
  for (const line of text
    .replace(/^#.*\n/gm, '')
    .replace(/\\\n/g, ' ')
    .split('\n')
    .filter(Boolean)) {
    const [, keyword, args] = /^([A-Z]+)\s+(.+)$/.exec(line)!
    const from = /^(\S+)(?:\s+AS\s+(\S+))?$/.exec(args!)
    if (keyword === 'FROM') parsed.push({ image: from![1]!, name: from![2], instructions: [] })
    else parsed.at(-1)!.instructions.push({ keyword: keyword!, args: args! })
  }
  return parsed
}

/** The COPY instructions of a stage: source stage (none for the project), source paths, and target. */
function copyInstructions(stage: BuildStage): { from?: string; sources: string[]; target: string }[] {
  return stage.instructions
    .filter(({ keyword }) => keyword === 'COPY')
    .map(({ args }) => {
      const words = args.split(/\s+/)
      const from = words[0]!.startsWith('--from=') ? words.shift()!.slice('--from='.length) : undefined
      return { from, sources: words.slice(0, -1), target: words.at(-1)! }
    })
}

test('the stages use known instructions and a supported Node, and copy files that exist', () => {
  const engine = /(\d+)/.exec((JSON.parse(read('package.json')) as { engines: { node: string } }).engines.node)![1]
  expect(stages).toHaveLength(2)
  for (const stage of stages) {
    expect(Number(/^node:(\d+)-/.exec(stage.image)![1])).toBeGreaterThanOrEqual(Number(engine))
    for (const { keyword } of stage.instructions)
      expect(['WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'VOLUME', 'EXPOSE', 'CMD']).toContain(keyword)
    for (const { from, sources } of copyInstructions(stage)) {
      if (from !== undefined) expect(stages.map(({ name }) => name)).toContain(from)
      else for (const source of sources) expect(existsSync(join(root, source)) && !dockerignored.includes(source), source).toBe(true)
    }
  }
  const argsOf = (keyword: string) => stages[1]!.instructions.filter(one => one.keyword === keyword).map(({ args }) => args)
  expect(argsOf('USER')).toEqual(['node'])
  expect(argsOf('ENV')).toContain(`NODE_OPTIONS=${SERVER_NODE_FLAGS.join(' ')}`)
})

test('the final image has every package that the program imports', async () => {
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
  // Libraries work without what they `require` optionally (pg-native, …).
  const importedPaths = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ external, kind }) => external && kind !== 'require-call')
    .map(({ path }) => path)
  const packages = new Set(
    importedPaths
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

// Docker is not available here: the instructions are executed by hand in two folders, with the installed packages.
let folder: string
let image: string
const name = 'test_docker'

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'bobine-docker-'))
  const build = layOutStage(stages[0]!, join(folder, 'build'), {})
  symlinkSync(join(root, 'node_modules'), join(build, 'node_modules'))
  const buildCommand = stages[0]!.instructions
    .find(({ keyword, args }) => keyword === 'RUN' && args.includes('build.ts'))!
    .args.split('&&')[0]!
    .trim()
    .split(' ')
  const built = spawnSync(buildCommand[0]!, buildCommand.slice(1), { cwd: build, encoding: 'utf8' })
  expect(built.status, built.stderr).toBe(0)
  image = layOutStage(stages[1]!, join(folder, 'image'), { build })
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

function layOutStage(stage: BuildStage, target: string, built: Record<string, string>): string {
  mkdirSync(target)
  for (const copy of copyInstructions(stage)) {
    for (const source of copy.sources) {
      const to = copy.target === './' ? join(target, basename(source)) : join(target, copy.target)
      const from = copy.from === undefined ? join(root, source) : join(built[copy.from]!, source.replace(/^\/app\//, ''))
      if (source.endsWith('node_modules')) symlinkSync(join(root, 'node_modules'), to)
      else cpSync(from, to, { recursive: true })
    }
  }
  return target
}

test('the stages, executed by hand, make a server that starts as in Compose and passes its health check', async () => {
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
  const exited = new Promise(resolve => server.once('exit', resolve))
  try {
    const [, program, ...parameters] = web!.healthcheck!.test.map(word => word.replace(':9000', `:${port}`))
    const isHealthy = () => spawnSync(program!, parameters).status === 0
    expect(isHealthy()).toBe(false)
    await expect.poll(() => (server.exitCode === null ? isHealthy() : output), { timeout: 30_000, interval: 200 }).toBe(true)
    server.kill('SIGTERM')
    expect(await exited).toBe(0)
  } finally {
    server.kill('SIGKILL')
    await exited
  }
})
