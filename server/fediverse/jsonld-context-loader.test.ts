import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CONTEXT_TERMS, withContext, type ContextKind } from './jsonld-context.ts'
import { isSafeJsonLdContext } from './jsonld-context-loader.ts'
import { isObject } from './vocabulary.ts'

const RECORDED_FOLDER = join(import.meta.dirname, 'recorded')

it.each(Object.keys(CONTEXT_TERMS) as ContextKind[])('our own context of %s documents is safe', kind => {
  expect(isSafeJsonLdContext(withContext(kind, {})['@context'])).toBe(true)
})

it('every context that PeerTube sends with a signature is safe', () => {
  const contexts = new Set(
    readdirSync(RECORDED_FOLDER, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.json'))
      .flatMap(name => contextsOf(JSON.parse(readFileSync(join(RECORDED_FOLDER, name), 'utf8'))))
  )
  expect(contexts.size).toBeGreaterThan(5)
  for (const context of contexts) expect([context, isSafeJsonLdContext(JSON.parse(context))]).toEqual([context, true])
})

function contextsOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(contextsOf)
  if (!isObject(value)) return []
  return [
    ...('@context' in value && 'signature' in value ? [JSON.stringify(value['@context'])] : []),
    ...Object.values(value).flatMap(contextsOf)
  ]
}
