import { signal } from '@preact/signals'
import { api } from '../api.ts'
import { peekInitialResponse, consumeInitialResponse } from '../initial-data.ts'

/** The settings of the instance that this client uses, out of `GET /config`. */
export type InstanceConfig = {
  instance: { name: string; shortDescription: string }
  bobine: { version: string }
  webadmin: { configuration: { edition: { allowed: boolean } } }
  signup: { allowed: boolean; allowedForCurrentIP: boolean; minimumAge: number }
  client: { videos: { resumableUpload: { maxChunkSize: number } } }
  defaults: { publish: { privacy: number } }
  user: { videoQuota: number; videoQuotaDaily: number }
  video: { file: { extensions: string[] } }
  videoChannels: { maxPerUser: number }
  views: { videos: { watchingInterval: { anonymous: number; users: number } } }
  fieldsConstraints: { users: { password: { minLength: number } } }
}

/** The settings of the instance, once they are here. */
export const instanceConfig = signal((peekInitialResponse('/api/v1/config') ?? null) as InstanceConfig | null)

let asked: Promise<InstanceConfig> | null = null

/** The settings of the instance, asked once. */
export async function loadInstanceConfig(): Promise<InstanceConfig> {
  asked ??= api('GET /config').then(answer => (instanceConfig.value = answer as unknown as InstanceConfig))
  asked.catch(() => {
    asked = null
  })
  return await asked
}

/** Asks anew, as the settings were changed. */
export async function reloadInstanceConfig(): Promise<InstanceConfig> {
  // What came with the page is of before.
  consumeInitialResponse('/api/v1/config')
  asked = null
  return await loadInstanceConfig()
}

/** How many characters a password must have here. */
export function minPasswordLength(): number {
  return instanceConfig.value?.fieldsConstraints.users.password.minLength ?? 1
}
