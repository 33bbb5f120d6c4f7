import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { apiContracts } from '../app/contracts.ts'
import { projectFolder } from '../core/config.ts'
import { startTestInstance, type TestInstance } from '../test/instance.ts'
import { ERROR_CODES } from './error-codes.ts'

type Json = { [key: string]: any }
let instance: TestInstance
let document: Json
let page: string
let policy: string
beforeAll(async () => {
  instance = await startTestInstance({ instance: { name: 'Reels & <b>more</b>' } }, ['web'])
  document = (await instance.call('GET /openapi.json')).json
  const docs = await instance.call('GET /docs')
  page = docs.text
  policy = docs.headers.get('content-security-policy') ?? ''
})
afterAll(async () => {
  await instance?.stop()
})

const routes = apiContracts.flatMap(contract => Object.entries(contract))
const operationOf = (key: string): Json => {
  const [method, path] = key.split(' ') as [string, string]
  return document.paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
}

test('the document is OpenAPI 3.1 of this instance', () => {
  expect(document).toMatchObject({
    openapi: '3.1.0',
    info: { title: 'Reels & <b>more</b>: REST API', version: expect.any(String) },
    servers: [{ url: `${instance.url}/api/v1` }]
  })
  expect(document.components.securitySchemes.bearer).toMatchObject({ type: 'http', scheme: 'bearer' })
})

test('the document contains every declared route and no other', () => {
  const described = Object.entries(document.paths as Json).flatMap(([path, item]) =>
    Object.keys(item).map(method => `${method.toUpperCase()} ${path}`)
  )
  expect(described.sort()).toEqual(routes.map(([key]) => key.replace(/:(\w+)/g, '{$1}')).sort())
  expect(routes.length).toBeGreaterThan(50)
})

test.each(routes)('%s is described: parameters, body, files, responses, errors, required role', (key, spec) => {
  const operation = operationOf(key)
  expect(operation).toMatchObject({ summary: spec.summary, tags: [spec.tag] })
  const inPath = [...key.matchAll(/:(\w+)/g)].map(match => match[1])
  const parameters: Json[] = operation.parameters ?? []
  expect(
    parameters
      .filter(one => one.in === 'path')
      .map(one => one.name)
      .sort()
  ).toEqual(inPath.sort())
  expect(parameters.filter(one => one.in === 'path').every(one => one.required)).toBe(true)
  expect(
    parameters
      .filter(one => one.in === 'query')
      .map(one => one.name)
      .sort()
  ).toEqual(Object.keys(spec.query?.shape ?? {}).sort())
  for (const one of parameters) expect(Object.keys(one.schema), one.name).not.toEqual([])
  const content = operation.requestBody?.content ?? {}
  if (spec.files)
    for (const name of Object.keys(spec.files))
      expect(content['multipart/form-data'].schema.properties[name]).toMatchObject({ type: 'string', format: 'binary' })
  else if (spec.form) expect(Object.keys(content)).toEqual(['application/x-www-form-urlencoded'])
  else if (spec.body) expect(Object.keys(content)).toEqual(['application/json'])
  else expect(operation.requestBody).toBeUndefined()
  const done = operation.responses[spec.status ?? (spec.response ? 200 : 204)]
  expect(Object.keys(done.content ?? {})).toHaveLength(spec.response ? 1 : 0)
  expect(operation.responses['429'].content['application/problem+json'].schema).toEqual({ $ref: '#/components/schemas/Problem' })
  for (const [status, reason] of Object.entries(spec.refusals ?? {})) expect(operation.responses[status].description).toBe(reason)
  const requiresLogin = ['user', 'moderator', 'admin'].includes(spec.auth ?? 'none')
  expect(operation.security).toEqual(requiresLogin ? [{ bearer: [] }] : spec.auth === 'optional' ? [{}, { bearer: [] }] : [])
  expect(operation.responses['401'] !== undefined).toBe(requiresLogin || spec.auth === 'optional' || spec.refusals?.[401] !== undefined)
})

test('operationIds are unique, and tags are declared', () => {
  const operations = Object.values(document.paths as Json).flatMap(item => Object.values(item as Json))
  expect(new Set(operations.map(one => one.operationId)).size).toBe(operations.length)
  const declared = document.tags.map((tag: Json) => tag.name)
  for (const one of operations) for (const tag of one.tags) expect(declared).toContain(tag)
})

test('every $ref has a target', () => {
  const references: string[] = []
  walk(document, node => {
    if (typeof node.$ref === 'string') references.push(node.$ref)
  })
  expect(references.length).toBeGreaterThan(100)
  for (const reference of new Set(references)) {
    const target = reference
      .split('/')
      .slice(1)
      .reduce<Json | undefined>((node, part) => node?.[part], document)
    expect(target, reference).toBeDefined()
  }
})

test('the schemas are valid JSON Schema', () => {
  const TYPES = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null']
  walk(document.components.schemas, node => {
    if (typeof node.type === 'string' && !('properties' in node && 'type' in (node.properties as Json))) expect(TYPES).toContain(node.type)
    if (node.type === 'array') expect(node.items).toBeDefined()
    if (Array.isArray(node.required) && node.properties)
      for (const name of node.required) expect(Object.keys(node.properties)).toContain(name)
    expect(node).not.toHaveProperty('override')
  })
})

test('the page lists every route, schema and code, and every link has its anchor', () => {
  for (const [key] of routes) expect(page).toContain(`<code>${key.split(' ')[1]!.replace(/:(\w+)/g, '{$1}')}</code>`)
  const anchors = [...page.matchAll(/ id="([^"]+)"/g)].map(match => match[1])
  expect(new Set(anchors).size).toBe(anchors.length)
  for (const [, target] of page.matchAll(/href="#([^"]+)"/g)) expect(anchors).toContain(target)
  for (const name of Object.keys(document.components.schemas)) expect(anchors).toContain(`schema-${name}`)
  for (const { code } of ERROR_CODES) expect(anchors).toContain(`errors-${code}`)
})

test('the page has no scripts or external resources, and its Content-Security-Policy allows neither', () => {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|\son\w+=|style="|url\(|@import/i)
  expect(page).toContain('Reels &#38; &#60;b&#62;more&#60;/b&#62;')
  expect(policy).toMatch(/default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='; base-uri 'none'/)
})

test('the type of a problem is the URL of an anchor of the page', async () => {
  const { json } = await instance.call('GET /users/me')
  const [address, anchor] = json.type.split('#')
  expect(address).toBe(`${instance.url}/api/v1/docs`)
  expect(page).toContain(`id="${anchor}"`)
})

test('every code in the sources is listed with its status', () => {
  const known = new Map(ERROR_CODES.map(one => [one.code, one.status]))
  const found = new Set<string>()
  for (const entry of readdirSync(join(projectFolder, 'server'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || entry.name.endsWith('.test.ts')) continue
    const source = readFileSync(join(entry.parentPath, entry.name), 'utf8')
    for (const [, status, code] of source.matchAll(/new Problem\(\s*(\d{3}),\s*'(\w+)'/g)) {
      found.add(code!)
      expect(known.get(code!), `${code} in ${entry.name}`).toBe(Number(status))
    }
  }
  expect(found.size).toBeGreaterThan(10)
  expect(known.size).toBe(ERROR_CODES.length)
})

function walk(node: unknown, visit: (node: Json) => void): void {
  if (Array.isArray(node)) for (const one of node) walk(one, visit)
  else if (typeof node === 'object' && node !== null) {
    visit(node)
    for (const one of Object.values(node)) walk(one, visit)
  }
}
