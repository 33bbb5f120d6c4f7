import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** Names that several files may export, with the reason; a default export has no name. */
const EXCEPTIONS: Record<string, string> = {}

/** Names exported by each source, as they are written there; what a file only passes on is not its own. */
function exportedNames(text: string): string[] {
  const declared = [...text.matchAll(/^export (?:declare )?(?:async )?(?:function\*?|const|let|class|type|interface|enum) (\w+)/gm)].map(
    ([, name]) => name!
  )
  const listed = [...text.matchAll(/^export (?:type )?\{([^}]*)\}(?! from)/gm)].flatMap(([, names]) =>
    names!.split(',').map(name => name.split(' as ').at(-1)!.trim())
  )
  return [...new Set([...declared, ...listed].filter(Boolean))]
}

const sources = ['server', 'shared', 'client', 'scripts'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map(entry => join(entry.parentPath, entry.name))
    .map(path => ({ path: relative(root, path), names: exportedNames(readFileSync(path, 'utf8')) }))
)

test('an exported name is exported by one file only: who searches for it finds one thing', () => {
  expect(sources.length).toBeGreaterThan(600)
  const files = new Map<string, string[]>()
  for (const { path, names } of sources) for (const name of names) files.set(name, [...(files.get(name) ?? []), path])
  const several = [...files].filter(([name, paths]) => paths.length > 1 && !Object.hasOwn(EXCEPTIONS, name))
  expect(several.map(([name, paths]) => `${name}: ${paths.join(', ')}`)).toEqual([])
})

test('a name that is passed on keeps its name: one thing has one', () => {
  const renamed = sources.flatMap(({ path }) =>
    [...readFileSync(join(root, path), 'utf8').matchAll(/^export (?:type )?\{([^}]* as (?!default\b)[^}]*)\} from/gm)].map(
      ([, names]) => `${path}: ${names!.trim()}`
    )
  )
  expect(renamed).toEqual([])
})

/** Verbs and nouns that say nothing without an object: `storeActor`, not `store`; `CommentRow`, not `Row`. */
const BARE =
  /^(ask|tell|take|make|put|store|read|write|send|run|settle|find|get|set|list|load|count|check|handle|process|update|remove|row|state|part|place|line|words|room|answer|item|data|info|options|settings|page|source)s?$/i

test('no exported name is a bare verb or a noun that could be anything', () => {
  expect(sources.flatMap(({ path, names }) => names.filter(name => BARE.test(name)).map(name => `${name}: ${path}`))).toEqual([])
})

test('names are found in every form of export', () => {
  const text =
    "export const a = 1\nexport async function b() {}\nexport type C = 1\nexport { d, e as f }\nexport { g } from './g.ts'\nexport default h"
  expect(exportedNames(text)).toEqual(['a', 'b', 'C', 'd', 'f'])
})
