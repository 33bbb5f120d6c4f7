import { ERROR_CODES } from './error-codes.ts'
import type { OpenApiDocument } from './openapi.document.ts'

/** The style sheet of the page; its hash is in the Content-Security-Policy of the page. */
export const OPENAPI_PAGE_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d5d8dd, #363b44); --soft: light-dark(#f3f4f6, #1d2127); --dim: light-dark(#5a6270, #9aa3b2); --link: light-dark(#0b57a8, #7cb7ff); }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; background: light-dark(#fff, #14171c); color: light-dark(#1a1d23, #e7eaf0); }
main, nav, header { max-width: 60rem; margin: 0 auto; padding: 0 1rem; }
nav ul, .fields { list-style: none; padding: 0; }
nav > ul { display: flex; flex-wrap: wrap; gap: .25rem 1rem; }
a { color: var(--link); }
section { margin-top: 2.5rem; }
article { border: 1px solid var(--line); border-radius: .5rem; margin: .75rem 0; }
details > summary { padding: .6rem .9rem; cursor: pointer; overflow-wrap: anywhere; }
details[open] > summary { border-bottom: 1px solid var(--line); }
.inside { padding: .25rem .9rem .9rem; }
code { font-family: ui-monospace, monospace; font-size: .9em; overflow-wrap: anywhere; }
.method { font-weight: 700; display: inline-block; min-width: 4.2em; }
.dim { color: var(--dim); }
.fields ul { list-style: none; padding-left: 1.25rem; border-left: 2px solid var(--line); }
.fields li { margin: .2rem 0; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
:target { outline: 2px solid var(--link); outline-offset: 2px; }
`

type Schema = { [key: string]: unknown } | boolean | undefined
type Operation = {
  operationId?: string
  summary?: string
  description?: string
  tags?: string[]
  security?: object[]
  parameters?: { in: string; name: string; required?: boolean; schema?: Schema; description?: string }[]
  requestBody?: { required?: boolean; content: Record<string, { schema?: Schema }> }
  responses?: Record<string, { description: string; content?: Record<string, { schema?: Schema }> }>
}
type Route = Operation & { method: string; path: string }

const METHODS = ['get', 'post', 'put', 'delete'] as const

/** Renders the API documentation as one HTML page without scripts or external resources. */
export function openapiPage(document: OpenApiDocument): string {
  const routes = Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap(method => {
      const operation = item[method] as Operation | undefined
      return operation ? [{ ...operation, method: method.toUpperCase(), path }] : []
    })
  )
  const tags = (document.tags ?? []).map(tag => tag.name)
  const title = escapeHtml(document.info.title)
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title><style>${OPENAPI_PAGE_STYLE}</style></head>
<body>
<header><h1>${title}</h1><p>${inlineHtml(document.info.description ?? '')} Version ${escapeHtml(document.info.version)}. Base address: <code>${escapeHtml(document.servers?.[0]?.url ?? '')}</code>.
The same for machines: <a href="openapi.json">openapi.json</a>.</p></header>
<nav aria-label="Contents"><ul>${tags.map(tag => `<li><a href="#tag-${anchor(tag)}">${escapeHtml(tag)}</a></li>`).join('')}<li><a href="#schemas">Schemas</a></li><li><a href="#errors">Error codes</a></li></ul></nav>
<main>
${tags
  .map(
    tag =>
      `<section id="tag-${anchor(tag)}"><h2>${escapeHtml(tag)}</h2>${routes
        .filter(route => route.tags?.includes(tag))
        .map(routeHtml)
        .join('\n')}</section>`
  )
  .join('\n')}
<section id="schemas"><h2>Schemas</h2>${Object.entries(document.components?.schemas ?? {})
    .map(
      ([name, schema]) =>
        `<article id="schema-${anchor(name)}"><details><summary><code>${escapeHtml(name)}</code></summary><div class="inside">${schemaHtml(schema as Schema)}</div></details></article>`
    )
    .join('\n')}</section>
<section id="errors"><h2>Error codes</h2><p>A refusal is <code>application/problem+json</code> (RFC 9457); where it has a <code>code</code>, it is one of these.</p>
<table><thead><tr><th scope="col">code</th><th scope="col">Status</th><th scope="col">Meaning</th></tr></thead><tbody>
${ERROR_CODES.map(one => `<tr id="errors-${anchor(one.code)}"><td><code>${escapeHtml(one.code)}</code></td><td>${one.status}</td><td>${inlineHtml(one.meaning)}</td></tr>`).join('\n')}
</tbody></table></section>
</main></body></html>`
}

function routeHtml(route: Route): string {
  const parts = [
    route.description ? `<p>${inlineHtml(route.description)}</p>` : '',
    (route.parameters ?? []).length > 0
      ? `<h3>Parameters</h3><ul class="fields">${route
          .parameters!.map(one => fieldHtml(one.name, one.schema, one.in === 'path' || one.required === true, one.in))
          .join('')}</ul>`
      : '',
    route.requestBody ? `<h3>Body</h3>${contentHtml(route.requestBody.content)}` : '',
    `<h3>Answers</h3><ul class="fields">${Object.entries(route.responses ?? {})
      .map(
        ([status, answer]) =>
          `<li><strong>${escapeHtml(status)}</strong> ${inlineHtml(answer.description)}${Number(status) < 400 && answer.content ? contentHtml(answer.content) : ''}</li>`
      )
      .join('')}</ul>`
  ]
  return `<article id="${anchor(route.operationId ?? '')}"><details><summary><span class="method">${route.method}</span> <code>${escapeHtml(route.path)}</code> <span class="dim">${escapeHtml(route.summary ?? '')}</span></summary>
<div class="inside">${parts.join('')}</div></details></article>`
}

function contentHtml(content: Record<string, { schema?: Schema }>): string {
  return Object.entries(content)
    .map(([type, { schema }]) => `<p class="dim"><code>${escapeHtml(type)}</code></p>${schemaHtml(schema)}`)
    .join('')
}

function schemaHtml(schema: Schema): string {
  if (typeof schema !== 'object') return '<p class="dim">anything</p>'
  const description = typeof schema.description === 'string' ? `<p>${inlineHtml(schema.description)}</p>` : ''
  const inner = childrenHtml(schema)
  return `${description}<p>${typeHtml(schema)}</p>${inner ? `<div class="fields">${inner}</div>` : ''}`
}

function fieldHtml(name: string, schema: Schema, required: boolean, location = ''): string {
  const described = typeof schema === 'object' && typeof schema.description === 'string' ? ` ${inlineHtml(schema.description)}` : ''
  const notes = [location, required ? 'required' : ''].filter(Boolean).join(', ')
  return `<li><code>${escapeHtml(name)}</code> ${typeHtml(schema)}${notes ? ` <span class="dim">(${notes})</span>` : ''}${described}${typeof schema === 'object' ? childrenHtml(schema) : ''}</li>`
}

function childrenHtml(schema: { [key: string]: unknown }): string {
  const properties = schema.properties as Record<string, Schema> | undefined
  const required = (schema.required ?? []) as string[]
  const propertiesHtml = properties
    ? `<ul>${Object.entries(properties)
        .map(([name, one]) => fieldHtml(name, one, required.includes(name)))
        .join('')}</ul>`
    : ''
  const others = [schema.items, schema.additionalProperties, ...((schema.anyOf ?? schema.oneOf ?? schema.allOf ?? []) as Schema[])]
  return (
    propertiesHtml +
    others.map(one => (typeof one === 'object' && one !== null ? childrenHtml(one as { [key: string]: unknown }) : '')).join('')
  )
}

function typeHtml(schema: Schema): string {
  if (typeof schema !== 'object') return 'anything'
  if (typeof schema.$ref === 'string') {
    const name = schema.$ref.split('/').at(-1)!
    return `<a href="#schema-${anchor(name)}">${escapeHtml(name)}</a>`
  }
  const choices = (schema.anyOf ?? schema.oneOf ?? schema.allOf) as Schema[] | undefined
  if (choices) return choices.map(typeHtml).join(' or ')
  if ('const' in schema) return `<code>${escapeHtml(JSON.stringify(schema.const))}</code>`
  if (Array.isArray(schema.enum)) return `one of ${schema.enum.map(one => `<code>${escapeHtml(String(one))}</code>`).join(', ')}`
  if (schema.type === 'array') return `list of ${typeHtml(schema.items as Schema)}`
  const limits = (['format', 'contentMediaType', 'minLength', 'maxLength', 'minimum', 'maximum', 'maxItems', 'pattern'] as const)
    .flatMap(key => (schema[key] === undefined ? [] : [`${key} ${String(schema[key])}`]))
    .join(', ')
  const type = [schema.type ?? 'anything'].flat().join(' or ')
  return `${escapeHtml(type)}${limits ? ` <span class="dim">${escapeHtml(limits)}</span>` : ''}`
}

/** Escapes text and renders its `code` and paragraphs as HTML. */
function inlineHtml(text: string): string {
  return escapeHtml(text)
    .replace(/`([^`]+)`/g, '<code>$1</code>')
    .replaceAll('\n\n', '<br>')
}

function anchor(name: string): string {
  return escapeHtml(name.replaceAll(' ', '-'))
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
}
