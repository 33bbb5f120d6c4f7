import { z } from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathsObject, type ZodOpenApiResponsesObject } from 'zod-openapi'
import { operationId, type Contract, type FileKind, type RouteSpec } from '../../shared/contract.ts'
import { User } from '../../shared/accounts.ts'
import { Account, ActorImage, ActorSummary, Channel } from '../../shared/actors.ts'
import { LabelledConstant } from '../../shared/fields.ts'
import { UploadResponse } from '../../shared/uploads.ts'
import { TranscodingProgress, Video, VideoDetails } from '../../shared/videos.ts'
import { config, instanceOrigin } from '../core/config.ts'
import { ERROR_CODES } from './error-codes.ts'
import { SOFTWARE_VERSION } from './version.ts'

/** An OpenAPI 3.1 document. */
export type OpenApiDocument = ReturnType<typeof createDocument>

for (const [id, schema] of Object.entries({
  Account,
  ActorImage,
  ActorSummary,
  Channel,
  Labelled: LabelledConstant,
  Progress: TranscodingProgress,
  Uploaded: UploadResponse,
  User,
  Video,
  VideoDetails
})) {
  if (!z.globalRegistry.get(schema)?.id) z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), id })
}

const Problem = z
  .object({
    type: z.string().describe("about:blank, or the address of the code's description"),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z
      .enum(ERROR_CODES.map(one => one.code))
      .optional()
      .describe('Machine-readable reason'),
    'invalid-params': z
      .record(
        z.string(),
        z.object({ type: z.string(), value: z.unknown().optional(), msg: z.string(), path: z.string(), location: z.string() })
      )
      .optional()
      .describe('What was wrong with each parameter'),
    instance: z.string().describe('The address that was asked'),
    docs: z.string().optional().describe('The address of the description of the route'),
    error: z.string().describe('The same as detail, for old clients')
  })
  .meta({ id: 'Problem', description: 'A refusal (RFC 9457)' })

const ROLE_NOTES: Partial<Record<NonNullable<RouteSpec['auth']>, string>> = {
  user: 'For users.',
  moderator: 'For moderators and administrators.',
  admin: 'For administrators.',
  optional: 'Logged-in users may see more.'
}

/** Returns the OpenAPI 3.1 document of the given routes: parameters, bodies, files, responses, errors and required roles. */
export function openapiDocument(contracts: Contract[]): OpenApiDocument {
  const paths: ZodOpenApiPathsObject = {}
  for (const [key, spec] of contracts.flatMap(contract => Object.entries(contract))) {
    const [method, path] = key.split(' ') as [string, string]
    const templatedPath = path.replace(/:(\w+)/g, '{$1}')
    paths[templatedPath] = { ...paths[templatedPath], [method.toLowerCase()]: buildOperation(key, path, spec) }
  }
  const tags = [...new Set(contracts.flatMap(contract => Object.values(contract)).map(spec => spec.tag))].sort()
  const document = createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: `${config.instance.name}: REST API`,
        version: SOFTWARE_VERSION,
        description: 'The API of this instance. Log in with `POST /users/token`, then send `Authorization: Bearer …`.',
        license: { name: 'AGPL-3.0-or-later', identifier: 'AGPL-3.0-or-later' }
      },
      servers: [{ url: `${instanceOrigin()}/api/v1` }],
      tags: tags.map(name => ({ name })),
      security: [],
      paths,
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: 'The access token of POST /users/token' } } }
    },
    {
      override: ({ jsonSchema, zodSchema, io }) => {
        if (io === 'input') Object.assign(jsonSchema, inputSchema(zodSchema))
        removeSafeIntegerBounds(jsonSchema)
      }
    }
  )
  requirePathParameters(document)
  return document
}

// A number in a path is read through a preprocess step, which zod regards as optional.
function requirePathParameters(document: OpenApiDocument): void {
  for (const item of Object.values(document.paths ?? {})) {
    for (const one of [item.get, item.post, item.put, item.patch, item.delete].flatMap(operation => operation?.parameters ?? [])) {
      if ('in' in one && one.in === 'path') one.required = true
    }
  }
}

type JsonSchema = Record<string, unknown>

/** Returns the schema of the output of a preprocess step: zod does not know its input, and the output is what clients should send. */
function inputSchema(schema: z.core.$ZodType): JsonSchema {
  if (!(schema instanceof z.ZodPipe) || !(schema.in instanceof z.ZodTransform) || z.globalRegistry.get(schema)?.override) return {}
  const { $schema: _none, ...sentSchema } = z.toJSONSchema(schema.out, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => {
      Object.assign(jsonSchema, jsonSchema.override)
      delete jsonSchema.override
      removeSafeIntegerBounds(jsonSchema)
    }
  })
  return sentSchema
}

// The bounds of safe integers are not limits of the API.
function removeSafeIntegerBounds(schema: JsonSchema): void {
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
  if (schema.minimum === Number.MIN_SAFE_INTEGER) delete schema.minimum
}

function buildOperation(key: string, path: string, spec: RouteSpec): ZodOpenApiOperationObject {
  const paramNames = [...path.matchAll(/:(\w+)/g)].map(match => match[1]!)
  const params =
    spec.params ?? (paramNames.length > 0 ? z.object(Object.fromEntries(paramNames.map(name => [name, z.string()]))) : undefined)
  const description = [spec.description, ROLE_NOTES[spec.auth ?? 'none']].filter(Boolean).join('\n\n')
  return {
    operationId: operationId(key),
    summary: spec.summary,
    tags: [spec.tag],
    ...(description ? { description } : {}),
    security: spec.auth === undefined || spec.auth === 'none' ? [] : spec.auth === 'optional' ? [{}, { bearer: [] }] : [{ bearer: [] }],
    ...(params || spec.query
      ? { requestParams: { ...(params ? { path: params } : {}), ...(spec.query ? { query: spec.query } : {}) } }
      : {}),
    ...requestBodyOf(spec),
    responses: responsesOf(spec, paramNames.length > 0)
  }
}

function requestBodyOf(spec: RouteSpec): Pick<ZodOpenApiOperationObject, 'requestBody'> {
  if (!spec.body && !spec.files) return {}
  const optional = spec.body instanceof z.ZodOptional
  const fields = optional ? (spec.body as z.ZodOptional<z.ZodType>).unwrap() : spec.body
  if (spec.form) return { requestBody: { required: true, content: { 'application/x-www-form-urlencoded': { schema: fields! } } } }
  if (!spec.files) return { requestBody: { required: !optional, content: { 'application/json': { schema: fields! } } } }
  const files = Object.fromEntries(Object.entries(spec.files).map(([name, kind]) => [name, fileSchema(kind)]))
  const multipartSchema = fields instanceof z.ZodObject ? z.object({ ...fields.shape, ...files }) : z.object(files)
  const jsonContent = fields && !Object.values(spec.files).includes('video') ? { 'application/json': { schema: fields } } : {}
  return { requestBody: { required: true, content: { 'multipart/form-data': { schema: multipartSchema }, ...jsonContent } } }
}

function fileSchema(kind: FileKind): z.ZodType {
  const file = z
    .unknown()
    .meta({ override: { type: 'string', format: 'binary', contentMediaType: kind === 'video' ? 'video/*' : 'image/*' } })
  return kind === 'image' ? file.optional() : file.nonoptional()
}

function responsesOf(spec: RouteSpec, hasPathParams: boolean): ZodOpenApiResponsesObject {
  const status = spec.status ?? (spec.response ? 200 : 204)
  const type = spec.response instanceof z.ZodLiteral ? 'text/html' : 'application/json'
  const success = {
    description: spec.response ? 'Done' : 'Done, without a body',
    ...(spec.response ? { content: { [type]: { schema: spec.response } } } : {})
  }
  const needsLogin = spec.auth !== undefined && spec.auth !== 'none'
  const reasons: Record<number, string | undefined> = {
    ...(spec.body || spec.query || spec.params ? { 400: 'Something about the request is not valid' } : {}),
    ...(needsLogin ? { 401: 'Not logged in, or the token has ended' } : {}),
    ...(needsLogin && spec.auth !== 'optional' ? { 403: 'Not allowed to this user' } : {}),
    ...(hasPathParams ? { 404: 'No such thing' } : {}),
    ...spec.refusals,
    429: 'Too many requests'
  }
  const errors = Object.entries(reasons).map(([code, description = '']) => [
    code,
    { description, content: { 'application/problem+json': { schema: Problem } } }
  ])
  return { [status]: success, ...Object.fromEntries(errors) }
}
