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
 * A test file: its path relative to the project, its kind, whether it needs a build, and whether it changes its process, so that it needs
 * one of its own.
 */
export interface TestFile {
  path: string
  kind: TestKind
  build: boolean
  ownProcess: boolean
}

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const FOLDERS = ['server', 'shared', 'client', 'scripts']

/** Returns every test file of the project. */
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
      const sources = [...collectTestHelpers(join(folder, path), texts)].map(file => readText(file, texts))
      const kind = kindOf(path, sources)
      // Browser tests change the page's globals, not those of their process.
      return {
        path,
        kind,
        build: sources.some(text => /\bensureBuilt\(/.test(text)),
        ownProcess: kind !== 'browser' && sources.some(changesProcess)
      }
    })
}

/** The kind of a test file, according to its text and those of the test helpers it imports. */
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

/** Collects a file and the test helpers it imports, directly or indirectly; other code needs no services by itself. */
function collectTestHelpers(file: string, texts: Map<string, string>, collected = new Set<string>()): Set<string> {
  if (collected.has(file)) return collected
  collected.add(file)
  for (const [, specifier] of readText(file, texts).matchAll(/^(?:import|export)\b[^'"`]*'(\.[^']+\.ts)'/gm)) {
    const imported = join(dirname(file), specifier!)
    if (/\/test\/|\/launcher-run\.ts$/.test(imported)) collectTestHelpers(imported, texts, collected)
  }
  return collected
}

/** Replaced modules, environment variables and methods of Node's classes would affect the next file in the same process. */
function changesProcess(text: string): boolean {
  return /\bvi\.mock\(|\bprocess\.env(\.\w+)? = |\w\.prototype\.\w+ = function/.test(text)
}

function readText(file: string, texts: Map<string, string>): string {
  const text = texts.get(file) ?? readFileSync(file, 'utf8')
  texts.set(file, text)
  return text
}
