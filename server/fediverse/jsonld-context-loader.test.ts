import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CONTEXT_TERMS, withContext, type ContextKind } from './jsonld-context.ts'
import { isSafeJsonLdContext } from './jsonld-context-loader.ts'
import { isObject } from './vocabulary.ts'

const RECORDED = join(import.meta.dirname, 'recorded')

it.each(Object.keys(CONTEXT_TERMS) as ContextKind[])('the context of what we send (%s) is one that we would take ourselves', kind => {
  expect(isSafeJsonLdContext(withContext(kind, {})['@context'])).toBe(true)
})

it('every context that PeerTube sends with a signature is taken', () => {
  const contexts = new Set(
    readdirSync(RECORDED, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('.json'))
      .flatMap(name => contextsOf(JSON.parse(readFileSync(join(RECORDED, name), 'utf8'))))
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
