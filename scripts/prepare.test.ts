import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

// A project with nothing but the commands, and fake node and npm programs that print their parameters.
let project: string
let bin: string
beforeEach(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), 'bobine-project-')))
  bin = join(project, 'bin')
  for (const folder of ['bin', 'scripts', 'server']) mkdirSync(join(project, folder))
  for (const file of ['start', 'prepare.sh']) copyFileSync(join(import.meta.dirname, file), join(project, 'scripts', file))
  for (const file of ['package.json', 'package-lock.json', 'server/main.ts']) writeProjectFile(file, file)
  for (const name of ['bash', 'dirname', 'sort', 'head', 'tail', 'cmp', 'cp', 'find', 'mkdir', 'touch', 'flock']) {
    const path = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim()
    if (path) symlinkSync(path, join(bin, name))
  }
  installFakeNode('v24.1.0')
})
afterEach(() => rmSync(project, { recursive: true }))

function installFakeNode(node: string): void {
  writeProgram(
    'node',
    `
    case "$*" in
      --version) echo ${node} ;;
      *build.ts) echo built; mkdir -p dist; touch dist/.built ;;
      *) echo "$PWD: $*" ;;
    esac`
  )
  writeProgram('npm', 'echo "npm $*"; mkdir -p node_modules; touch node_modules/.package-lock.json')
}

function writeProgram(name: string, body: string): void {
  writeProjectFile(`bin/${name}`, `#!${join(bin, 'bash')}\n${body}\n`)
  chmodSync(join(bin, name), 0o755)
}

function writeProjectFile(file: string, text: string): void {
  writeFileSync(join(project, file), text)
}

function touchInFuture(file: string): void {
  const time = new Date(Date.now() + 60_000)
  utimesSync(join(project, file), time, time)
}

/** Runs scripts/start; replaces all durations in its output by 0 s. */
function start(...parameters: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(join(bin, 'bash'), [join(project, 'scripts/start'), ...parameters], {
    cwd: tmpdir(),
    env: { PATH: bin },
    encoding: 'utf8'
  })
  return { status, stdout: stdout.replace(/ \d+ s$/gm, ' 0 s'), stderr }
}

const launchOutput = () => `${realpathSync(tmpdir())}: ${project}/dist/launch.js --port 1\n`
const INSTALL = 'Installing the packages ... 0 s\n'
const BUILD = 'Building ... 0 s\n'
const readLog = () => readFileSync(join(project, 'dist/prepare.log'), 'utf8')

test('the first start installs, builds and launches; the next one only launches', () => {
  expect(start('--port', '1')).toMatchObject({ status: 0, stdout: `${INSTALL}${BUILD}${launchOutput()}`, stderr: '' })
  expect(start('--port', '1')).toMatchObject({ status: 0, stdout: launchOutput(), stderr: '' })
})

test('the output of npm and the build goes into a log', () => {
  start()
  expect(readLog()).toBe('built\n')
  writeProgram('npm', 'echo "npm warn EBADENGINE"; mkdir -p node_modules; touch node_modules/.package-lock.json')
  writeProjectFile('package-lock.json', 'changed')
  touchInFuture('package-lock.json')
  expect(start().stdout).not.toContain('EBADENGINE')
})

test('installs packages again when the lock file has changed, also to an older one', () => {
  start()
  writeProjectFile('package-lock.json', 'changed')
  touchInFuture('package-lock.json')
  expect(start('--port', '1').stdout).toContain(INSTALL)
  expect(start('--port', '1').stdout).not.toContain('Installing')
})

test('repeats an interrupted installation', () => {
  writeProgram('npm', 'mkdir -p node_modules; echo "npm $*: no network"; exit 1')
  expect(start()).toMatchObject({
    status: 1,
    stdout: 'Installing the packages ... failed\n',
    stderr: `npm ci --include=dev --no-audit --no-fund: no network\nAll of it is in ${project}/dist/prepare.log.\n`
  })
  installFakeNode('v24.1.0')
  expect(start('--port', '1').stdout).toContain(INSTALL)
})

test('builds again when a source is newer than the build or was removed', () => {
  start()
  touchInFuture('server/main.ts')
  expect(start('--port', '1').stdout).toBe(`${BUILD}${launchOutput()}`)
  start()
  rmSync(join(project, 'server/main.ts'))
  touchInFuture('server')
  expect(start('--port', '1').stdout).toBe(`${BUILD}${launchOutput()}`)
})

test('a failed build stops the start', () => {
  writeProgram('node', 'case "$*" in --version) echo v24.1.0 ;; *build.ts) echo wrong >&2; exit 1 ;; *) echo launched ;; esac')
  expect(start()).toMatchObject({
    status: 1,
    stdout: `${INSTALL}Building ... failed\n`,
    stderr: `wrong\nAll of it is in ${project}/dist/prepare.log.\n`
  })
})

test.each(['v20.19.0', 'v20.20.1', 'v22.0.0', 'v24.1.0-nightly'])('accepts Node %s', version => {
  installFakeNode(version)
  expect(start().status).toBe(0)
})

test.each(['v20.18.3', 'v18.20.4', 'v8.0.0', 'v20.2.0'])('refuses Node %s as too old', version => {
  installFakeNode(version)
  expect(start()).toMatchObject({
    status: 1,
    stdout: '',
    stderr: `Bobine needs Node.js 20.19.0 or newer (24 is recommended), and this is ${version.slice(1)}: install it from https://nodejs.org or with your system's package manager.\n`
  })
  expect(existsSync(join(project, 'node_modules'))).toBe(false)
})

test('reports missing node and npm', () => {
  rmSync(join(bin, 'npm'))
  expect(start()).toMatchObject({ status: 1, stderr: 'npm was not found: install it (on Debian: sudo apt-get install npm).\n' })
  rmSync(join(bin, 'node'))
  expect(start()).toMatchObject({
    status: 1,
    stderr:
      "Bobine needs Node.js 20.19.0 or newer (24 is recommended): install it from https://nodejs.org or with your system's package manager.\n"
  })
})

test('requires the Node version of package.json', () => {
  const { engines } = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')) as { engines: { node: string } }
  expect(readFileSync(join(import.meta.dirname, 'prepare.sh'), 'utf8')).toContain(`needed=${engines.node.slice(2)}.0\n`)
})

// npm omits packages that its registry did not have when the lock file was written, and `npm ci` then rejects the file on every system.
test('the lock file contains the optional packages of every system', () => {
  const { packages } = JSON.parse(readFileSync(join(import.meta.dirname, '../package-lock.json'), 'utf8')) as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>
  }
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies).filter(name => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages))
  )
  expect(missing).toEqual([])
})
