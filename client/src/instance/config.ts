import { signal } from '@preact/signals'
import { api } from '../api.ts'
import { peekAnswer, takeAnswer } from '../initial-data.ts'

/** The settings of the instance that this client uses, out of `GET /config`. */
export type Config = {
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
export const config = signal((peekAnswer('/api/v1/config') ?? null) as Config | null)

let asked: Promise<Config> | null = null

/** The settings of the instance, asked once. */
export async function loadConfig(): Promise<Config> {
  asked ??= api('GET /config').then(answer => (config.value = answer as unknown as Config))
  asked.catch(() => {
    asked = null
  })
  return await asked
}

/** Asks anew, as the settings were changed. */
export async function reloadConfig(): Promise<Config> {
  // What came with the page is of before.
  takeAnswer('/api/v1/config')
  asked = null
  return await loadConfig()
}

/** How many characters a password must have here. */
export function shortestPassword(): number {
  return config.value?.fieldsConstraints.users.password.minLength ?? 1
}
