import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = ['server', 'shared', 'client', 'scripts', 'config', 'migrations', 'docs'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      entry =>
        entry.isFile() && !/\/recorded(\/|$)/.test(entry.parentPath) && /\.(ts|tsx|js|mjs|css|md|sql|yaml|sh)$|^[a-z]+$/.test(entry.name)
    )
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
)
const documents = readdirSync(root).filter(name => /\.md$|\.ya?ml$|^Dockerfile$/.test(name))
const files = [...sources, ...documents]
  .filter(path => path !== 'scripts/references.test.ts')
  .map(path => ({ path, text: readFileSync(join(root, path), 'utf8') }))

/** The anchors that a Markdown file's headings have on the sites that show it (GitHub, Forgejo). */
function anchorsOf(path: string): string[] {
  return [...readFileSync(join(root, path), 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
  )
}

function unresolved(text: string, path: string): string[] {
  return [...text.matchAll(/(?<![\w:/.-])((?:\.\.?\/)*[\w-]+(?:\/[\w.-]+)*\.md)(?:#([\w-]+))?/g)]
    .filter(([, target, anchor]) => {
      const found = [join(dirname(path), target!), target!].find(place => existsSync(join(root, place)))
      return !found || (anchor !== undefined && !anchorsOf(found).includes(anchor))
    })
    .map(([reference]) => `${path}: ${reference}`)
}

test('every document that code, comments or documents name is in the repository, with the heading that is named', () => {
  expect(files.length).toBeGreaterThan(700)
  expect(files.flatMap(({ path, text }) => unresolved(text, path))).toEqual([])
  expect(unresolved('see docs/federation.md#digests and FEDERATION.md', 'server/a.ts')).toEqual([])
  expect(unresolved('(docs/federation.md#digest), (federation.md 4.1)', 'server/a.ts')).toEqual([
    'server/a.ts: docs/federation.md#digest',
    'server/a.ts: federation.md'
  ])
})

test('no comment and no title refers to a numbered section without saying of what', () => {
  const bare = /^\s*(?:\*|\/\/|\/\*\*).*\(\d+\.\d+\w?(?:, \d+\.\d+\w?)*\)|\b(?:test|it|describe)(?:\.\w+)?\(\s*['"`]\d+\.\d+\w? /
  const found = files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (bare.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []))
  )
  expect(found).toEqual([])
})

test('specifications are named as they are found: RFC and number, FEP and four hexadecimal digits', () => {
  const wrong = files.flatMap(({ path, text }) =>
    [...text.matchAll(/\bRFCs?[ -]?(?!\d{3,5}\b)\d\w*|\bFEPs?[ -](?![0-9a-f]{4}\b)[0-9a-f]\w*/g)].map(
      ([reference]) => `${path}: ${reference}`
    )
  )
  expect(wrong).toEqual([])
})

test('every file that the documents name in backticks is there', () => {
  const tracked = new Set(execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n'))
  const folders = new Set(
    [...tracked].flatMap(path =>
      path
        .split('/')
        .slice(0, -1)
        .map((_, index, parts) => parts.slice(0, index + 1).join('/'))
    )
  )
  const named = files
    .filter(({ path }) => path.endsWith('.md') && path !== 'CHANGELOG.md')
    .flatMap(({ path, text }) =>
      [...text.matchAll(/`((?:server|shared|client|scripts|migrations|config|docs)\/[\w./-]*)`/g)].map(([, name]) => ({
        path,
        name: name!.replace(/\/$/, '')
      }))
    )
  expect(named.length).toBeGreaterThan(20)
  // `config/local.yaml` is the administrator's own.
  const there = (name: string) =>
    name === 'config/local.yaml' || tracked.has(name) || folders.has(name) || ['.ts', '.tsx'].some(suffix => tracked.has(name + suffix))
  expect(named.filter(({ name }) => !there(name)).map(({ path, name }) => `${path}: ${name}`)).toEqual([])
})

test('every file of the drawings is there', () => {
  const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8')
  const drawings = [...architecture.matchAll(/^```mermaid\n([^]*?)^```$/gm)].map(([, text]) => text!).join('\n')
  const named = [...drawings.matchAll(/(?<![\w/])((?:client\/src|[a-z]+)\/[a-z-]+(?:\.[a-z]+)*)(?![\w/])/g)].map(([, name]) => name!)
  expect(named.length).toBeGreaterThan(15)
  const exists = (name: string) => [name, `server/${name}.ts`].some(path => existsSync(join(root, path)))
  expect(named.filter(name => !exists(name))).toEqual([])
})
