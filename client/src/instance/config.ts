import { signal } from '@preact/signals'
import type { ActorImage } from '../../../shared/actors.ts'
import { api } from '../api.ts'
import { peekInitialResponse, consumeInitialResponse } from '../initial-data.ts'

/** The part of `GET /config` that this client uses. */
export type InstanceConfig = {
  instance: { name: string; shortDescription: string; avatars: ActorImage[]; banners: ActorImage[] }
  bobine: { version: string }
  webadmin: { configuration: { edition: { allowed: boolean } } }
  signup: { allowed: boolean; allowedForCurrentIP: boolean; minimumAge: number }
  client: { videos: { resumableUpload: { maxChunkSize: number } } }
  defaults: { publish: { privacy: number } }
  user: { videoQuota: number; videoQuotaDaily: number }
  avatar: { file: { size: { max: number } } }
  banner: { file: { size: { max: number } } }
  video: { file: { extensions: string[] } }
  videoChannels: { maxPerUser: number }
  views: { videos: { watchingInterval: { anonymous: number; users: number } } }
  fieldsConstraints: { users: { password: { minLength: number } } }
}

/** The settings of the instance; null until they are loaded. */
export const instanceConfig = signal((peekInitialResponse('/api/v1/config') ?? null) as InstanceConfig | null)

let configRequest: Promise<InstanceConfig> | null = null

/** Loads the settings of the instance, once; a failed request is repeated by the next call. Throws `ApiError`. */
export async function loadInstanceConfig(): Promise<InstanceConfig> {
  configRequest ??= api('GET /config').then(config => (instanceConfig.value = config as unknown as InstanceConfig))
  configRequest.catch(() => {
    configRequest = null
  })
  return await configRequest
}

/** Loads the settings of the instance again, after a change. Throws `ApiError`. */
export async function reloadInstanceConfig(): Promise<InstanceConfig> {
  // The response that was embedded in the page is outdated.
  consumeInitialResponse('/api/v1/config')
  configRequest = null
  return await loadInstanceConfig()
}

/** The minimum number of characters of a password; 1 until the settings are loaded. */
export function minPasswordLength(): number {
  return instanceConfig.value?.fieldsConstraints.users.password.minLength ?? 1
}

/** The largest files accepted as avatar and as banner, in bytes; null until the settings are loaded. */
export function actorImageMaxSizes(): { avatar: number; banner: number } | null {
  const config = instanceConfig.value
  return config && { avatar: config.avatar.file.size.max, banner: config.banner.file.size.max }
}
