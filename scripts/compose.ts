import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { load, YAML11_SCHEMA } from 'js-yaml'
import { z } from 'zod'
import { projectFolder } from '../server/core/config.ts'

const Duration = z.string().regex(/^(\d+(ms|s|m|h))+$/)
const NonEmptyStrings = z.array(z.string()).min(1)
/** The part of the Compose specification that is used here; strict, so that misspelt keys are rejected. */
const ServiceSchema = z.strictObject({
  image: z.string().regex(/^[a-z0-9./-]+(:[\w.-]+)?$/),
  build: z.literal('.').optional(),
  init: z.boolean().optional(),
  restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
  stop_signal: z.string().regex(/^SIG/).optional(),
  stop_grace_period: Duration.optional(),
  shm_size: z
    .string()
    .regex(/^\d+(b|kb|mb|gb)$/)
    .optional(),
  command: NonEmptyStrings.optional(),
  ports: z.array(z.string().regex(/^\d+:\d+(\/(tcp|udp))?$/)).optional(),
  environment: z.record(z.string().regex(/^[A-Z_]+$/), z.string()).optional(),
  volumes: z.array(z.string().regex(/^(\.\/[\w./-]+|[a-z_]+):\/[\w./-]+(:ro)?$/)).optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.enum(['service_started', 'service_healthy']) })).optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.literal('CMD')], z.string()),
      interval: Duration,
      timeout: Duration,
      retries: z.int().optional(),
      start_period: Duration.optional(),
      start_interval: Duration.optional()
    })
    .optional()
})
const ComposeSchema = z.strictObject({
  name: z.string(),
  'x-bobine': z.unknown(),
  services: z.record(z.string(), ServiceSchema),
  volumes: z.record(z.string(), z.null())
})

/** The variables of docker-compose.yml, with an example value each. */
export const COMPOSE_VARIABLES: Record<string, string> = {
  BOBINE_HOSTNAME: 'videos.example.org',
  BOBINE_ADMIN_EMAIL: 'a@example.org',
  BOBINE_ROOT_PASSWORD: 'correct horse',
  POSTGRES_PASSWORD: 'secret1'
}
/** docker-compose.yml as text, with its variables replaced by the example values. */
export const interpolatedComposeFile = readFileSync(join(projectFolder, 'docker-compose.yml'), 'utf8').replace(
  /\$\{(\w+):\?[^}]+\}/g,
  (_, name: string) => COMPOSE_VARIABLES[name] ?? `unknown variable ${name}`
)
/** docker-compose.yml, parsed. */
export const composeFile = ComposeSchema.parse(load(interpolatedComposeFile, { schema: YAML11_SCHEMA }))
