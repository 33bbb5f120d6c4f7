import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * What a test file needs, which decides the vitest project that runs it:
 * - `unit`: nothing but Node
 * - `media`: ffmpeg
 * - `server`: Postgres and Redis
 * - `browser`: those, Chromium and a build
 */
export type TestKind = 'unit' | 'media' | 'server' | 'browser'

/**
 * A test file: its path from the project's folder, what it needs, whether that is a build too, and whether it changes its process so that
 * no other file may run there.
 */
export interface TestFile {
  path: string
  kind: TestKind
  build: boolean
  ownProcess: boolean
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const FOLDERS = ['server', 'shared', 'client', 'scripts']

/** Every test file of the project. */
export function listTestFiles(folder = root): TestFile[] {
  const texts = new Map<string, string>()
  return FOLDERS.flatMap(name =>
    existsSync(join(folder, name))
      ? readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' }).map(path => join(name, path))
      : []
  )
    .filter(path => path.endsWith('.test.ts'))
    .sort()
    .map(path => {
      const needs = [...withHelpers(join(folder, path), texts)].map(file => read(file, texts))
      const kind = kindOf(path, needs)
      // What those in a browser replace is the page's.
      return {
        path,
        kind,
        build: needs.some(text => /\bensureBuilt\(/.test(text)),
        ownProcess: kind !== 'browser' && needs.some(changesProcess)
      }
    })
}

/** What a file needs, as the texts of it and of the test helpers it imports say. */
function kindOf(path: string, texts: string[]): TestKind {
  if (path.startsWith(join('client', 'test'))) return 'browser'
  if (texts.some(text => /\binject\(|\b(ensureBuilt|startPostgres|startRedis|LauncherRun)\(/.test(text))) return 'server'
  return texts.some(text =>
    /\b(makeFootageFile|makeFootageBytes|makeMultiAudioFootage|makeFootageWithSubtitlesAndChapters|runFfmpeg|runFfmpegIn|runFfprobe|probeMedia)\(|\b(exec|execFile|spawn)\w*\(\s*'ff/.test(
      text
    )
  )
    ? 'media'
    : 'unit'
}

/** A file and the test helpers it imports, directly or through others; code that is not for tests needs no services by itself. */
function withHelpers(file: string, texts: Map<string, string>, found = new Set<string>()): Set<string> {
  if (found.has(file)) return found
  found.add(file)
  for (const [, specifier] of read(file, texts).matchAll(/^(?:import|export)\b[^'"`]*'(\.[^']+\.ts)'/gm)) {
    const imported = join(dirname(file), specifier!)
    if (/\/test\/|\/launcher-run\.ts$/.test(imported)) withHelpers(imported, texts, found)
  }
  return found
}

/** Modules, the environment and methods of Node's classes that are replaced would be so for the next file, too. */
function changesProcess(text: string): boolean {
  return /\bvi\.mock\(|\bprocess\.env(\.\w+)? = |\w\.prototype\.\w+ = function/.test(text)
}

function read(file: string, texts: Map<string, string>): string {
  const known = texts.get(file) ?? readFileSync(file, 'utf8')
  texts.set(file, known)
  return known
}
